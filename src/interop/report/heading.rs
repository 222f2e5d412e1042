//! What a run is, in the page's heading: data, network, training, result, and how to make
//! it again.

use crate::data::{provenance, source_info};
use crate::insight::run_record::{Origin, Outcome, RunRecord};
use crate::nn::LayerKind;
use crate::train::Encoding;
use serde::Serialize;

/// What a run is.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Heading<'a> {
    name: &'a str,
    origin: Origin,
    outcome: Outcome,
    made: Option<&'a str>,
    seconds: Option<f64>,
    version: &'a str,
    data: &'a str,
    /// Rows and columns, where samples are images.
    image: Option<[usize; 2]>,
    features: usize,
    /// `classes`, or `values` for a regression.
    task: &'static str,
    outputs: usize,
    samples: [usize; 2],
    /// Units a column where all layers are fully connected; else kinds and sizes.
    network: Vec<String>,
    parameters: usize,
    loss: &'static str,
    optimizer: String,
    learning_rate: f64,
    batch: usize,
    epochs: usize,
    /// In words: scripts have numbers of 53 bits.
    seed: String,
    /// The seed of weights and batches, if it is another than that of the data.
    reseeded: Option<String>,
    updates_measured: bool,
    comments: &'a [String],
    tags: &'a [String],
    environment: &'a [(String, String)],
    /// Licence and citation; none for generated data and the user's own.
    provenance: Option<[&'static str; 2]>,
    /// `generated`, `real`, or `own`.
    source: &'static str,
    experiment: String,
    /// The name of the experiment's file in commands.
    file: String,
}

impl<'a> Heading<'a> {
    /// That of a record.
    ///
    /// # Errors
    /// When the experiment cannot be written down.
    pub fn of(record: &'a RunRecord) -> Result<Self, toml::ser::Error> {
        let problem = &record.problem;
        let experiment = &problem.experiment;
        let training = &experiment.training;
        let known = source_info(&experiment.data.source);
        let provenance = provenance(&experiment.data.source);
        Ok(Heading {
            name: &record.name,
            origin: record.origin,
            outcome: record.outcome,
            made: record.made.as_deref(),
            seconds: record.seconds,
            version: &record.version,
            data: &experiment.data.source,
            image: problem.data.image.map(|image| [image.height, image.width]),
            features: problem.network.inputs(),
            task: match problem.encoding {
                Encoding::Values => "values",
                _ => "classes",
            },
            outputs: problem.data.task.names().len(),
            samples: [problem.train.len(), problem.validation.len()],
            network: network(record),
            parameters: problem.network.layout().trainable(),
            loss: problem.network.loss_kind().name(),
            optimizer: name_of(&training.optimizer.name),
            learning_rate: training.optimizer.learning_rate,
            batch: training.batch.size(problem.train.len()),
            epochs: training.epochs,
            seed: experiment.seed.to_string(),
            reseeded: Some(record.seed)
                .filter(|&seed| seed != experiment.seed)
                .map(|seed| seed.to_string()),
            updates_measured: record.updates_measured,
            comments: &record.comments,
            tags: &record.tags,
            environment: &record.environment,
            provenance: provenance.map(|p| [p.licence, p.citation]),
            source: match (known, provenance) {
                (_, Some(_)) => "real",
                (Some(_), None) => "generated",
                (None, None) => "own",
            },
            experiment: experiment.to_toml()?,
            file: format!("{}.toml", file_name(&record.name)),
        })
    }
}

/// The name that an optimiser has in experiments.
fn name_of(name: &crate::experiment::OptimizerName) -> String {
    let name = serde_json::to_value(name).ok();
    let name = name.as_ref().and_then(|name| name.as_str());
    name.unwrap_or_default().to_owned()
}

/// The network in a few words.
fn network(record: &RunRecord) -> Vec<String> {
    let network = &record.problem.network;
    let mut parts = vec![network.input_shape().to_string()];
    for layer in network.layers() {
        match layer.kind() {
            LayerKind::Dense { units } => parts.push(units.to_string()),
            LayerKind::Flatten | LayerKind::Dropout { .. } => {}
            kind => parts.push(format!("{} {}", kind.name(), layer.output_shape())),
        }
    }
    parts
}

/// A name that is a file's on any system: letters, digits and dashes.
fn file_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let name: String = name.chars().map(plain).collect();
    let words: Vec<&str> = name.split('-').filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(40).collect();
    match name.as_str() {
        "" => "experiment".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_plain_whatever_the_run_is_called() {
        assert_eq!(file_name("Spiral, 2nd try"), "spiral-2nd-try");
        assert_eq!(
            file_name("</script><img onerror=x>"),
            "script-img-onerror-x"
        );
        assert_eq!(file_name("螺旋"), "experiment");
        assert_eq!(file_name("../../etc"), "etc");
    }
}
