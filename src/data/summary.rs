//! A data set at a glance: how many samples, what they measure, how they are
//! spread over the classes, and where they come from.

use std::fmt;
use std::path::Path;

use ndarray::ArrayView1;
use serde::Serialize;

use super::config::{DataConfig, Missing, TaskKind};
use super::dataset::{Dataset, ImageShape, MissingValue, Target};
use super::error::DataError;
use super::load::load;
use super::provenance::{Provenance, provenance};
use super::source::{SourceKind, source_kind};

/// Beyond so many features the text says how they lie together, not each alone.
const MAX_LISTED: usize = 40;

/// What there is to say of a data set before it is split and scaled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// A built-in name or a file's name.
    pub name: String,
    /// Where it comes from.
    pub kind: SourceKind,
    /// What it asks.
    pub task: TaskKind,
    /// The number of samples, without rows in which a value is missing.
    pub samples: usize,
    /// Each feature's numbers, in its own units.
    pub features: Vec<ColumnSummary>,
    /// All features together; of use for pixels.
    pub all_features: ColumnSummary,
    /// The classes; empty for regression.
    pub classes: Vec<ClassSummary>,
    /// The values to fit; empty for classification.
    pub outputs: Vec<ColumnSummary>,
    /// How many values are missing in the file.
    pub missing: usize,
    /// The first places where.
    pub missing_places: Vec<MissingValue>,
    /// The image that a sample is.
    pub image: Option<ImageShape>,
    /// How many of the samples, the last ones, its authors set aside for validation.
    pub fixed_validation: Option<usize>,
    /// Terms and citation of data that ship with the program.
    #[serde(flatten)]
    pub provenance: Option<Provenance>,
}

/// The spread of one column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnSummary {
    /// The column's name.
    pub name: String,
    /// The least value.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// The greatest value.
    pub max: f64,
    /// The standard deviation (divided by n).
    pub std: f64,
}

/// One class and its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassSummary {
    /// The class's name.
    pub name: String,
    /// How many samples it has.
    pub count: usize,
}

/// Loads the data that `config` describes and sums them up. Missing values are
/// counted here rather than refused.
///
/// # Errors
/// As [`load`].
pub fn summarise(config: &DataConfig, seed: u64, base: &Path) -> Result<Summary, DataError> {
    let kind = source_kind(&config.source)?;
    let mut config = config.clone();
    if kind == SourceKind::Csv {
        config.missing = Some(Missing::Drop);
    }
    Ok(Summary::of(&load(&config, seed, base)?, kind))
}

impl Summary {
    /// Sums up data that came from a source of this kind.
    pub fn of(data: &Dataset, kind: SourceKind) -> Self {
        let features = data
            .feature_names
            .iter()
            .zip(data.features.columns())
            .map(|(name, column)| ColumnSummary::of(name, column))
            .collect();
        let (task, classes, outputs) = match &data.target {
            Target::Classes { names, .. } => {
                let classes = names
                    .iter()
                    .zip(data.target.class_counts())
                    .map(|(name, count)| ClassSummary {
                        name: name.clone(),
                        count,
                    })
                    .collect();
                (TaskKind::Classification, classes, Vec::new())
            }
            Target::Values { values, names } => {
                let outputs = names
                    .iter()
                    .zip(values.columns())
                    .map(|(name, column)| ColumnSummary::of(name, column))
                    .collect();
                (TaskKind::Regression, Vec::new(), outputs)
            }
        };
        let is_shipped = matches!(kind, SourceKind::Embedded | SourceKind::Asset);
        Self {
            name: data.name.clone(),
            kind,
            task,
            samples: data.n_samples(),
            features,
            all_features: ColumnSummary::of_values("all", data.features.iter().copied()),
            classes,
            outputs,
            missing: data.n_missing,
            missing_places: data.missing.clone(),
            image: data.image,
            fixed_validation: data.fixed_validation,
            provenance: provenance(&data.name).filter(|_| is_shipped),
        }
    }
}

impl ColumnSummary {
    fn of(name: &str, column: ArrayView1<f32>) -> Self {
        Self::of_values(name, column.iter().copied())
    }

    fn of_values(name: &str, values: impl Iterator<Item = f32> + Clone) -> Self {
        let values = values.map(f64::from);
        let n = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / n;
        let variance = values
            .clone()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>()
            / n;
        let (min, max) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), v| {
            (min.min(v), max.max(v))
        });
        Self {
            name: name.to_owned(),
            min,
            mean,
            max,
            std: variance.sqrt(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = match self.task {
            TaskKind::Classification => "classification",
            TaskKind::Regression => "regression",
        };
        writeln!(
            f,
            "{}: {} samples, {} features, {task}",
            self.name,
            self.samples,
            self.features.len()
        )?;
        if let Some(ImageShape {
            height,
            width,
            channels,
        }) = self.image
        {
            writeln!(
                f,
                "images {width} wide, {height} high, {channels} channel(s)"
            )?;
        }
        if let Some(n) = self.fixed_validation {
            writeln!(
                f,
                "the last {n} are for validation unless a share is asked for"
            )?;
        }
        if self.missing > 0 {
            writeln!(
                f,
                "{} missing values; rows with one are not counted here",
                self.missing
            )?;
            for place in self.missing_places.iter().take(5) {
                writeln!(f, "  line {}, column {}", place.line, place.column)?;
            }
        }
        let listed = if self.image.is_none() && self.features.len() <= MAX_LISTED {
            &self.features[..]
        } else {
            std::slice::from_ref(&self.all_features)
        };
        write_columns(f, "feature", listed)?;
        if !self.outputs.is_empty() {
            write_columns(f, "output", &self.outputs)?;
        }
        if !self.classes.is_empty() {
            let width = column_width(
                "class",
                self.classes.iter().map(|class| class.name.as_str()),
            );
            writeln!(f, "\n{:width$}  {:>7}  {:>6}", "class", "count", "share")?;
            for class in &self.classes {
                let share = 100.0 * class.count as f64 / self.samples as f64;
                writeln!(
                    f,
                    "{:width$}  {:>7}  {share:>5.1}%",
                    class.name, class.count
                )?;
            }
        }
        if let Some(Provenance { licence, citation }) = self.provenance {
            writeln!(f, "\nlicence: {licence}\ncite: {citation}")?;
        }
        Ok(())
    }
}

fn write_columns(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    columns: &[ColumnSummary],
) -> fmt::Result {
    let width = column_width(title, columns.iter().map(|column| column.name.as_str()));
    writeln!(
        f,
        "\n{title:width$}  {:>11}  {:>11}  {:>11}  {:>11}",
        "min", "mean", "max", "std"
    )?;
    for ColumnSummary {
        name,
        min,
        mean,
        max,
        std,
    } in columns
    {
        let [min, mean, max, std] = [min, mean, max, std].map(|&value| number(value));
        writeln!(
            f,
            "{name:width$}  {min:>11}  {mean:>11}  {max:>11}  {std:>11}"
        )?;
    }
    Ok(())
}

fn column_width<'a>(title: &str, names: impl Iterator<Item = &'a str>) -> usize {
    names
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
        .max(title.len())
}

/// Five significant digits or so, without an exponent while that is readable.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if !(1e-3..1e6).contains(&size) => format!("{value:.4e}"),
        size => {
            let decimals = (4 - size.log10().floor() as i32).max(0) as usize;
            format!("{value:.decimals$}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(source: &str) -> Summary {
        summarise(&DataConfig::of(source), 0, Path::new(".")).expect("built in")
    }

    #[test]
    fn iris_is_summed_up_with_its_published_statistics() {
        let iris = summary("iris");
        let sepal = &iris.features[0];
        assert!((sepal.mean - 5.843_333).abs() < 1e-5 && (sepal.min - 4.3).abs() < 1e-6);
        assert!((sepal.std - 0.825_301).abs() < 1e-5, "{}", sepal.std);
        let text = iris.to_string();
        for part in [
            "150 samples",
            "sepal length",
            "5.8433",
            "virginica",
            "33.3%",
            "CC BY 4.0",
            "Fisher",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn pixels_are_summed_up_together() {
        let text = summary("digits").to_string();
        assert!(
            text.contains("8 wide, 8 high") && text.contains("16.000") && !text.contains("r0c0"),
            "{text}"
        );
    }

    #[test]
    fn missing_values_are_counted_and_placed() {
        let dir = tempfile::tempdir().expect("temporary folder");
        std::fs::write(dir.path().join("t.csv"), "a,y\n1,0\n?,1\n3,1\n").expect("writable");
        let summary = summarise(&DataConfig::of("t.csv"), 0, dir.path()).expect("valid");
        assert_eq!((summary.samples, summary.missing), (2, 1));
        assert!(summary.to_string().contains("line 3, column a"));
    }

    #[test]
    fn a_summary_is_written_as_json() {
        let json = serde_json::to_value(summary("wine")).expect("serialisable");
        assert_eq!(json["samples"], 178);
        assert_eq!(json["classes"][1]["count"], 71);
        assert_eq!(json["licence"], "CC BY 4.0");
        assert_eq!(json["kind"], "embedded");
    }

    #[test]
    fn numbers_keep_five_digits() {
        assert_eq!(
            [5.84333, 0.0123456, 12345.6, 0.0, -2e7].map(number),
            ["5.8433", "0.012346", "12346", "0", "-2.0000e7"]
        );
    }
}
