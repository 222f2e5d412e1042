//! One sample of a problem: its sentence, and its figure.

use super::PartName;
use crate::cli::CliError;
use crate::cli::source::Source;
use crate::cli::surface::ThemeName;
use crate::figure::{Attribution, Covered, ExplanationFigure, FigureError, Look, Svg};
use crate::insight::explain::{Explainer, Explanation, Method, Said, Verdict, sentence_about};
use crate::insight::picture::Picture;
use crate::train::{Encoding, Problem, Samples};
use ndarray::ArrayView1;

/// One sample of a problem.
pub(super) struct Case<'a> {
    problem: &'a Problem,
    pub(super) part: &'static str,
    pub(super) x: Vec<f64>,
    pub(super) label: Option<usize>,
    point: Option<[f32; 2]>,
}

impl<'a> Case<'a> {
    pub(super) fn find(
        problem: &'a Problem,
        part: PartName,
        index: usize,
    ) -> Result<Self, CliError> {
        let held_back = part == PartName::Validation && !problem.validation.is_empty();
        let (name, samples, rows): (_, &Samples, _) = if held_back {
            (
                "validation",
                &problem.validation,
                &problem.data.validation.rows,
            )
        } else {
            ("training", &problem.train, &problem.data.train.rows)
        };
        if index >= samples.len() {
            return Err(CliError::Failed(format!(
                "sample {index} is asked for, and the {name} part has {}; count them from 0",
                samples.len()
            )));
        }
        let points = problem.data.points.as_ref();
        let point = points.map(|p| [p[[rows[index], 0]], p[[rows[index], 1]]]);
        Ok(Case {
            problem,
            part: name,
            x: samples.x.row(index).iter().map(|&v| f64::from(v)).collect(),
            label: problem.encoding.class(samples.y.row(index)),
            point,
        })
    }

    pub(super) fn sentence(&self, explainer: &mut Explainer<'_, f64>) -> Said {
        let x = ArrayView1::from(&self.x);
        sentence_about(self.problem, explainer, x, self.point)
    }

    pub(super) fn figure<'b>(
        &'b self,
        source: &Source,
        said: &Said,
        target: usize,
        found: &[Explanation],
        baseline: &'b [f64],
        theme: ThemeName,
    ) -> OwnedFigure<'b> {
        let problem = self.problem;
        let maps: Vec<Attribution> = found.iter().map(|e| attribution(problem, e)).collect();
        let covered = said.without.as_ref().map(|without| {
            let mut sample = self.x.clone();
            let mut changed = vec![false; sample.len()];
            for &(i, value) in without.parts.iter().flat_map(|p| &p.replaced) {
                sample[i] = f64::from(value);
                changed[i] = true;
            }
            Covered {
                sample,
                changed,
                note: says(problem, &without.verdict),
            }
        });
        let names = problem.data.task.names();
        let label = self.label.and_then(|l| names.get(l));
        let trained = if source.given {
            ""
        } else {
            " at its initial weights"
        };
        OwnedFigure {
            title: format!("{}: why?", problem.experiment.title()),
            subtitle: format!(
                "{} sample{}; explained: {}{trained}",
                self.part,
                label.map_or(String::new(), |l| format!(", in truth {l}")),
                what(problem, target),
            ),
            sentence: said.text.clone(),
            sample: &self.x,
            baseline,
            note: says(problem, &said.whole),
            covered,
            maps,
            problem,
            theme,
        }
    }
}

/// A figure with what it is drawn from.
pub(super) struct OwnedFigure<'a> {
    title: String,
    subtitle: String,
    sentence: String,
    sample: &'a [f64],
    baseline: &'a [f64],
    note: String,
    covered: Option<Covered>,
    maps: Vec<Attribution>,
    problem: &'a Problem,
    theme: ThemeName,
}

impl OwnedFigure<'_> {
    pub(super) fn draw(self) -> Result<Svg, FigureError> {
        let look = match Picture::of(self.problem) {
            Some(picture) => Look::Picture(picture, pixel_range(self.problem)),
            None => Look::Row(&self.problem.data.feature_names),
        };
        ExplanationFigure {
            title: self.title,
            subtitle: self.subtitle,
            sentence: self.sentence,
            look,
            sample: self.sample,
            baseline: self.baseline,
            note: self.note,
            covered: self.covered,
            maps: &self.maps,
            tone: self.theme.into(),
        }
        .draw()
    }
}

/// The least and the greatest value of the training samples.
pub(in crate::cli) fn pixel_range(problem: &Problem) -> [f64; 2] {
    let values = problem.train.x.iter().map(|&v| f64::from(v));
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[lo, hi], v| {
        [lo.min(v), hi.max(v)]
    })
}

fn attribution(problem: &Problem, found: &Explanation) -> Attribution {
    let note = match (found.method, &found.completeness, &found.cam) {
        (_, Some(i), _) => format!("sum {:.3}, difference {:.3}", i.sum(), i.difference()),
        (_, _, Some(cam)) => {
            let shape = problem.network.layers()[cam.layer].output_shape();
            format!("{} maps of layer {}", shape.channels, cam.layer + 1)
        }
        (Method::Saliency, ..) => "how fast the answer changes".to_owned(),
        (Method::GradientTimesInput, ..) => "and with the value itself".to_owned(),
        (Method::SmoothGrad, ..) => "mean over noisy copies".to_owned(),
        _ => "what is lost without a part".to_owned(),
    };
    Attribution {
        title: found.method.title().to_owned(),
        note,
        values: found.values.clone(),
        signed: found.method.is_signed(),
    }
}

/// `the network says 7 (98 %)`
fn says(problem: &Problem, verdict: &Verdict) -> String {
    if problem.encoding == Encoding::Values {
        return format!("the network says {:.4}", verdict.outputs[0]);
    }
    let names = problem.data.task.names();
    let name = names.get(verdict.class).map_or("?", String::as_str);
    match verdict.probability {
        Some(p) => format!("the network says {name} ({:.0} %)", 100.0 * p),
        None => format!("the network says {name}"),
    }
}

/// What is explained.
pub(super) fn what(problem: &Problem, target: usize) -> String {
    let names = problem.data.task.names();
    let name = names.get(target).map_or("?", String::as_str);
    match problem.encoding {
        Encoding::Values => format!("the output {name}"),
        _ => format!("the logit of {name}"),
    }
}

/// A class by name, or by number from 0.
pub(in crate::cli) fn class(problem: &Problem, text: &str) -> Result<usize, CliError> {
    let names = problem.data.task.names();
    let named = names.iter().position(|name| name == text);
    named
        .or_else(|| text.parse().ok().filter(|&k: &usize| k < names.len()))
        .ok_or_else(|| {
            CliError::Failed(format!(
                "there is no class {text}; allowed are {}",
                names.join(", ")
            ))
        })
}
