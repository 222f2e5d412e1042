//! What the network of a run answers: the confusion matrix of a classification, targets
//! and outputs of a regression, and the field over a plane or the curve over a line
//! through time.

use super::pack::Packed;
use crate::data::Target;
use crate::insight::field::{Answer, decision_field, line_fit};
use crate::insight::run_record::{RunRecord, evenly};
use crate::insight::scores::{Answers, ClassScore};
use crate::train::Samples;
use serde::Serialize;

/// Classes of a confusion matrix that is in the page; of more the scores alone.
const CLASSES: usize = 40;
/// Points that are drawn of each part, at most.
const POINTS: usize = 800;
/// Points a side of a field.
const FIELD: usize = 64;
/// Points of a curve.
const LINE: usize = 160;
/// Samples of a part that the network is asked about, at most.
const ASKED: usize = 20_000;

/// How right the network is, and what it says over the plane or the line.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Answered {
    /// Names of the classes, or of the outputs.
    names: Vec<String>,
    parts: Vec<Part>,
    field: Option<Field>,
    line: Option<Line>,
}

/// One part of the data.
#[derive(Debug, Clone, Serialize)]
struct Part {
    part: &'static str,
    /// Samples that were asked about, of all.
    samples: [usize; 2],
    /// A row for each true class, a column for each answer; row by row.
    confusion: Option<Packed>,
    /// Per class; none of a regression.
    scores: Option<Vec<ClassScore>>,
    /// Of a regression: for each output the root of the mean squared error and the share of
    /// the variance that is explained.
    errors: Option<Vec<[f64; 2]>>,
    /// Of a regression: what is wanted and what the network says, sample by sample, of the
    /// outputs one after the other.
    target: Option<Packed>,
    value: Option<Packed>,
}

/// The field of a problem in the plane at the moments of the maps.
#[derive(Debug, Clone, Serialize)]
struct Field {
    n: usize,
    domain: [[f32; 2]; 2],
    /// Whether it is between -1 and 1, else classes.
    signed: bool,
    /// From -127 to 127; of classes the margin, from 0.
    value: Packed,
    /// Of classes: which.
    class: Option<Packed>,
    points: Vec<Points>,
}

/// Samples in the plane or on the line.
#[derive(Debug, Clone, Serialize)]
struct Points {
    part: &'static str,
    x: Packed,
    y: Packed,
    /// The class, or what is wanted over the largest target, from -127 to 127.
    class: Option<Packed>,
    value: Option<Packed>,
}

/// The curve of a problem on a line at the moments of the maps.
#[derive(Debug, Clone, Serialize)]
struct Line {
    n: usize,
    x: Packed,
    y: Packed,
    points: Vec<Points>,
}

impl Answered {
    /// What the network of `record` answers; field and curve at these places of its path.
    pub fn of(record: &RunRecord, moments: &[usize]) -> Self {
        let problem = &record.problem;
        let parts = [
            ("train", &problem.train),
            ("validation", &problem.validation),
        ];
        let parts = parts.iter().filter(|(_, samples)| !samples.is_empty());
        Answered {
            names: problem.data.task.names().to_vec(),
            parts: parts
                .map(|(name, samples)| part(record, name, samples))
                .collect(),
            field: field(record, moments),
            line: line(record, moments),
        }
    }
}

fn part(record: &RunRecord, name: &'static str, samples: &Samples) -> Part {
    let rows = evenly(samples.len(), ASKED);
    let some = (rows.len() < samples.len()).then(|| samples.select(&rows));
    let asked = some.as_ref().unwrap_or(samples);
    let answers = Answers::of(&record.problem, record.params(), asked);
    let confusion = answers.confusion();
    let scores = confusion.as_ref().map(|confusion| confusion.scores());
    let small = confusion.filter(|c| c.counts.len() <= CLASSES);
    let is_regression = scores.is_none() && !answers.values.is_empty();
    let outputs = answers.values.first().map_or(0, Vec::len);
    let shown = evenly(answers.values.len(), POINTS);
    let column = |of: &[Vec<f32>]| {
        let each = |k: usize| shown.iter().map(move |&row| (row, k));
        Packed::f32((0..outputs).flat_map(each).map(|(row, k)| of[row][k]))
    };
    Part {
        part: name,
        samples: [asked.len(), samples.len()],
        confusion: small.map(|confusion| {
            let counts = confusion.counts.into_iter().flatten();
            Packed::u32(counts.map(|n| n as u64))
        }),
        scores,
        errors: is_regression.then(|| (0..outputs).map(|k| errors(&answers, k)).collect()),
        target: is_regression.then(|| column(&answers.targets)),
        value: is_regression.then(|| column(&answers.values)),
    }
}

/// The root of the mean squared error of output `k`, and 1 minus the share of the
/// targets' variance that it leaves.
fn errors(answers: &Answers, k: usize) -> [f64; 2] {
    let pairs = || {
        let pairs = answers.values.iter().zip(&answers.targets);
        pairs.map(|(value, target)| (f64::from(value[k]), f64::from(target[k])))
    };
    let n = answers.values.len().max(1) as f64;
    let mean = pairs().map(|(_, target)| target).sum::<f64>() / n;
    let left: f64 = pairs()
        .map(|(value, target)| (value - target).powi(2))
        .sum();
    let all: f64 = pairs().map(|(_, target)| (target - mean).powi(2)).sum();
    let explained = if all > 0.0 {
        1.0 - left / all
    } else {
        f64::NAN
    };
    [(left / n).sqrt(), explained]
}

fn field(record: &RunRecord, moments: &[usize]) -> Option<Field> {
    let problem = &record.problem;
    let fields: Option<Vec<_>> = moments
        .iter()
        .map(|&k| decision_field(problem, &record.path[k].params, FIELD))
        .collect();
    let fields = fields?;
    let first = fields.first()?;
    let answers = || fields.iter().flat_map(|field| &field.answers);
    let signed = matches!(first.answers.first(), Some(Answer::Signed(_)));
    let value = |answer: &Answer| match *answer {
        Answer::Signed(value) => byte(value),
        Answer::Class { margin, .. } => byte(margin),
    };
    let class = |answer: &Answer| match *answer {
        Answer::Class { class, .. } => class.min(255) as u8,
        Answer::Signed(_) => 0,
    };
    Some(Field {
        n: first.resolution,
        domain: first.domain,
        signed,
        value: Packed::i8(answers().map(value)),
        class: (!signed).then(|| Packed::u8(answers().map(class))),
        points: points(record, |part| {
            let points = part.points.as_ref()?;
            Some(
                points
                    .rows()
                    .into_iter()
                    .map(|row| [row[0], row[1]])
                    .collect(),
            )
        }),
    })
}

/// A share from -1 to 1 as a byte.
fn byte(share: f32) -> i8 {
    (share.clamp(-1.0, 1.0) * 127.0).round() as i8
}

fn points(
    record: &RunRecord,
    places: impl Fn(&crate::data::Prepared) -> Option<Vec<[f32; 2]>>,
) -> Vec<Points> {
    let data = &record.problem.data;
    let Some(all) = places(data) else {
        return Vec::new();
    };
    let largest = crate::insight::field::largest_target(&record.problem);
    let parts = [("train", &data.train), ("validation", &data.validation)];
    parts
        .into_iter()
        .filter(|(_, part)| !part.is_empty())
        .map(|(name, part)| {
            let shown = evenly(part.len(), POINTS);
            let at = |axis: usize| {
                let rows = shown.iter().map(|&k| part.rows[k]);
                Packed::f32(rows.map(|row| all.get(row).map_or(f32::NAN, |p| p[axis])))
            };
            let (class, value) = match &part.target {
                Target::Classes { labels, .. } => {
                    let classes = shown.iter().map(|&k| labels[k].min(255) as u8);
                    (Some(Packed::u8(classes)), None)
                }
                Target::Values { values, .. } => {
                    let values = shown.iter().map(|&k| byte(values[[k, 0]] / largest));
                    (None, Some(Packed::i8(values)))
                }
            };
            Points {
                part: name,
                x: at(0),
                y: at(1),
                class,
                value,
            }
        })
        .collect()
}

fn line(record: &RunRecord, moments: &[usize]) -> Option<Line> {
    let problem = &record.problem;
    let curves: Option<Vec<Vec<[f32; 2]>>> = moments
        .iter()
        .map(|&k| line_fit(problem, &record.path[k].params, LINE))
        .collect();
    let curves = curves?;
    let first = curves.first()?;
    Some(Line {
        n: first.len(),
        x: Packed::f32(first.iter().map(|p| p[0])),
        y: Packed::f32(curves.iter().flatten().map(|p| p[1])),
        points: points(record, |data| {
            let line = data.line.as_ref()?;
            let mut places: Vec<[f32; 2]> = line.iter().map(|&x| [x, f32::NAN]).collect();
            for part in [&data.train, &data.validation] {
                let Target::Values { values, .. } = &part.target else {
                    return None;
                };
                for (k, &row) in part.rows.iter().enumerate() {
                    places.get_mut(row)?[1] = values[[k, 0]];
                }
            }
            Some(places)
        }),
    })
}
