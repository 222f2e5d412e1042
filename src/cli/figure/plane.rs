//! What is answered over the plane of two inputs, by the network and by each unit.

use super::FigureArgs;
use crate::cli::CliError;
use crate::cli::source::Source;
use crate::figure::{FieldFigure, PlanePoint, Svg, UnitsFigure};
use crate::insight::field::{Answer, decision_field, largest_target};
use crate::insight::neuron_field::neuron_fields;
use crate::insight::tiles::name_of;
use crate::train::{Encoding, Problem, Samples};

/// Points a side: of the answer, and of each unit.
const FINE: usize = 240;
const COARSE: usize = 48;
/// Units of a layer, at most.
const UNITS: usize = 12;

fn no_plane(args: &FigureArgs, problem: &Problem) -> CliError {
    let n = problem.network.inputs();
    CliError::Failed(format!(
        "figure {}: there is no plane to draw: the data of {} are no points of a plane (the network has {n} inputs); \
         problems in the plane are circle, xor, gauss, spiral and others in `gradscape data`",
        args.kind.name(),
        problem.experiment.title(),
    ))
}

/// `figure field`.
pub(super) fn field(args: &FigureArgs, source: &Source) -> Result<Svg, CliError> {
    let problem = &*source.problem;
    let field =
        decision_field(problem, &source.params, FINE).ok_or_else(|| no_plane(args, problem))?;
    let largest = largest_target(problem);
    let mut points = Vec::new();
    let parts = [
        (&problem.train, &problem.data.train.rows, false),
        (&problem.validation, &problem.data.validation.rows, true),
    ];
    for (samples, rows, held_back) in parts {
        let places = problem.data.points.as_ref();
        for (k, &row) in rows.iter().enumerate() {
            let Some(places) = places else { break };
            points.push(PlanePoint {
                at: [places[[row, 0]], places[[row, 1]]],
                wanted: wanted(problem, samples, k, largest),
                held_back,
            });
        }
    }
    let is_fit = problem.encoding == Encoding::Values;
    let classes = problem.data.task.names();
    let figure = FieldFigure {
        field: &field,
        points: &points,
        classes: if is_fit { &[] } else { classes },
        unit: largest.into(),
        title: problem.experiment.title().to_owned(),
        subtitle: format!(
            "What the network answers over the plane, {} training samples{}",
            problem.train.len(),
            match problem.validation.len() {
                0 => String::new(),
                n => format!(" and {n} held back"),
            }
        ),
        tone: args.theme.into(),
    };
    Ok(figure.draw()?)
}

/// What is wanted of a sample, in the units of the field's answers.
fn wanted(problem: &Problem, samples: &Samples, k: usize, largest: f32) -> Answer {
    let target = samples.y.row(k);
    match problem.encoding {
        Encoding::Values => Answer::Signed(target[0] / largest),
        Encoding::Binary { low, high } => {
            Answer::Signed(2.0 * (target[0] - low) / (high - low) - 1.0)
        }
        Encoding::OneHot => Answer::Class {
            class: problem.encoding.class(target).unwrap_or(0),
            margin: 1.0,
        },
    }
}

/// `figure neurons`.
pub(super) fn neurons(args: &FigureArgs, source: &Source) -> Result<Svg, CliError> {
    let problem = &*source.problem;
    let network = &problem.network;
    let fields =
        neuron_fields(problem, &source.params, COARSE).ok_or_else(|| no_plane(args, problem))?;
    let layers = (0..network.layers().len()).map(|layer| name_of(network, layer));
    let columns: Vec<String> = std::iter::once("input".to_owned()).chain(layers).collect();
    let outputs = problem.data.task.names();
    // One output stands for two classes, and has no name of its own.
    let outputs = match outputs.len() == network.outputs() {
        true => outputs,
        false => &[],
    };
    let figure = UnitsFigure {
        network,
        params: &source.params,
        fields: &fields,
        most: UNITS,
        columns: &columns,
        ends: [&problem.data.feature_names, outputs],
        title: problem.experiment.title().to_owned(),
        subtitle: "What every unit answers over the plane, each column by its own scale; lines are weights, dashed below 0".to_owned(),
        tone: args.theme.into(),
    };
    Ok(figure.draw()?)
}
