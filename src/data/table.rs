//! Text tables: comma, semicolon or tab between the columns, with or without a
//! line of names.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use ndarray::Array2;

use super::columns::{Columns, is_missing, looks_like_header};
use super::config::{DataConfig, Missing, TaskKind};
use super::dataset::{Dataset, MissingValue, Target};
use super::error::DataError;
use super::labels::LabelColumn;
use super::records::{Record, Records};

/// At most so many places of missing values are kept; all are counted.
const MAX_PLACES: usize = 100;

/// The table at `path`, or in `config` itself, read as `config` says.
pub(super) fn load(path: &Path, config: &DataConfig) -> Result<Dataset, DataError> {
    if let Some(table) = &config.table {
        return parse(path, table.trim_start().as_bytes(), config);
    }
    let file = File::open(path).map_err(|error| DataError::io(path, error))?;
    parse(path, BufReader::with_capacity(1 << 16, file), config)
}

fn parse(path: &Path, source: impl BufRead, config: &DataConfig) -> Result<Dataset, DataError> {
    let mut records = Records::new(path, source)?;
    let (Some(first), second) = (records.next()?, records.next()?) else {
        return Err(DataError::file(path, "is empty"));
    };
    let header = config.header.unwrap_or_else(|| {
        looks_like_header(
            &first.fields,
            second.as_ref().map(|second| &second.fields[..]),
        )
    });
    let names: Vec<String> = first
        .fields
        .iter()
        .enumerate()
        .map(|(j, name)| {
            if header && !name.is_empty() {
                name.clone()
            } else {
                format!("c{j}")
            }
        })
        .collect();
    let mut table = Table::new(path, names, records.delimiter(), config)?;
    if !header {
        table.push(&first)?;
    }
    if let Some(second) = second {
        table.push(&second)?;
    }
    while let Some(record) = records.next()? {
        table.push(&record)?;
    }
    table.finish(config.task)
}

/// A table as it grows record by record.
struct Table<'a> {
    path: &'a Path,
    names: Vec<String>,
    decimal_comma: bool,
    missing_policy: Missing,
    feature_columns: Vec<usize>,
    label_columns: Vec<usize>,
    features: Vec<f32>,
    /// One column of labels, which may be classes.
    labels: LabelColumn,
    /// Several columns of values, row by row.
    values: Vec<f32>,
    n_rows: usize,
    missing: Vec<MissingValue>,
    n_missing: usize,
}

impl<'a> Table<'a> {
    fn new(
        path: &'a Path,
        names: Vec<String>,
        delimiter: u8,
        config: &DataConfig,
    ) -> Result<Self, DataError> {
        let Columns {
            features: feature_columns,
            labels: label_columns,
        } = Columns::choose(path, &names, config)?;
        Ok(Self {
            path,
            names,
            decimal_comma: delimiter == b';',
            missing_policy: config.missing.unwrap_or_default(),
            feature_columns,
            label_columns,
            features: Vec::new(),
            labels: LabelColumn::default(),
            values: Vec::new(),
            n_rows: 0,
            missing: Vec::new(),
            n_missing: 0,
        })
    }

    fn push(&mut self, record: &Record) -> Result<(), DataError> {
        let line = record.line;
        let record = &record.fields;
        if record.len() != self.names.len() {
            return Err(DataError::line(
                self.path,
                line,
                None,
                format!(
                    "has {} fields where the lines before have {}",
                    record.len(),
                    self.names.len()
                ),
            ));
        }
        let before = self.n_missing;
        for &column in self.feature_columns.iter().chain(&self.label_columns) {
            if is_missing(&record[column]) {
                self.n_missing += 1;
                if self.missing.len() < MAX_PLACES {
                    self.missing.push(MissingValue {
                        line,
                        column: self.names[column].clone(),
                    });
                }
            }
        }
        if self.n_missing > before {
            return Ok(());
        }
        for &column in &self.feature_columns {
            let value = self.number(&record[column], column, line)?;
            self.features.push(value);
        }
        match self.label_columns[..] {
            [column] => {
                let text = &record[column];
                let number = self.parse_number(text);
                if number.is_some_and(|value| !value.is_finite()) {
                    return Err(self.not_finite(text, column, line));
                }
                self.labels.push(text, number, line);
            }
            _ => {
                for &column in &self.label_columns {
                    let value = self.number(&record[column], column, line)?;
                    self.values.push(value);
                }
            }
        }
        self.n_rows += 1;
        Ok(())
    }

    fn parse_number(&self, text: &str) -> Option<f64> {
        let as_written = text.parse().ok();
        if as_written.is_none() && self.decimal_comma {
            return text.replacen(',', ".", 1).parse().ok();
        }
        as_written
    }

    fn number(&self, text: &str, column: usize, line: u64) -> Result<f32, DataError> {
        match self.parse_number(text).map(|value| value as f32) {
            Some(value) if value.is_finite() => Ok(value),
            Some(_) => Err(self.not_finite(text, column, line)),
            None => Err(DataError::line(
                self.path,
                line,
                Some(&self.names[column]),
                format!(
                    "\"{text}\" is not a number; if this column is the label name it with data.label, \
                     and if it is not wanted name the wanted ones with data.features"
                ),
            )),
        }
    }

    fn not_finite(&self, text: &str, column: usize, line: u64) -> DataError {
        DataError::line(
            self.path,
            line,
            Some(&self.names[column]),
            format!("\"{text}\" is not a finite 32-bit number"),
        )
    }

    fn finish(self, task: Option<TaskKind>) -> Result<Dataset, DataError> {
        if self.missing_policy == Missing::Error
            && let Some(first) = self.missing.first()
        {
            return Err(self.missing_error(first));
        }
        if self.n_rows == 0 {
            let message = "has no complete rows of data; one or more are needed".to_owned();
            return Err(DataError::file(self.path, message));
        }
        let path = self.path;
        let shape = |error: ndarray::ShapeError| DataError::file(path, error.to_string());
        let label_names: Vec<String> = self
            .label_columns
            .iter()
            .map(|&j| self.names[j].clone())
            .collect();
        let target = if let [column] = self.label_columns[..] {
            let name = &self.names[column];
            self.labels
                .resolve(name, task)
                .map_err(|fault| match fault.line {
                    Some(line) => DataError::line(path, line, Some(name), fault.message),
                    None => DataError::file(path, format!("column \"{name}\": {}", fault.message)),
                })?
        } else {
            let values = Array2::from_shape_vec((self.n_rows, label_names.len()), self.values)
                .map_err(shape)?;
            Target::Values {
                values,
                names: label_names,
            }
        };
        let features =
            Array2::from_shape_vec((self.n_rows, self.feature_columns.len()), self.features)
                .map_err(shape)?;
        let names = self
            .feature_columns
            .iter()
            .map(|&j| self.names[j].clone())
            .collect();
        let mut data =
            Dataset::from_columns(super::load::file_name(path), features, names, target, None);
        data.missing = self.missing;
        data.n_missing = self.n_missing;
        Ok(data)
    }

    fn missing_error(&self, first: &MissingValue) -> DataError {
        const SHOWN: usize = 5;
        let others: Vec<String> = self.missing[1..]
            .iter()
            .take(SHOWN)
            .map(|place| format!("line {} column {}", place.line, place.column))
            .collect();
        let more = self.n_missing.saturating_sub(1 + others.len());
        let mut message = "a value is missing".to_owned();
        if !others.is_empty() {
            message += &format!(", also at {}", others.join(", "));
        }
        if more > 0 {
            message += &format!(", and at {more} more");
        }
        message += "; fill it in, or leave such rows out with data.missing = \"drop\"";
        DataError::line(self.path, first.line, Some(&first.column), message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::config::{ColumnRef, Label};
    use ndarray::array;

    fn read(text: &str, config: DataConfig) -> Result<Dataset, String> {
        parse(Path::new("t.csv"), text.as_bytes(), &config).map_err(|error| error.to_string())
    }

    fn plain() -> DataConfig {
        DataConfig::of("t.csv")
    }

    #[test]
    fn a_header_is_recognised_and_the_last_column_is_the_label() {
        let data = read("a,b,kind\n1,2,x\n3,4,y\n", plain()).expect("valid");
        assert_eq!(data.feature_names, ["a", "b"]);
        assert_eq!(data.features, array![[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(
            data.target,
            Target::Classes {
                labels: vec![0, 1],
                names: vec!["x".into(), "y".into()]
            }
        );
    }

    #[test]
    fn a_table_without_header_is_recognised_and_either_can_be_forced() {
        assert_eq!(
            read("1,2,x\n3,4,y\n", plain()).expect("valid").n_samples(),
            2
        );
        let forced = DataConfig {
            header: Some(true),
            ..plain()
        };
        assert_eq!(
            read("1,2,x\n3,4,y\n5,6,z\n", forced)
                .expect("valid")
                .feature_names,
            ["1", "2"]
        );
        let denied = DataConfig {
            header: Some(false),
            ..plain()
        };
        assert!(
            read("a,b,kind\n1,2,x\n", denied)
                .expect_err("text")
                .contains("line 1, column c0")
        );
    }

    #[test]
    fn the_label_is_found_by_name_by_index_and_from_the_end() {
        for label in [
            Label::from("k"),
            Label::One(ColumnRef::Index(0)),
            Label::One(ColumnRef::Index(-3)),
        ] {
            let data = read(
                "k,a,b\np,1,2\nq,3,4\n",
                DataConfig {
                    label: Some(label),
                    ..plain()
                },
            )
            .expect("valid");
            assert_eq!(data.feature_names, ["a", "b"]);
            assert_eq!(data.target.task().names(), ["p", "q"]);
        }
        let missing = DataConfig {
            label: Some("z".into()),
            ..plain()
        };
        let error = read("k,a\np,1\nq,3\n", missing).expect_err("unknown column");
        assert!(
            error.contains("data.label") && error.contains("k, a"),
            "{error}"
        );
        let beyond = DataConfig {
            label: Some(Label::One(ColumnRef::Index(2))),
            ..plain()
        };
        assert!(
            read("k,a\np,1\nq,3\n", beyond)
                .expect_err("index")
                .contains("0 to 1")
        );
    }

    #[test]
    fn several_labels_are_values_and_features_can_be_chosen() {
        let label = Label::Many(vec![ColumnRef::Name("u".into()), ColumnRef::Index(-1)]);
        let config = DataConfig {
            label: Some(label),
            features: Some(vec!["b".into()]),
            ..plain()
        };
        let data = read("a,b,u,v\nzzz,2,0.5,1\nzzz,3,1.5,2\n", config).expect("valid");
        assert_eq!(data.features, array![[2.0], [3.0]]);
        assert_eq!(data.line, Some(vec![2.0, 3.0]));
        assert_eq!(data.target.values(), Some(&array![[0.5, 1.0], [1.5, 2.0]]));
    }

    #[test]
    fn missing_values_are_named_by_line_and_column() {
        let text = "a,b,y\n1,2,0\n\n,3,1\n4,NA,0\n5,6,1\n";
        let error = read(text, plain()).expect_err("missing");
        assert!(error.starts_with("t.csv, line 4, column a:"), "{error}");
        assert!(
            error.contains("line 5 column b") && error.contains("drop"),
            "{error}"
        );
        let data = read(
            text,
            DataConfig {
                missing: Some(Missing::Drop),
                ..plain()
            },
        )
        .expect("valid");
        assert_eq!((data.n_samples(), data.n_missing), (2, 2));
    }

    #[test]
    fn ragged_lines_text_and_infinity_are_refused_by_line() {
        let ragged = read("a,b,y\n1,2,0\n1,2\n", plain()).expect_err("ragged");
        assert!(
            ragged.contains("line 3") && ragged.contains("2 fields"),
            "{ragged}"
        );
        let text = read("a,b,y\n1,2,0\n1,oops,1\n", plain()).expect_err("text");
        assert!(
            text.contains("line 3, column b") && text.contains("oops"),
            "{text}"
        );
        for bad in ["inf", "1e39", "-Infinity"] {
            let error = read(&format!("a,b,y\n1,2,0\n1,{bad},1\n"), plain()).expect_err("infinite");
            assert!(
                error.contains("line 3, column b") && error.contains("finite"),
                "{error}"
            );
        }
        assert!(read("", plain()).expect_err("empty").contains("empty"));
        assert!(
            read("a,b\n", plain())
                .expect_err("no rows")
                .contains("no complete rows")
        );
    }

    #[test]
    fn semicolons_decimal_commas_tabs_quotes_and_a_byte_order_mark_are_understood() {
        let data = read("\u{feff}a;\"b;c\";y\r\n1,5;2;no\r\n2;3;yes\r\n", plain()).expect("valid");
        assert_eq!(data.feature_names, ["a", "b;c"]);
        assert_eq!(data.features, array![[1.5, 2.0], [2.0, 3.0]]);
        assert_eq!(
            read("1\t2\t0\n3\t4\t1\n", plain())
                .expect("valid")
                .n_features(),
            2
        );
    }

    #[test]
    fn text_that_is_not_utf_8_is_refused_by_line() {
        let error =
            parse(Path::new("t.csv"), &b"a,y\n1,x\n2,\xff\xfe\n"[..], &plain()).expect_err("bytes");
        assert!(error.to_string().contains("line 3"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[0-9a\",;\t\r\n. -]{0,120}", bytes: Vec<u8>) {
            for missing in [None, Some(Missing::Drop)] {
                let config = DataConfig { missing, ..plain() };
                let _ = parse(Path::new("t.csv"), text.as_bytes(), &config);
                let _ = parse(Path::new("t.csv"), &bytes[..], &config);
            }
        }
    }
}
