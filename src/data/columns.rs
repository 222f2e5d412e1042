//! The columns of a text table: whether they have names, and which are features
//! and which labels.

use std::collections::HashMap;
use std::path::Path;

use super::config::{ColumnRef, ConfigError, DataConfig};
use super::error::DataError;

/// Places of columns, in the order in which they are wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) features: Vec<usize>,
    pub(super) labels: Vec<usize>,
}

impl Columns {
    /// The columns that `config` names among `names`, or else the last as the
    /// label and all others as features.
    pub(super) fn choose(
        path: &Path,
        names: &[String],
        config: &DataConfig,
    ) -> Result<Self, DataError> {
        let label_columns = match &config.label {
            Some(label) => label
                .columns()
                .iter()
                .map(|column| find_column(names, column, "data.label"))
                .collect::<Result<Vec<_>, _>>()?,
            None => vec![names.len() - 1],
        };
        if let Some(i) =
            (1..label_columns.len()).find(|&i| label_columns[..i].contains(&label_columns[i]))
        {
            let name = &names[label_columns[i]];
            return Err(
                ConfigError::new("data.label", format!("names column \"{name}\" twice")).into(),
            );
        }
        let feature_columns: Vec<usize> = match &config.features {
            Some(features) => features
                .iter()
                .map(|name| find_column(names, &ColumnRef::Name(name.clone()), "data.features"))
                .collect::<Result<_, _>>()?,
            None => (0..names.len())
                .filter(|column| !label_columns.contains(column))
                .collect(),
        };
        if let Some(&both) = feature_columns
            .iter()
            .find(|column| label_columns.contains(column))
        {
            return Err(ConfigError::new(
                "data.features",
                format!(
                    "\"{}\" is also the label; a network that sees the answer learns nothing",
                    names[both]
                ),
            )
            .into());
        }
        if feature_columns.is_empty() {
            return Err(DataError::file(
                path,
                "has a single column; features and a label are needed, separated by commas, semicolons or tabs",
            ));
        }
        Ok(Self {
            features: feature_columns,
            labels: label_columns,
        })
    }
}

/// A first line is names when none of its fields is a number, or when one of
/// them is text above a number.
pub(super) fn looks_like_header(first: &[String], second: Option<&[String]>) -> bool {
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let none_is_number = !first
        .iter()
        .any(|field| is_number(field) || is_missing(field));
    let text_over_number = second.is_some_and(|second| {
        first
            .iter()
            .zip(second)
            .any(|(above, below)| !is_missing(above) && !is_number(above) && is_number(below))
    });
    none_is_number || text_over_number
}

/// What people write where there is no value.
pub(super) fn is_missing(field: &str) -> bool {
    const MARKS: [&str; 8] = ["", "?", "na", "n/a", "nan", "null", "none", "-"];
    MARKS.iter().any(|mark| field.eq_ignore_ascii_case(mark))
}

/// The place of a column that `key` names.
fn find_column(names: &[String], column: &ColumnRef, key: &str) -> Result<usize, ConfigError> {
    match column {
        ColumnRef::Index(index) => {
            let n = names.len() as i64;
            let place = if *index < 0 { index + n } else { *index };
            usize::try_from(place)
                .ok()
                .filter(|&place| place < names.len())
                .ok_or_else(|| {
                    ConfigError::new(
                        key,
                        format!(
                            "{index} is not a column; allowed: 0 to {}, or -1 to -{n} from the end",
                            n - 1
                        ),
                    )
                })
        }
        ColumnRef::Name(name) => {
            let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
            for (place, name) in names.iter().enumerate() {
                places.entry(name).or_default().push(place);
            }
            match places.get(name.as_str()).map(Vec::as_slice) {
                Some([place]) => Ok(*place),
                Some(_) => Err(ConfigError::new(
                    key,
                    format!("\"{name}\" is the name of several columns; rename them in the file"),
                )),
                None => Err(ConfigError::new(
                    key,
                    format!("\"{name}\" is not a column; allowed: {}", names.join(", ")),
                )),
            }
        }
    }
}
