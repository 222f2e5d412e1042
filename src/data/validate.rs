//! What is allowed in the `[data]` table, as far as that can be said without
//! opening a file.

use super::config::{ColumnRef, ConfigError, DataConfig, Label, MAX_SAMPLES, TaskKind};
use super::source::{SourceKind, source_kind};

impl DataConfig {
    /// Checks everything that can be checked without opening a file.
    ///
    /// # Errors
    /// The first key whose value is not allowed, or does not apply to the source.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let kind = source_kind(&self.source)?;
        self.check_applicable(kind)?;
        if let Some(samples) = self.samples {
            in_range("data.samples", samples, 2, MAX_SAMPLES)?;
        }
        if let Some(limit) = self.limit {
            in_range("data.limit", limit, 2, usize::MAX)?;
        }
        if let Some(noise) = self.noise
            && !(0.0..=1.0).contains(&noise)
        {
            return Err(ConfigError::new(
                "data.noise",
                format!("{noise} is not allowed; give a number from 0 to 1"),
            ));
        }
        if let Some(validation) = self.validation
            && !(0.0..1.0).contains(&validation)
        {
            return Err(ConfigError::new(
                "data.validation",
                format!("{validation} is not allowed; give a share from 0 to below 1, such as 0.2"),
            ));
        }
        if let Some(features) = &self.features {
            self.check_features(kind, features)?;
        }
        self.check_label(kind)
    }

    /// Every option belongs to some kinds of source alone.
    fn check_applicable(&self, kind: SourceKind) -> Result<(), ConfigError> {
        use SourceKind::{Asset, Csv, Embedded, Generated, Idx, Npz};
        let table: [(&str, bool, &[SourceKind]); 11] = [
            ("samples", self.samples.is_some(), &[Generated]),
            ("noise", self.noise.is_some(), &[Generated]),
            (
                "features",
                self.features.is_some(),
                &[Generated, Embedded, Csv],
            ),
            (
                "limit",
                self.limit.is_some(),
                &[Embedded, Asset, Csv, Npz, Idx],
            ),
            ("header", self.header.is_some(), &[Csv]),
            ("label", self.label.is_some(), &[Csv, Npz]),
            ("missing", self.missing.is_some(), &[Csv]),
            ("table", self.table.is_some(), &[Csv]),
            ("inputs", self.inputs.is_some(), &[Npz]),
            ("labels", self.labels.is_some(), &[Idx]),
            ("task", self.task.is_some(), &[Csv, Npz, Idx]),
        ];
        for (key, is_set, kinds) in table {
            if is_set && !kinds.contains(&kind) {
                let mut nouns: Vec<&str> = kinds.iter().map(|kind| kind.noun()).collect();
                nouns.dedup();
                return Err(ConfigError::new(
                    format!("data.{key}"),
                    format!(
                        "does not apply to \"{}\", which is {}; it is for {}. Remove it{}",
                        self.source,
                        kind.noun(),
                        nouns.join(", "),
                        hint(key, kind),
                    ),
                ));
            }
        }
        Ok(())
    }

    fn check_features(&self, kind: SourceKind, features: &[String]) -> Result<(), ConfigError> {
        let error = |message: String| Err(ConfigError::new("data.features", message));
        if features.is_empty() {
            return error(
                "the list is empty; name at least one feature, or remove the key".to_owned(),
            );
        }
        if self.source == "digits" {
            return error("does not apply to \"digits\", whose features are the pixels of an image; remove it".to_owned());
        }
        let seen_twice = |same: &dyn Fn(usize, usize) -> bool| {
            (1..features.len()).find(|&i| (0..i).any(|j| same(i, j)))
        };
        let parsed = match kind {
            SourceKind::Generated => self.input_features()?.unwrap_or_default(),
            _ => Vec::new(),
        };
        let twice = if parsed.is_empty() {
            seen_twice(&|i, j| features[i] == features[j])
        } else {
            seen_twice(&|i, j| parsed[i] == parsed[j])
        };
        match twice {
            Some(index) => error(format!(
                "\"{}\" is named twice; name each feature once",
                features[index]
            )),
            None => Ok(()),
        }
    }

    fn check_label(&self, kind: SourceKind) -> Result<(), ConfigError> {
        let Some(label) = &self.label else {
            return Ok(());
        };
        let columns = label.columns();
        let error = |message: String| Err(ConfigError::new("data.label", message));
        if columns.is_empty() {
            return error(
                "the list is empty; name at least one column, or remove the key".to_owned(),
            );
        }
        if kind == SourceKind::Npz && !matches!(label, Label::One(ColumnRef::Name(_))) {
            return error("in an NPZ file it is the name of one array, such as \"y\"".to_owned());
        }
        if columns.len() > 1 && self.task == Some(TaskKind::Classification) {
            return error(
                "several columns can only be fitted; classification takes one".to_owned(),
            );
        }
        match (1..columns.len()).find(|&i| columns[..i].contains(&columns[i])) {
            Some(index) => error(format!("{} is named twice", columns[index])),
            None => Ok(()),
        }
    }
}

/// What was probably meant by a key in the wrong place.
fn hint(key: &str, kind: SourceKind) -> &'static str {
    match (key, kind) {
        ("samples", SourceKind::Generated) => "",
        ("samples", _) => ", or use data.limit",
        ("labels", SourceKind::Csv | SourceKind::Npz) => ", or did you mean data.label?",
        ("label", SourceKind::Idx) => ", or did you mean data.labels?",
        _ => "",
    }
}

fn in_range(key: &str, value: usize, least: usize, most: usize) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let allowed = match most {
        usize::MAX => format!("at least {least}"),
        _ => format!("from {least} to {most}"),
    };
    Err(ConfigError::new(
        key,
        format!("{value} is not allowed; give a whole number {allowed}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(toml: &str) -> ConfigError {
        let config: DataConfig = toml::from_str(toml).expect("valid TOML");
        config.validate().expect_err("must be refused")
    }

    #[test]
    fn an_option_that_does_not_apply_is_an_error_that_names_it() {
        let error = error_of("source = \"iris\"\nnoise = 0.1");
        assert_eq!(error.key, "data.noise");
        assert!(error.message.contains("iris"), "{error}");
        assert_eq!(
            error_of("source = \"xor\"\nheader = true").key,
            "data.header"
        );
        assert_eq!(
            error_of("source = \"digits\"\nfeatures = [\"r0c0\"]").key,
            "data.features"
        );
        assert_eq!(
            error_of("source = \"t.csv\"\nsamples = 10").key,
            "data.samples"
        );
    }

    #[test]
    fn a_bad_value_is_an_error_that_says_what_is_allowed() {
        let cases = [
            ("source = \"spiraal\"", "data.source", "spiral"),
            ("noise = 1.5", "data.noise", "from 0 to 1"),
            ("noise = nan", "data.noise", "from 0 to 1"),
            ("validation = 1.0", "data.validation", "below 1"),
            ("samples = 1", "data.samples", "from 2"),
            ("features = [\"x9\"]", "data.features", "sin(x1)"),
            ("features = []", "data.features", "at least one"),
            ("features = [\"x1x2\", \"x1*x2\"]", "data.features", "twice"),
            (
                "source = \"sine\"\nfeatures = [\"x1\"]",
                "data.features",
                "sin(x)",
            ),
        ];
        for (toml, key, allowed) in cases {
            let error = error_of(toml);
            assert_eq!(error.key, key, "{toml}");
            assert!(error.message.contains(allowed), "{error}");
        }
    }
}
