//! The kinds of figures, and which options go with which.

use super::FigureArgs;
use crate::cli::CliError;
use clap::ValueEnum;

/// A kind of figure.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Layers, shapes and costs, as a diagram
    Structure,
    /// Weight matrices as images, a row for each unit
    Weights,
    /// Each unit's or filter's weights as a picture, in the shape of its input
    Filters,
    /// Activations of a batch, a row for each sample
    Activations,
    /// Feature maps of one sample
    Features,
    /// Histograms, a layer each
    Histogram,
    /// Histograms over time, one behind the other
    Ridge,
    /// Percentiles over time
    Bands,
    /// Loss, accuracy, learning rate and gradient norm of a run
    Curves,
    /// Gradients, updates, dead and saturated units of every layer over time
    Flow,
    /// What is answered over the plane of two inputs
    Field,
    /// What every neuron answers over the plane of two inputs
    Neurons,
    /// How alike layers represent the samples: linear CKA
    Similarity,
    /// Which class is taken for which, with the scores of each
    Confusion,
    /// Hits over false alarms of each class
    Roc,
    /// A regression's answers and what they miss by
    Residuals,
    /// Why one sample is answered as it is: the methods of attribution side by side
    Saliency,
    /// The strongest ways through the network to the answer for one sample
    Contributions,
    /// The input that a unit, a channel or a class answers to most
    Maximised,
}

impl Kind {
    /// As on the command line.
    pub(super) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Refuses options that say nothing of this kind of figure.
///
/// # Errors
/// For the first such option, with the kinds that it goes with.
pub(super) fn check(args: &FigureArgs) -> Result<(), CliError> {
    use Kind::{
        Activations, Bands, Confusion, Contributions, Curves, Features, Filters, Histogram,
        Maximised, Residuals, Ridge, Roc, Saliency, Similarity, Weights,
    };
    let options: [(&str, bool, &[Kind]); 16] = [
        (
            "--layer",
            args.layer.is_some(),
            &[
                Weights,
                Filters,
                Activations,
                Features,
                Histogram,
                Ridge,
                Bands,
            ],
        ),
        (
            "--colors",
            args.colors.is_some(),
            &[Weights, Filters, Activations, Features],
        ),
        (
            "--own-scale",
            args.own_scale,
            &[Weights, Filters, Activations, Features],
        ),
        ("--of", args.of.is_some(), &[Histogram, Ridge, Bands]),
        ("--bins", args.bins.is_some(), &[Histogram, Ridge]),
        ("--log", args.log, &[Histogram, Ridge, Bands, Curves]),
        (
            "--part",
            args.part.is_some(),
            &[
                Activations,
                Features,
                Histogram,
                Confusion,
                Roc,
                Residuals,
                Similarity,
                Saliency,
                Contributions,
            ],
        ),
        (
            "--sample",
            args.sample.is_some(),
            &[Features, Saliency, Contributions],
        ),
        (
            "--samples",
            args.samples.is_some(),
            &[Activations, Histogram, Similarity],
        ),
        (
            "--with",
            args.with.is_some(),
            &[Weights, Filters, Activations, Features, Similarity],
        ),
        ("--smooth", args.smooth.is_some(), &[Curves]),
        ("--over", args.over.is_some(), &[Curves]),
        ("--steps", args.steps.is_some(), &[Ridge, Bands]),
        (
            "--target",
            args.target.is_some(),
            &[Saliency, Contributions],
        ),
        ("--method", !args.method.is_empty(), &[Saliency]),
        ("--unit", args.unit.is_some(), &[Maximised]),
    ];
    for (option, given, kinds) in options {
        if given && !kinds.contains(&args.kind) {
            let kinds: Vec<String> = kinds.iter().map(|kind| kind.name()).collect();
            return Err(CliError::Usage(format!(
                "{option} does not go with `figure {}`; it goes with {}",
                args.kind.name(),
                kinds.join(", ")
            )));
        }
    }
    if args.kind == Maximised && args.unit.is_none() {
        return Err(CliError::Usage(
            "`figure maximised` needs --unit: a class, `classes`, LAYER:UNIT, or LAYER:cN"
                .to_owned(),
        ));
    }
    Ok(())
}
