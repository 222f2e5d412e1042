//! A model of another program that is shown and not run.

use super::{NodeKind, Outline, Part, Spread};
use crate::experiment::Experiment;
use crate::interop::{ForeignModel, experiment_of, open_model, translate};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A model as its file has it, and why it is not a network of ours.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// Its file.
    pub path: PathBuf,
    /// The model, with its weights.
    pub model: ForeignModel,
    /// Its nodes, edges and blocks.
    pub outline: Arc<Outline>,
    /// Why it is not trained and not run.
    pub why: String,
    /// All its parameters; what nodes share counts once.
    pub parameters: usize,
    /// Nodes that the engine has not.
    pub opaque: usize,
}

impl Foreign {
    /// The name of its file.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// How the weights of a part are distributed.
    pub fn spread(&self, part: Part) -> Option<Spread> {
        let first = self.model.inputs.len();
        let nodes = self.outline.nodes_of(part);
        let weights = nodes.iter().filter_map(|node| {
            let at = node.checked_sub(first)?;
            self.model.nodes.get(at)
        });
        let tensors = weights.flat_map(|node| &node.weights);
        Spread::of(tensors.filter_map(|weight| weight.tensor.floats()))
    }
}

/// What a model's file turned out to be.
#[derive(Debug, Clone)]
pub enum Found {
    /// A network of ours with data that fit.
    Experiment(Box<Experiment>),
    /// A graph to be shown.
    Foreign(Arc<Foreign>),
}

/// Reads a model. `step` is told of each step before it is made, 0 for reading, 1 for finding
/// out what the engine has of it, 2 for its outline, and says whether to go on; `None` where
/// the work was given up.
///
/// # Errors
/// When the file cannot be read or is damaged.
pub fn read_model(path: &Path, step: impl Fn(usize) -> bool) -> Option<Result<Found, String>> {
    if !step(0) {
        return None;
    }
    let model = match open_model(path) {
        Ok(model) => model,
        Err(error) => return Some(Err(error.to_string())),
    };
    if !step(1) {
        return None;
    }
    let mut translation = translate(&model);
    let name = path
        .file_stem()
        .unwrap_or(path.as_os_str())
        .to_string_lossy();
    let experiment = match &translation.result {
        Ok(network) => experiment_of(network, &name, None),
        Err(why) => Err(why.clone()),
    };
    let why = match experiment {
        Ok(experiment) => return Some(Ok(Found::Experiment(Box::new(experiment)))),
        Err(why) => why,
    };
    // The weights are kept once.
    translation.result = Err(why.clone());
    if !step(2) {
        return None;
    }
    let outline = Arc::new(Outline::of_model(&model, &translation));
    let opaque = outline.nodes().iter();
    let opaque = opaque.filter(|node| matches!(node.kind, NodeKind::Opaque(_)));
    Some(Ok(Found::Foreign(Arc::new(Foreign {
        path: path.to_owned(),
        parameters: model.parameters(),
        opaque: opaque.count(),
        outline,
        why,
        model,
    }))))
}
