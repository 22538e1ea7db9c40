//! What an editor has left in its file, read whatever it is: nothing that stands in the file's place may hang or flood the
//! program.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

/// The most that is read, in bytes.
const MOST: u64 = 1 << 20;

/// What is in an editor's file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Saved {
    /// The bytes that were written there before.
    AsWritten,
    /// A text, its line ends made equal.
    Text(String),
    /// A text of which some bytes had to be guessed.
    Guessed(String),
    /// There is no file.
    Missing,
    /// It cannot be taken over. Fits after "What vi left".
    Unusable(String),
}

/// Reads the file that held this text before.
pub(super) fn read(path: &Path, before: &str) -> Saved {
    let bytes = match read_bounded(path) {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(unusable)) => return unusable,
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => {
            return Saved::Missing;
        }
        Err(error) => return Saved::Unusable(format!("cannot be read ({error})")),
    };
    if bytes == before.as_bytes() {
        return Saved::AsWritten;
    }
    let (text, is_sure) = decode(&bytes);
    if text.contains('\0') {
        return Saved::Unusable("is not text".to_owned());
    }
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
    if text.ends_with('\n') && !before.ends_with('\n') {
        text.pop();
    }
    if is_sure { Saved::Text(text) } else { Saved::Guessed(text) }
}

fn read_bounded(path: &Path) -> io::Result<Result<Vec<u8>, Saved>> {
    // Asked before it is opened: a pipe would wait for a writer.
    let found = fs::metadata(path)?;
    if found.is_dir() {
        return Ok(Err(Saved::Unusable("is a folder".to_owned())));
    }
    if !found.is_file() {
        return Ok(Err(Saved::Unusable("is not a file".to_owned())));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    let is_long = u64::try_from(bytes.len()).is_ok_and(|length| length > MOST);
    Ok(if is_long { Err(Saved::Unusable("is more than 1 MiB".to_owned())) } else { Ok(bytes) })
}

/// UTF-16 with a mark at its beginning, else UTF-8; a byte that is neither is read as Windows-1252, which holds all that
/// Latin-1 can write. Says whether nothing was guessed.
fn decode(bytes: &[u8]) -> (String, bool) {
    for (mark, word) in [([0xff, 0xfe], u16::from_le_bytes as fn([u8; 2]) -> u16), ([0xfe, 0xff], u16::from_be_bytes)] {
        if let Some(rest) = bytes.strip_prefix(&mark) {
            let (words, odd) = rest.as_chunks::<2>();
            let text = char::decode_utf16(words.iter().copied().map(word)).collect::<Result<String, _>>();
            if let (Ok(text), []) = (text, odd) {
                return (text, true);
            }
        }
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut text = String::with_capacity(bytes.len());
    let mut is_sure = true;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().copied().map(windows_1252));
        is_sure &= chunk.invalid().is_empty();
    }
    (text, is_sure)
}

/// The character of a byte that is not ASCII.
fn windows_1252(byte: u8) -> char {
    const HIGH: &str = "€\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}\u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ";
    match byte {
        0x80..=0x9f => HIGH.chars().nth(usize::from(byte - 0x80)).unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn text(text: &str) -> Saved {
        Saved::Text(text.to_owned())
    }

    fn guessed(text: &str) -> Saved {
        Saved::Guessed(text.to_owned())
    }

    #[test]
    fn every_byte_of_a_text_comes_back_whatever_its_encoding() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text.md");
        for (bytes, found) in [
            (&b"plan"[..], Saved::AsWritten),
            (b"plan\n", text("plan")),
            (b"", text("")),
            ("Größe 漢 🙂".as_bytes(), text("Größe 漢 🙂")),
            (b"\xef\xbb\xbfwith a mark", text("with a mark")),
            (b"\xff\xfeG\0\xf6\0", text("Gö")),
            (b"\xfe\xff\0G\0\xf6", text("Gö")),
            (b"caf\xe9 au lait", guessed("café au lait")),
            (b"50 \x80, \x93quoted\x94 \x96 done", guessed("50 €, “quoted” – done")),
            ("größer \u{fc}".as_bytes(), text("größer ü")),
            (b"gr\xc3\xb6\xc3\x9fer caf\xe9", guessed("größer café")),
            (b"end in the middle \xe6\xbc", guessed("end in the middle æ¼")),
            (b"\x81", guessed("\u{fffd}")),
            (b"PK\x03\x04\0\0", Saved::Unusable("is not text".to_owned())),
        ] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(read(&path, "plan"), found, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_file_or_too_long_is_said_and_never_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert_eq!(read(&path("none"), ""), Saved::Missing);
        fs::create_dir(path("folder")).unwrap();
        assert_eq!(read(&path("folder"), ""), Saved::Unusable("is a folder".to_owned()));
        symlink("/dev/zero", path("endless")).unwrap();
        assert_eq!(read(&path("endless"), ""), Saved::Unusable("is not a file".to_owned()));
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        assert_eq!(read(&path("pipe"), ""), Saved::Unusable("is not a file".to_owned()));
        symlink(path("loop"), path("loop")).unwrap();
        assert!(matches!(read(&path("loop"), ""), Saved::Unusable(why) if why.starts_with("cannot be read")));
        fs::write(path("long"), "x".repeat((1 << 20) + 1)).unwrap();
        assert_eq!(read(&path("long"), ""), Saved::Unusable("is more than 1 MiB".to_owned()));
        fs::write(path("full"), "x".repeat(1 << 20)).unwrap();
        assert!(matches!(read(&path("full"), ""), Saved::Text(_)));
        symlink(path("full"), path("linked")).unwrap();
        assert!(matches!(read(&path("linked"), ""), Saved::Text(_)));
    }
}
