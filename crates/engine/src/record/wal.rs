//! What the write-ahead log holds beyond what `SQLite` reads of it.
//!
//! `SQLite` reads the log up to the first frame whose checksum is wrong, and takes the rest for the remains of a write
//! that a power cut has torn. It may as well be the remains of damage, and then commits that were durable are gone
//! without a word. So the log is read here too, only to see whether there is such a rest.

/// The length of its head, which comes before the frames.
pub(super) const HEAD: usize = 32;
const FRAME_HEAD: usize = 24;

/// The size of a page. The database is made with it.
pub(super) const PAGE: usize = 4096;

/// A page as it was written to the log.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    /// Which page of the database.
    pub(super) number: u32,
    /// Whether a transaction ends with it.
    pub(super) commits: bool,
    /// It belongs to the log that the head describes, not to an older one whose place that log is taking.
    pub(super) current: bool,
    pub(super) page: &'a [u8],
}

/// The log, as far as it can be read.
pub(super) struct Log<'a> {
    pub(super) frames: Vec<Frame<'a>>,
    /// So many frames are what `SQLite` reads.
    pub(super) read: usize,
    pub(super) rest: Rest,
    pub(super) is_empty: bool,
}

/// What stands behind what `SQLite` reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing that was ever whole: an older log, or a transaction that did not come to its end.
    Nothing,
    /// Something that was torn while it was written, or damaged later: nothing can tell which.
    Torn,
    /// The head is damaged, so that nothing of the log is read.
    Everything,
}

/// Whether the log begins as `SQLite` begins it. One that does not is passed over at the next start with all that is in
/// it. An empty one has been moved into the database.
pub(super) fn begins_well(head: &[u8]) -> bool {
    head.is_empty() || head.get(..HEAD).is_some_and(has_head)
}

fn has_head(head: &[u8]) -> bool {
    let magic = word(head, 0);
    let sum = checksum(magic & 1 == 1, (0, 0), &head[..24]);
    magic & !1 == 0x377f_0682 && word(head, 8) as usize == PAGE && sum == (word(head, 24), word(head, 28))
}

/// Reads the log.
pub(super) fn read(bytes: &[u8]) -> Log<'_> {
    let Some((head, body)) = bytes.split_at_checked(HEAD) else {
        return Log { frames: Vec::new(), read: 0, rest: Rest::Nothing, is_empty: bytes.is_empty() };
    };
    let magic = word(head, 0);
    let big = magic & 1 == 1;
    let mut sum = checksum(big, (0, 0), &head[..24]);
    let whole = has_head(head);
    let (mut frames, mut read, mut chain, mut torn) = (Vec::new(), 0, whole, false);
    for bytes in body.chunks(FRAME_HEAD + PAGE) {
        // One damaged bit leaves one of the two salts as it was.
        let salted = bytes.len() >= 16 && (word(bytes, 8) == word(head, 16) || word(bytes, 12) == word(head, 20));
        let Some((frame_head, page)) = bytes.split_at_checked(FRAME_HEAD).filter(|(_, page)| page.len() == PAGE) else {
            torn |= salted;
            break;
        };
        if chain {
            let next = checksum(big, checksum(big, sum, &frame_head[..8]), page);
            chain = next == (word(frame_head, 16), word(frame_head, 20)) && frame_head[8..16] == head[16..24];
            sum = next;
        }
        torn |= salted && !chain;
        let commits = word(frame_head, 4) != 0;
        frames.push(Frame { number: word(frame_head, 0), commits, current: salted, page });
        if chain && commits {
            read = frames.len();
        }
    }
    let rest = match (whole, torn) {
        (false, _) => Rest::Everything,
        (true, true) => Rest::Torn,
        (true, false) => Rest::Nothing,
    };
    Log { frames, read, rest, is_empty: false }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// The log's checksum, as its format says: two sums over pairs of words, each of which feeds the other.
fn checksum(big: bool, sum: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    bytes.chunks_exact(8).fold(sum, |(a, b), pair| {
        let word = |at| if big { word(pair, at) } else { word(pair, at).swap_bytes() };
        let a = a.wrapping_add(word(0)).wrapping_add(b);
        (a, b.wrapping_add(word(4)).wrapping_add(a))
    })
}
