//! The strongest ways through the network to an answer: in words, and as a figure.

use super::case::{Case, what};
use super::{PartName, check_finite, target_of};
use crate::cli::CliError;
use crate::cli::source::Source;
use crate::cli::surface::ThemeName;
use crate::figure::{Svg, WaysFigure};
use crate::insight::contributions::{Contributions, contributions};
use crate::insight::explain::Explainer;
use crate::insight::picture::Picture;
use crate::nn::Workspace;
use crate::train::Problem;
use ndarray::Array1;

/// Strongest ways that are said, and that are computed.
const SAID: usize = 3;
pub(super) const PATHS: usize = 10;

/// The strongest ways to the answer for sample number `index` of the part, from 0, as a
/// picture of the network.
///
/// # Errors
/// When there is no such sample or class, or nothing comes from the sample.
pub(in crate::cli) fn ways_figure(
    source: &Source,
    (part, index): (PartName, usize),
    target: Option<&str>,
    theme: ThemeName,
) -> Result<Svg, CliError> {
    let problem = &*source.problem;
    let params: Vec<f64> = source.params.iter().map(|&p| f64::from(p)).collect();
    let case = Case::find(problem, part, index)?;
    let x = Array1::from(case.x.clone());
    let mut explainer = Explainer::new(problem, &params);
    let said = case.sentence(&mut explainer);
    let (target, readout) = target_of(problem, target, said.whole.class)?;
    let ways = contributions(&mut explainer.model, &readout, x.view(), PATHS);
    check_finite(&ways)?;
    let names: Vec<String> = (0..problem.network.inputs())
        .filter_map(|unit| {
            problem
                .data
                .feature_names
                .get(problem.feature_of(unit))
                .cloned()
        })
        .collect();
    let single: Array1<f32> = x.mapv(|v| v as f32);
    let mut workspace = Workspace::new(&problem.network, 1);
    let row = single.view().insert_axis(ndarray::Axis(0));
    problem.network.forward(&source.params, row, &mut workspace);
    let layers = 0..problem.network.layers().len();
    let mut values = vec![single.to_vec()];
    values.extend(layers.map(|layer| workspace.a(layer).iter().copied().collect::<Vec<f32>>()));
    let image = Picture::of(problem).filter(|picture| picture.shape.channels == 1);
    let number = index + 1;
    let figure = WaysFigure {
        network: &problem.network,
        ways: &ways,
        values: &values,
        image: image.map(|picture| (picture.shape.height, picture.shape.width)),
        inputs: &names,
        outputs: problem.data.task.names(),
        said: &ways_in_words(problem, &ways),
        title: format!(
            "{}: where the answer comes from",
            problem.experiment.title()
        ),
        subtitle: format!(
            "{} sample {number}; {} is {:.4}; the {} strongest ways, as wide as what comes by them",
            case.part,
            what(problem, target),
            ways.readout,
            ways.paths.len(),
        ),
        tone: theme.into(),
    };
    Ok(figure.draw()?)
}

pub(super) fn ways_in_words(problem: &Problem, ways: &Contributions) -> Vec<String> {
    let from_sample: f64 = ways.inputs.iter().sum();
    let mut lines = vec![format!(
        "{from_sample:+.4} of it comes from the sample by {} ways, {:+.4} from biases; the \
         strongest ways:",
        count(ways.ways),
        ways.offsets
    )];
    let names = &problem.data.feature_names;
    for path in ways.paths.iter().take(SAID) {
        let units = path
            .units
            .iter()
            .map(|&(column, unit)| match column.checked_sub(1) {
                None => {
                    let feature = problem.feature_of(unit);
                    names
                        .get(feature)
                        .cloned()
                        .unwrap_or_else(|| format!("value {unit}"))
                }
                Some(layer) => {
                    let this = &problem.network.layers()[layer];
                    let name = this.name().unwrap_or(this.kind().name());
                    format!("{name} {}:{unit}", layer + 1)
                }
            });
        let units: Vec<String> = units.collect();
        lines.push(format!("  {:+.4}  {}", path.value, units.join(" > ")));
    }
    lines
}

/// A number of ways: whole while it is small.
fn count(ways: f64) -> String {
    match ways {
        few if few < 1e6 => format!("{few:.0}"),
        many => format!("{many:.1e}"),
    }
}
