//! How alike two layers represent the same samples, of one network or of two; and what
//! else compares two networks needs.

use super::{FigureArgs, PartName, part, trained};
use crate::cli::CliError;
use crate::cli::source::{Source, SourceArgs};
use crate::figure::{ShareTableFigure, Svg};
use crate::insight::model::Model;
use crate::insight::same_samples::{OtherInputs, seen_by};
use crate::insight::similarity::{cka_between_layers, cka_of_layers};
use crate::insight::tiles::name_of;
use crate::train::Samples;
use ndarray::{Array2, Axis, s};

/// Samples that layers are compared on unless the user says otherwise.
const SAMPLES: u16 = 500;

impl From<OtherInputs> for CliError {
    fn from(error: OtherInputs) -> Self {
        CliError::Usage(format!("--with: {error}"))
    }
}

/// What `--with` names, after as much training as the first.
pub(super) fn other(args: &FigureArgs) -> Result<Option<Source>, CliError> {
    let Some(name) = &args.with else {
        return Ok(None);
    };
    let source = SourceArgs {
        source: name.clone(),
        ..SourceArgs::default()
    };
    Ok(Some(
        trained(source.load()?, args.epochs.unwrap_or(0))?.source,
    ))
}

/// The samples of `source` in some rows of the part, as the network of `other` sees them;
/// their targets are those that `source` has.
pub(super) fn batch_for(
    args: &FigureArgs,
    source: &Source,
    other: &Source,
    rows: &[usize],
) -> Result<Samples, CliError> {
    let held_back = args.part == Some(PartName::Validation);
    Ok(Samples {
        x: seen_by(&source.problem, &other.problem, held_back, rows)?,
        y: part(args, source)?.y.select(Axis(0), rows),
    })
}

/// `figure similarity`.
pub(super) fn draw(args: &FigureArgs, source: &Source) -> Result<Svg, CliError> {
    let problem = &source.problem;
    let samples = part(args, source)?;
    let n = samples
        .len()
        .min(usize::from(args.samples.unwrap_or(SAMPLES)));
    if n < 2 {
        return Err(CliError::Usage(
            "similarity needs two samples at least; give --samples or another --part".to_owned(),
        ));
    }
    let wide = |params: &[f32]| -> Vec<f64> { params.iter().map(|&p| f64::from(p)).collect() };
    let params = wide(&source.params);
    let mut model = Model::new(&problem.network, &params);
    let x = samples.x.slice(s![..n, ..]).mapv(f64::from);
    let names = |source: &Source| -> Vec<String> {
        let network = &source.problem.network;
        let layers = (0..network.layers().len()).map(|layer| name_of(network, layer));
        std::iter::once("input".to_owned()).chain(layers).collect()
    };
    let other = other(args)?;
    let (values, columns): (Array2<f64>, Vec<String>) = match &other {
        None => (cka_of_layers(&mut model, x.view()), names(source)),
        Some(other) => {
            let rows: Vec<usize> = (0..n).collect();
            let y = batch_for(args, source, other, &rows)?.x.mapv(f64::from);
            let params = wide(&other.params);
            let mut second = Model::new(&other.problem.network, &params);
            let values = cka_between_layers((&mut model, x.view()), (&mut second, y.view()));
            (values, names(other))
        }
    };
    let title = problem.experiment.title();
    let beside = other
        .as_ref()
        .map_or(title, |other| other.problem.experiment.title());
    let (of_rows, of_columns) = match other {
        Some(_) => (title, beside),
        None => ("", ""),
    };
    let figure = ShareTableFigure {
        values: values.view(),
        rows: (of_rows, &names(source)),
        columns: (of_columns, &columns),
        quantity: "linear CKA",
        title: match other {
            Some(_) => format!("{title} and {beside}"),
            None => title.to_owned(),
        },
        subtitle: format!(
            "How alike layers represent {n} samples: linear CKA, 1 is the same up to turning and size"
        ),
        tone: args.theme.into(),
    };
    Ok(figure.draw()?)
}
