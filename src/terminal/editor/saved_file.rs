//! Reads the file that an editor has saved, in any encoding. A pipe, a device or a huge file in its place never blocks the
//! program or fills its memory.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

/// The largest file that is read, in bytes.
const MAX_LENGTH: u64 = 1 << 20;

/// The content of an editor's file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SavedFile {
    /// The text that was written before the editor started.
    Unchanged,
    /// Another text, with normalized line ends.
    Text(String),
    /// Another text with bytes whose encoding had to be guessed.
    Guessed(String),
    /// The file does not exist.
    Missing,
    /// The file cannot be used. The text completes "The file of vi".
    Unusable(String),
}

/// Reads the file, which held the text `before` when the editor started.
pub(super) fn read(path: &Path, before: &str) -> SavedFile {
    let bytes = match read_bounded(path) {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(unusable)) => return unusable,
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => {
            return SavedFile::Missing;
        }
        Err(error) => return SavedFile::Unusable(format!("cannot be read ({error})")),
    };
    if bytes == before.as_bytes() {
        return SavedFile::Unchanged;
    }
    let (text, is_certain) = decode(&bytes);
    if text.contains('\0') {
        return SavedFile::Unusable("is not text".to_owned());
    }
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
    if text.ends_with('\n') && !before.ends_with('\n') {
        text.pop();
    }
    if is_certain { SavedFile::Text(text) } else { SavedFile::Guessed(text) }
}

fn read_bounded(path: &Path) -> io::Result<Result<Vec<u8>, SavedFile>> {
    // Checked before it is opened, because opening a pipe waits for a writer.
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Ok(Err(SavedFile::Unusable("is a folder".to_owned())));
    }
    if !metadata.is_file() {
        return Ok(Err(SavedFile::Unusable("is not a file".to_owned())));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_LENGTH + 1).read_to_end(&mut bytes)?;
    let is_long = u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_LENGTH);
    Ok(if is_long { Err(SavedFile::Unusable("is more than 1 MiB".to_owned())) } else { Ok(bytes) })
}

/// Decodes UTF-16 with a byte order mark, or else UTF-8, with Windows-1252 (which extends Latin-1) for invalid bytes. Returns
/// whether nothing was guessed.
fn decode(bytes: &[u8]) -> (String, bool) {
    for (mark, unit) in [([0xff, 0xfe], u16::from_le_bytes as fn([u8; 2]) -> u16), ([0xfe, 0xff], u16::from_be_bytes)] {
        if let Some(rest) = bytes.strip_prefix(&mark) {
            let (units, rest) = rest.as_chunks::<2>();
            let text = char::decode_utf16(units.iter().copied().map(unit)).collect::<Result<String, _>>();
            if let (Ok(text), []) = (text, rest) {
                return (text, true);
            }
        }
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut text = String::with_capacity(bytes.len());
    let mut is_certain = true;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().copied().map(windows_1252));
        is_certain &= chunk.invalid().is_empty();
    }
    (text, is_certain)
}

/// Returns the character of a byte that is not ASCII.
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

    fn text(text: &str) -> SavedFile {
        SavedFile::Text(text.to_owned())
    }

    fn guessed(text: &str) -> SavedFile {
        SavedFile::Guessed(text.to_owned())
    }

    #[test]
    fn text_is_read_in_any_encoding() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text.md");
        for (bytes, found) in [
            (&b"plan"[..], SavedFile::Unchanged),
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
            (b"PK\x03\x04\0\0", SavedFile::Unusable("is not text".to_owned())),
        ] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(read(&path, "plan"), found, "{bytes:?}");
        }
    }

    #[test]
    fn anything_but_a_short_file_is_unusable_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert_eq!(read(&path("none"), ""), SavedFile::Missing);
        fs::create_dir(path("folder")).unwrap();
        assert_eq!(read(&path("folder"), ""), SavedFile::Unusable("is a folder".to_owned()));
        symlink("/dev/zero", path("endless")).unwrap();
        assert_eq!(read(&path("endless"), ""), SavedFile::Unusable("is not a file".to_owned()));
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        assert_eq!(read(&path("pipe"), ""), SavedFile::Unusable("is not a file".to_owned()));
        symlink(path("loop"), path("loop")).unwrap();
        assert!(matches!(read(&path("loop"), ""), SavedFile::Unusable(why) if why.starts_with("cannot be read")));
        fs::write(path("long"), "x".repeat((1 << 20) + 1)).unwrap();
        assert_eq!(read(&path("long"), ""), SavedFile::Unusable("is more than 1 MiB".to_owned()));
        fs::write(path("full"), "x".repeat(1 << 20)).unwrap();
        assert!(matches!(read(&path("full"), ""), SavedFile::Text(_)));
        symlink(path("full"), path("linked")).unwrap();
        assert!(matches!(read(&path("linked"), ""), SavedFile::Text(_)));
    }
}
