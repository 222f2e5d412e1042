//! Matrices as images: weights, filters, activations, feature maps; of one network or of
//! two beside each other.

use super::{FigureArgs, Kind, first, layers, likeness, one, part};
use crate::cli::CliError;
use crate::cli::source::Source;
use crate::figure::{HeatColumn, HeatFigure, Svg};
use crate::insight::tiles::{self, Tile};
use crate::train::Samples;

/// The picture of `source`, and of `--with` beside it.
pub(super) fn draw(args: &FigureArgs, source: &Source) -> Result<Svg, CliError> {
    let network = &source.problem.network;
    let said = match args.kind {
        Kind::Filters => "Each unit's weights in the shape of its input".to_owned(),
        Kind::Activations => {
            "Activations, a row for each sample, a column for each unit".to_owned()
        }
        Kind::Features => format!("Feature maps of sample {}", args.sample.unwrap_or(1)),
        _ => "Weights, a row for each unit, a column for each input".to_owned(),
    };
    let batch = match args.kind {
        Kind::Features => {
            let (_, sample) = one(args, source)?;
            part(args, source)?.select(&[sample])
        }
        Kind::Activations => first(part(args, source)?, args.samples.unwrap_or(40)),
        _ => part(args, source)?.select(&[]),
    };
    let tiles = tiles(args, source, &batch, layers(args, network.layers().len())?);
    let columns = match likeness::other(args)? {
        None => vec![HeatColumn {
            heading: String::new(),
            tiles,
        }],
        Some(other) => {
            let seen = match args.kind {
                Kind::Features => {
                    likeness::batch_for(args, source, &other, &[one(args, source)?.1])?
                }
                Kind::Activations => {
                    let rows: Vec<usize> = (0..batch.len()).collect();
                    likeness::batch_for(args, source, &other, &rows)?
                }
                // Weights are there without a sample.
                _ => batch,
            };
            let n = other.problem.network.layers().len();
            let beside = self::tiles(args, &other, &seen, layers(args, n)?);
            vec![
                HeatColumn {
                    heading: source.problem.experiment.title().to_owned(),
                    tiles,
                },
                HeatColumn {
                    heading: other.problem.experiment.title().to_owned(),
                    tiles: beside,
                },
            ]
        }
    };
    let figure = HeatFigure {
        title: source.problem.experiment.title().to_owned(),
        subtitle: said,
        columns,
        colors: args.colors.unwrap_or_default(),
        shared: !args.own_scale,
        tone: args.theme.into(),
    };
    Ok(figure.draw()?)
}

fn tiles(
    args: &FigureArgs,
    source: &Source,
    batch: &Samples,
    layers: std::ops::Range<usize>,
) -> Vec<Tile> {
    let (problem, params) = (&source.problem, &source.params);
    let network = &problem.network;
    match args.kind {
        Kind::Filters => tiles::filters(problem, params, layers),
        Kind::Activations => tiles::activations(network, params, batch, layers),
        Kind::Features => tiles::features(network, params, batch, layers),
        _ => tiles::weights(network, params, layers),
    }
}
