//! How numbers are spread: at one moment as histograms, over time as ridge lines and bands.

use super::course::record;
use super::{FigureArgs, Kind, Steps, Trained, first, layers, part};
use crate::cli::{CliError, Out};
use crate::figure::{DistributionsFigure, HistogramsFigure, LayerSpreads, Svg};
use crate::insight::distributions::Quantity;
use crate::insight::histogram::Histogram;
use crate::insight::recording::Wanted;
use crate::insight::tiles::{self, name_of};
use crate::train::full_gradient;

/// Bins of ridge lines, at most, unless the user says otherwise.
const RIDGE_BINS: u16 = 64;

/// `figure histogram`.
pub(super) fn histogram(args: &FigureArgs, trained: &Trained) -> Result<Svg, CliError> {
    let source = &trained.source;
    let problem = &source.problem;
    let network = &problem.network;
    let layers = layers(args, network.layers().len())?;
    let quantity = args.of.unwrap_or(Quantity::Weights);
    let only_activations = |given: bool, option: &str| match given {
        true => Err(CliError::Usage(format!(
            "{option} goes with --of activations; weights, biases, gradients and updates are of \
             the training part as a whole"
        ))),
        false => Ok(()),
    };
    if quantity != Quantity::Activations {
        only_activations(args.part.is_some(), "--part")?;
        only_activations(args.samples.is_some(), "--samples")?;
    }
    let gradient;
    let of_layer: Vec<(String, Vec<f32>)> = match quantity {
        Quantity::Weights => tiles::tensors(network, &source.params, layers, false),
        Quantity::Biases => tiles::tensors(network, &source.params, layers, true),
        Quantity::Gradients => {
            let x = problem.train.x.view();
            gradient = full_gradient(network, &source.params, x, problem.train.y.view()).1;
            tiles::tensors(network, &gradient, layers, false)
        }
        Quantity::Updates if trained.update.is_empty() => {
            return Err(CliError::Usage(
                "--of updates: no step has been made; add --epochs N".to_owned(),
            ));
        }
        Quantity::Updates => tiles::tensors(network, &trained.update, layers, false),
        Quantity::Activations => {
            let batch = first(part(args, source)?, args.samples.unwrap_or(40));
            tiles::activations(network, &source.params, &batch, layers)
                .into_iter()
                .map(|tile| (tile.title, tile.values))
                .collect()
        }
    };
    let bins = usize::from(args.bins.unwrap_or(40));
    let rows = of_layer.into_iter().map(|(name, values)| {
        let histogram = Histogram::of(&values, bins, None);
        (name, histogram)
    });
    let figure = HistogramsFigure {
        title: problem.experiment.title().to_owned(),
        subtitle: format!("Histograms of each layer's {}", plural(quantity)),
        rows: rows.collect(),
        quantity: quantity.singular().to_owned(),
        log: args.log,
        tone: args.theme.into(),
    };
    Ok(figure.draw()?)
}

fn plural(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Weights => "weights",
        Quantity::Biases => "biases",
        Quantity::Gradients => "gradients",
        Quantity::Updates => "updates",
        Quantity::Activations => "activations",
    }
}

/// `figure ridge` and `figure bands`.
pub(super) fn over_time(args: &FigureArgs, out: &mut Out) -> Result<Svg, CliError> {
    if args.bins == Some(1) {
        // Bins begin at multiples of their width: one alone never reaches over 0.
        let message = "--bins 1: ridge lines need 2 bins at least";
        return Err(CliError::Usage(message.to_owned()));
    }
    let wanted = Wanted {
        distributions: true,
        ..Wanted::default()
    };
    let recording = record(args, out, wanted)?;
    let network = &recording.problem().network;
    let layers = layers(args, network.layers().len())?;
    let quantity = args.of.unwrap_or(Quantity::Weights);
    let Steps { from, to } = args.steps.unwrap_or(Steps {
        from: 0,
        to: u64::MAX,
    });
    let moments = recording
        .distributions()
        .map_or_else(Vec::new, |log| log.between(from, to));
    if args.steps.is_some() && moments.len() < 2 {
        let last = recording.history().last().map_or(0, |row| row.step);
        return Err(CliError::Usage(format!(
            "--steps: no moment but the first lies there; the run has {last} steps"
        )));
    }
    let spreads: Vec<LayerSpreads<'_>> = layers
        .map(|layer| LayerSpreads {
            name: name_of(network, layer),
            moments: moments
                .iter()
                .filter_map(|moment| Some((moment.step, moment.spread(quantity, layer)?)))
                .collect(),
        })
        .filter(|layer| !layer.moments.is_empty())
        .collect();
    let over = match (quantity, moments.first()) {
        (Quantity::Gradients, Some(moment)) => format!(" of {} samples' mean loss", moment.samples),
        (Quantity::Activations, Some(moment)) => format!(" over {} samples", moment.seen),
        (Quantity::Updates, _) => " by the last step".to_owned(),
        _ => String::new(),
    };
    let figure = DistributionsFigure {
        layers: &spreads,
        quantity: quantity.singular(),
        title: recording.problem().experiment.title().to_owned(),
        subtitle: format!("Each layer's {}{over}, from step to step", plural(quantity)),
        tone: args.theme.into(),
    };
    Ok(match args.kind {
        Kind::Bands => figure.bands(args.log)?,
        _ => figure.ridges(usize::from(args.bins.unwrap_or(RIDGE_BINS)), args.log)?,
    })
}
