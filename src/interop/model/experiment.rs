//! A foreign model as an experiment of ours: its layers, its weights as the initial ones,
//! and the data that it is shown with.

use super::open_model;
use super::translate::{Translated, translate};
use crate::data::{DataConfig, source::sources};
use crate::experiment::{
    Experiment, Extent, LayerConfig, LossConfig, Names, OptimizerConfig, OptimizerName, PlainKind,
};
use crate::nn::layer::Pool;
use crate::nn::{Activation, LayerKind, LayerSpec, Source};
use std::collections::HashSet;
use std::path::Path;

/// Adam's own default (Kingma and Ba 2015, algorithm 1): what is trained already is not to
/// be thrown off.
const LEARNING_RATE: f64 = 1e-3;

/// Classes of the real data sets that are there by name.
const CLASSES: [(&str, usize); 6] = [
    ("iris", 3),
    ("wine", 3),
    ("breast-cancer", 2),
    ("digits", 10),
    ("mnist", 10),
    ("fashion-mnist", 10),
];

/// The experiment that the model in a file becomes, on `data` or on the first built-in data
/// set with as many inputs and classes.
///
/// # Errors
/// When the file cannot be read, or not all of the model is layers of ours.
pub fn experiment_of_file(path: &Path, data: Option<&str>) -> Result<Experiment, String> {
    let fault = |why: &dyn std::fmt::Display| {
        format!(
            "{}: this model is not run here: {why}. `gradscape inspect` shows all of it",
            path.display()
        )
    };
    let model = open_model(path).map_err(|error| error.to_string())?;
    let model = translate(&model).result.map_err(|why| fault(&why))?;
    let name = path.file_stem().unwrap_or(path.as_os_str());
    experiment_of(&model, &name.to_string_lossy(), data).map_err(|why| fault(&why))
}

/// The experiment of a network that was translated, called `name`, on `data` or on the first
/// built-in data set with as many inputs and classes.
///
/// # Errors
/// When its last layer is not dense, there is no such data set, or the result makes no
/// sense as an experiment.
pub fn experiment_of(
    model: &Translated,
    name: &str,
    data: Option<&str>,
) -> Result<Experiment, String> {
    let Some((output, hidden)) = model.layers.split_last() else {
        return Err("it has no layers".to_owned());
    };
    if !matches!(output.kind, LayerKind::Dense { .. }) {
        return Err(format!(
            "its last layer is {}; an experiment's is dense, with an output for each class",
            output.kind.name()
        ));
    }
    let last = hidden
        .len()
        .checked_sub(1)
        .map_or(Source::Input, Source::Layer);
    if !matches!(output.sources[..], [source] if source == last) {
        return Err("its last layer does not read the one before it".to_owned());
    }
    let inputs = model.network.inputs();
    let outputs = model.network.outputs();
    let source = match data {
        Some(source) => source.to_owned(),
        None => guess(inputs, outputs).ok_or_else(|| {
            format!(
                "no built-in data have {inputs} inputs and {outputs} outputs; --data names others"
            )
        })?,
    };
    let names = names(hidden);
    let layers = hidden
        .iter()
        .enumerate()
        .map(|(k, spec)| config(k, spec, &names))
        .collect();
    let shape = model.network.input_shape();
    // What the file does not say is as in an experiment that does not either.
    let bare = "data = { source = \"iris\" }\nnetwork = { loss = \"cross-entropy\" }";
    let mut experiment = Experiment::parse(bare, name).map_err(|error| error.to_string())?;
    experiment.name = Some(name.to_owned());
    experiment.data = DataConfig::of(&source);
    experiment.network.input = Some([shape.channels, shape.height, shape.width]);
    experiment.network.layers = layers;
    experiment.network.loss = match output.activation {
        Activation::Softmax | Activation::Sigmoid => LossConfig::CrossEntropy,
        _ => LossConfig::HalfSquaredError,
    };
    experiment.network.output = Some(output.activation);
    experiment.network.weights = Some(model.params.clone());
    experiment.training.optimizer = OptimizerConfig::new(OptimizerName::Adam, LEARNING_RATE);
    experiment.validate().map_err(|error| error.to_string())?;
    Ok(experiment)
}

/// The first real data set with so many inputs, and a class for each output (or two classes
/// for one).
fn guess(inputs: usize, outputs: usize) -> Option<String> {
    let fits = |name: &str| {
        CLASSES.iter().any(|&(known, classes)| {
            known == name && (classes == outputs || (classes, outputs) == (2, 1))
        })
    };
    let found = sources()
        .iter()
        .find(|info| info.inputs == inputs && fits(info.name));
    found.map(|info| info.name.to_owned())
}

/// A name for each layer, each once, and none that stands for the input.
fn names(layers: &[LayerSpec]) -> Vec<String> {
    let mut taken = HashSet::from(["input".to_owned()]);
    let own = layers.iter().enumerate().map(|(k, spec)| {
        let name = spec.name.clone().filter(|name| !name.is_empty());
        let mut name = name.unwrap_or_else(|| format!("{}_{}", spec.kind.name(), k + 1));
        while !taken.insert(name.clone()) {
            name = format!("{name}_{}", k + 1);
        }
        name
    });
    own.collect()
}

/// A layer as an experiment file describes it.
fn config(k: usize, spec: &LayerSpec, names: &[String]) -> LayerConfig {
    let before = k.checked_sub(1).map_or(Source::Input, Source::Layer);
    let called = |source: &Source| match source {
        Source::Input => "input".to_owned(),
        Source::Layer(at) => names[*at].clone(),
    };
    let mut config = LayerConfig {
        activation: Some(spec.activation),
        name: Some(names[k].clone()),
        from: spec
            .sources
            .first()
            .filter(|&&source| source != before)
            .map(called),
        ..LayerConfig::default()
    };
    let pool = |config: &mut LayerConfig, pool: &Pool| {
        config.stride = Some(Extent::Each(pool.stride));
        config.padding = Some(Extent::Each(pool.padding));
    };
    match &spec.kind {
        LayerKind::Dense { units } => config.dense = Some(*units),
        LayerKind::Conv(conv) => {
            config.conv = Some(conv.filters);
            config.kernel = Some(Extent::Each(conv.kernel));
            config.stride = Some(Extent::Each(conv.stride));
            config.padding = Some(Extent::Each(conv.padding));
            config.dilation = Some(Extent::Each(conv.dilation));
            config.groups = Some(conv.groups);
            config.bias = Some(conv.bias);
        }
        LayerKind::MaxPool(window) => {
            config.max_pool = Some(Extent::Each(window.size));
            pool(&mut config, window);
        }
        LayerKind::AvgPool(window) => {
            config.avg_pool = Some(Extent::Each(window.size));
            pool(&mut config, window);
            config.count_padding = Some(window.count_padding);
        }
        LayerKind::Dropout { rate } => config.dropout = Some(*rate),
        LayerKind::Add => {
            let others = spec.sources.iter().skip(1).map(called);
            config.add = Some(Names::Many(others.collect()));
        }
        LayerKind::GlobalAvgPool => config.kind = Some(PlainKind::GlobalAvgPool),
        LayerKind::Flatten => config.kind = Some(PlainKind::Flatten),
        LayerKind::BatchNorm(norm) => {
            config.kind = Some(PlainKind::BatchNorm);
            config.momentum = Some(norm.momentum);
            config.epsilon = Some(norm.epsilon);
        }
        LayerKind::LayerNorm(norm) => {
            config.kind = Some(PlainKind::LayerNorm);
            config.epsilon = Some(norm.epsilon);
        }
        LayerKind::PRelu { slope } => {
            config.kind = Some(PlainKind::Prelu);
            config.slope = Some(*slope);
        }
    }
    config
}
