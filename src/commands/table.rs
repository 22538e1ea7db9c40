//! Formats records as lines: aligned columns for people on a terminal, fields with two blanks between them for everybody else.
//! It prints nothing.

use unicode_width::UnicodeWidthStr as _;

use crate::output::{OutputForm, plain_line};

/// Returns records as lines, each with its fields in visible form: under headings for people, else as
/// [`plain_line`](crate::output::plain_line) writes them.
pub(super) fn lines(form: OutputForm, headings: &[&str], records: &[Vec<String>]) -> String {
    TableColumns::default().lines(form, headings, records)
}

/// The columns of a table that is printed in parts: as wide as those of the first part.
#[derive(Debug, Default)]
pub(super) struct TableColumns(Option<Vec<usize>>);

impl TableColumns {
    /// Returns the next records as lines; the headings stand before the first ones.
    pub(super) fn lines(&mut self, form: OutputForm, headings: &[&str], records: &[Vec<String>]) -> String {
        let plain = records.iter().map(|fields| plain_line(fields.iter().map(String::as_str)));
        if form != OutputForm::Human {
            return plain.collect();
        }
        let heading = self.0.is_none().then(|| plain_line(headings.iter().copied()));
        let rows: Vec<_> = heading.into_iter().chain(plain).collect();
        let rows: Vec<Vec<_>> = rows.iter().map(|row| row.trim_end().split("  ").collect()).collect();
        let widest = |n: usize| rows.iter().filter_map(|row| row.get(n)).map(|field| field.width()).max();
        let widths = self.0.get_or_insert_with(|| (0..headings.len()).map(|n| widest(n).unwrap_or_default()).collect());
        let line = |row: &Vec<&str>| {
            let padded = row.iter().zip(&*widths).map(|(field, width)| {
                let blanks = " ".repeat(width.saturating_sub(field.width()));
                format!("{field}{blanks}")
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_blanks_end_a_field_and_nothing_else_does() {
        let records = [vec!["a  b \u{1b}[2J\n".to_owned(), String::new(), " c\t".to_owned()]];
        assert_eq!(lines(OutputForm::Plain, &["x", "y", "z"], &records), "a b ␛[2J  -  c\n");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_field() {
        let records = [vec!["日本".to_owned(), "1".to_owned()], vec!["a".to_owned(), "2".to_owned()]];
        assert_eq!(lines(OutputForm::Human, &["K", "N"], &records), "K     N\n日本  1\na     2\n");
    }
}
