//! The records of a text table, each with the line on which it begins.
//!
//! The text is cut into records here, and only those with quotes go through the
//! csv crate: it counts blank lines to the record behind them, and an error that
//! names the wrong line is worse than none.

use std::collections::VecDeque;
use std::io::BufRead;
use std::path::Path;

use csv::{ReaderBuilder, Trim};

use super::error::DataError;

/// A longer record is taken for a quote that is never closed.
const MAX_RECORD: usize = 1 << 24;

/// More fields are no table: each takes far more memory than its separator in the file.
const MAX_FIELDS: usize = 1 << 18;

/// One record: its fields without surrounding blanks and quotes, and its line.
#[derive(Debug, PartialEq)]
pub(super) struct Record {
    pub(super) fields: Vec<String>,
    /// From 1.
    pub(super) line: u64,
}

/// Reads records one after the other; blank lines are passed over.
pub(super) struct Records<'a, R> {
    path: &'a Path,
    source: R,
    delimiter: u8,
    /// The number of lines read so far.
    lines: u64,
    waiting: VecDeque<Record>,
}

impl<'a, R: BufRead> Records<'a, R> {
    /// Finds out the separator from the first line of `source`.
    pub(super) fn new(path: &'a Path, mut source: R) -> Result<Self, DataError> {
        let io = |error| DataError::io(path, error);
        if source.fill_buf().map_err(io)?.starts_with(b"\xef\xbb\xbf") {
            source.consume(3);
        }
        let delimiter = guess_delimiter(source.fill_buf().map_err(io)?);
        Ok(Self {
            path,
            source,
            delimiter,
            lines: 0,
            waiting: VecDeque::new(),
        })
    }

    /// What separates the fields: a comma, a semicolon or a tab.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The next record, or `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Record>, DataError> {
        loop {
            if let Some(record) = self.waiting.pop_front() {
                return Ok(Some(record));
            }
            let line = self.lines + 1;
            let text = self.next_text(line)?;
            if text.is_empty() {
                return Ok(None);
            }
            let text = std::str::from_utf8(&text).map_err(|error| {
                let before = &text[..error.valid_up_to()];
                let line = line + before.iter().filter(|&&byte| byte == b'\n').count() as u64;
                DataError::line(
                    self.path,
                    line,
                    None,
                    "is not UTF-8 text; save the file as UTF-8",
                )
            })?;
            if text.trim().is_empty() {
                continue;
            }
            if text.contains('"') {
                self.waiting = quoted(self.path, text, self.delimiter, line)?;
            } else {
                let fields = text.split(char::from(self.delimiter));
                if fields.clone().count() > MAX_FIELDS {
                    return Err(too_many(self.path, line));
                }
                let fields = fields.map(|field| field.trim().to_owned());
                return Ok(Some(Record {
                    fields: fields.collect(),
                    line,
                }));
            }
        }
    }

    /// One line, and the following ones while a quote is open.
    fn next_text(&mut self, line: u64) -> Result<Vec<u8>, DataError> {
        let mut text = Vec::new();
        let mut quotes = 0;
        loop {
            let start = text.len();
            // One byte more than is allowed, so that the excess can be seen.
            let room = (MAX_RECORD + 1 - start) as u64;
            let read = std::io::Read::take(&mut self.source, room)
                .read_until(b'\n', &mut text)
                .map_err(|error| DataError::io(self.path, error))?;
            if text.len() > MAX_RECORD {
                return Err(DataError::line(
                    self.path,
                    line,
                    None,
                    format!(
                        "begins a record of more than {MAX_RECORD} bytes; is a quote not closed?"
                    ),
                ));
            }
            self.lines += u64::from(read > 0);
            quotes += text[start..].iter().filter(|&&byte| byte == b'"').count();
            if read == 0 || quotes % 2 == 0 {
                return Ok(text);
            }
        }
    }
}

/// The records in a text with quotes: one, unless a quote stood alone.
fn quoted(
    path: &Path,
    text: &str,
    delimiter: u8,
    line: u64,
) -> Result<VecDeque<Record>, DataError> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut fields = 0;
    reader
        .records()
        .map(|record| {
            let record =
                record.map_err(|error| DataError::line(path, line, None, error.to_string()))?;
            fields += record.len();
            if fields > MAX_FIELDS {
                return Err(too_many(path, line));
            }
            let offset = record.position().map_or(0, |position| position.line() - 1);
            Ok(Record {
                fields: record.iter().map(str::to_owned).collect(),
                line: line + offset,
            })
        })
        .collect()
}

fn too_many(path: &Path, line: u64) -> DataError {
    DataError::line(
        path,
        line,
        None,
        format!("begins a record of more than {MAX_FIELDS} fields, the most that are read"),
    )
}

/// The separator that is most frequent in the first line with anything in it; a
/// comma if none is.
fn guess_delimiter(head: &[u8]) -> u8 {
    let line = head
        .split(|&byte| byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty())
        .unwrap_or(&[]);
    let count = |delimiter: u8| line.iter().filter(|&&byte| byte == delimiter).count();
    // The last of equals wins, so the comma goes last.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|&delimiter| count(delimiter))
        .unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Result<Vec<(Vec<String>, u64)>, String> {
        let mut records =
            Records::new(Path::new("t.csv"), text).map_err(|error| error.to_string())?;
        let mut found = Vec::new();
        while let Some(Record { fields, line }) =
            records.next().map_err(|error| error.to_string())?
        {
            found.push((fields, line));
        }
        Ok(found)
    }

    fn record(fields: &[&str], line: u64) -> (Vec<String>, u64) {
        (fields.iter().map(|&field| field.to_owned()).collect(), line)
    }

    #[test]
    fn blank_lines_and_every_kind_of_line_end_leave_the_count_right() {
        let expected = [
            record(&["a", "b"], 2),
            record(&["1", "2"], 5),
            record(&["3", ""], 6),
        ];
        assert_eq!(all(b"\na,b\n\n \n1 , 2\n3,").expect("valid"), expected);
        assert_eq!(
            all(b"\r\na,b\r\n\r\n\r\n1,2\r\n3,\r\n").expect("valid"),
            expected
        );
    }

    #[test]
    fn a_quoted_field_may_hold_separators_quotes_and_lines() {
        let found = all(b"a,b\n\"x, \"\"y\"\"\nz\",1\n\n2,3\n").expect("valid");
        assert_eq!(
            found,
            [
                record(&["a", "b"], 1),
                record(&["x, \"y\"\nz", "1"], 2),
                record(&["2", "3"], 5)
            ]
        );
    }

    #[test]
    fn a_quote_within_a_field_is_a_character() {
        let found = all(b"5\" pipe,1\nrod,2\n").expect("valid");
        assert_eq!(
            found,
            [record(&["5\" pipe", "1"], 1), record(&["rod", "2"], 2)]
        );
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
        let mut text = b"a,b\n\"open,1\n".to_vec();
        text.extend(std::iter::repeat_n(*b"1,2\n", MAX_RECORD / 4 + 1).flatten());
        assert!(all(&text).expect_err("open quote").contains("line 2"));
    }

    #[test]
    fn the_separator_is_found_out() {
        assert_eq!(guess_delimiter(b"a;b;c,d\n"), b';');
        assert_eq!(guess_delimiter(b"\n1\t2\t3\n"), b'\t');
        assert_eq!(guess_delimiter(b"alone\n"), b',');
    }
}
