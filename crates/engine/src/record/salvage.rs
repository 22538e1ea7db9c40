//! Picks rows out of the pages of a damaged database, without `SQLite` and without trust in anything but the rows' own
//! digests.
//!
//! The pages of the file and of its log are looked at one by one. Whatever looks like a leaf of a table is read, and
//! what it yields is believed where a digest says so. Of a row that is found more than once the latest revision counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::types::ValueRef;

use super::{
    row::{StoredRow, Table},
    rows::TABLES,
    wal::{Log, PAGE},
};

/// The first byte of a leaf of a table.
const LEAF: u8 = 0x0d;

/// No row is longer than this.
const LONGEST: usize = 1 << 26;

/// Rows by their table's place in [`TABLES`] and their number.
pub(super) type Rows = BTreeMap<(usize, i64), StoredRow>;

/// Which part is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The file and the log.
    All,
    /// The part of the log that the database does not read.
    Rest,
}

/// The rows that can be read.
pub(super) fn rows(main: &[u8], log: &Log<'_>, part: Part) -> Rows {
    let mut pages: HashMap<u32, &[u8]> = (1..).zip(main.chunks_exact(PAGE)).collect();
    let mut found = Rows::new();
    if part == Part::All {
        for (number, page) in &pages {
            scan(*number, page, &pages, &mut found);
        }
    }
    let any = log.frames.iter().all(|frame| !frame.current);
    let mut changed = BTreeSet::new();
    for (at, frame) in log.frames.iter().enumerate().filter(|(_, frame)| frame.current || any) {
        pages.insert(frame.number, frame.page);
        if part == Part::All || at >= log.read {
            changed.insert(frame.number);
            // A damaged head may name the wrong page, so that it is looked at now and not only with its transaction.
            scan(frame.number, frame.page, &pages, &mut found);
        }
        if frame.commits || at + 1 == log.frames.len() {
            for number in std::mem::take(&mut changed) {
                scan(number, pages.get(&number).copied().unwrap_or_default(), &pages, &mut found);
            }
        }
    }
    found
}

fn scan(number: u32, page: &[u8], pages: &HashMap<u32, &[u8]>, found: &mut Rows) {
    // The database's own head stands before the first page's.
    let head = if number == 1 { 100 } else { 0 };
    if page.get(head) != Some(&LEAF) {
        return;
    }
    let Some(count) = short(page, head + 3) else { return };
    for cell in 0..count {
        let row = short(page, head + 8 + 2 * cell).and_then(|at| cell_at(page, at, pages));
        let Some((table, row)) = row else { continue };
        let known = found.entry((table, row.id)).or_insert_with(|| row.clone());
        if known.revision < row.revision {
            *known = row;
        }
    }
}

fn cell_at(page: &[u8], at: usize, pages: &HashMap<u32, &[u8]>) -> Option<(usize, StoredRow)> {
    let mut rest = page.get(at..)?;
    let length = usize::try_from(varint(&mut rest)?).ok().filter(|length| *length <= LONGEST)?;
    let id = varint(&mut rest)?;
    let payload = payload(rest, length, pages)?;
    let values = record(&payload)?;
    let (_, values) = values.split_first()?; // The number's own column is empty: it is the key.
    TABLES
        .iter()
        .enumerate()
        .find_map(|(place, table): (usize, &&Table)| Some((place, StoredRow::verified(table, id, values)?)))
}

/// The bytes of a row: those in its page, and those in the chain of pages that a long row continues in.
fn payload(cell: &[u8], length: usize, pages: &HashMap<u32, &[u8]>) -> Option<Vec<u8>> {
    let most = PAGE - 35;
    if length <= most {
        return cell.get(..length).map(<[u8]>::to_vec);
    }
    let least = (PAGE - 12) * 32 / 255 - 23;
    let wanted = least + (length - least) % (PAGE - 4);
    let here = if wanted <= most { wanted } else { least };
    let mut bytes = cell.get(..here)?.to_vec();
    let mut next = long(cell, here)?;
    while bytes.len() < length {
        let page = pages.get(&next)?;
        next = long(page, 0)?;
        bytes.extend_from_slice(page.get(4..4 + (length - bytes.len()).min(PAGE - 4))?);
    }
    Some(bytes)
}

/// The values of a row in the format of `SQLite`'s records. Only the kinds that our tables have.
fn record(payload: &[u8]) -> Option<Vec<ValueRef<'_>>> {
    let mut kinds = payload;
    let length = usize::try_from(varint(&mut kinds)?).ok()?;
    let before = payload.len() - kinds.len();
    kinds = kinds.get(..length.checked_sub(before)?)?;
    let mut body = payload.get(length..)?;
    let mut values = Vec::new();
    while !kinds.is_empty() {
        let kind = usize::try_from(varint(&mut kinds)?).ok()?;
        let size = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 => 8,
            13.. if kind % 2 == 1 => (kind - 13) / 2,
            _ => return None,
        };
        let (bytes, rest) = body.split_at_checked(size)?;
        body = rest;
        values.push(match kind {
            0 => ValueRef::Null,
            8 => ValueRef::Integer(0),
            9 => ValueRef::Integer(1),
            1..=6 => ValueRef::Integer(integer(bytes)),
            _ => ValueRef::Text(bytes),
        });
    }
    Some(values)
}

/// A big-endian number with its sign, of one to eight bytes.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    bytes.iter().fold(if negative { -1 } else { 0 }, |number, byte| (number << 8) | i64::from(*byte))
}

/// A number of one to nine bytes, seven bits in each and eight in the ninth.
fn varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut number = 0_i64;
    for at in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if at == 8 {
            return Some((number << 8) | i64::from(*byte));
        }
        number = (number << 7) | i64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_be_bytes(bytes).into())
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes))
}
