//! A sentence for somebody who knows no mathematics: what the network says, which part
//! of the sample that rests on, and what it would say without that part.
//!
//! Every claim is what the network answered when the part was left out. Where no part
//! decides alone, several are left out together; where these do not either, the sentence
//! says so.

use super::Explainer;
use super::named::{Named, Short};
use super::parts::{Part, parts_of};
use crate::insight::model::Model;
use crate::nn::{Activation, Real};
use crate::train::{Encoding, Problem};
use ndarray::{Array1, ArrayView1};

/// So many parts are left out together at most.
const TOGETHER: usize = 3;
/// And no more than this of the sample: what it would say without most of it is no
/// reason for what it says.
const MOST: f64 = 0.6;

/// What a network answers, as people read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The class; of real values the output that is asked about.
    pub class: usize,
    /// How sure it is, from 0 to 1, where the outputs are probabilities.
    pub probability: Option<f64>,
    /// The outputs.
    pub outputs: Vec<f64>,
}

/// The network's answer without some parts of the sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Without {
    /// What was left out.
    pub parts: Vec<Part>,
    /// What it says then.
    pub verdict: Verdict,
    /// Whether that is another class.
    pub changes: bool,
}

/// The sentence, and what was measured for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The sentence.
    pub text: String,
    /// What the network says of the whole sample.
    pub whole: Verdict,
    /// The answer without the parts that the sentence names; `None` where the sample has
    /// no parts.
    pub without: Option<Without>,
}

impl Verdict {
    fn of(outputs: &[f64], encoding: Encoding, probabilities: bool) -> Self {
        let row = ArrayView1::from(outputs);
        let class = encoding.class(row).unwrap_or(0);
        let probability = match encoding {
            Encoding::Binary { .. } if class == 0 => 1.0 - outputs[0],
            Encoding::Binary { .. } => outputs[0],
            Encoding::OneHot | Encoding::Values => outputs[class],
        };
        Verdict {
            class,
            probability: probabilities.then_some(probability),
            outputs: outputs.to_vec(),
        }
    }

    /// How far `class` is ahead of the best other one; of real values the output.
    fn lead(&self, class: usize, encoding: Encoding) -> f64 {
        match encoding {
            Encoding::Values => self.outputs[0],
            Encoding::Binary { low, high } => {
                let middle = 0.5 * f64::from(low + high);
                (self.outputs[0] - middle) * if class == 0 { -2.0 } else { 2.0 }
            }
            Encoding::OneHot => {
                let others = self.outputs.iter().enumerate().filter(|&(k, _)| k != class);
                let best = others.map(|(_, &v)| v).fold(f64::NEG_INFINITY, f64::max);
                self.outputs[class] - best
            }
        }
    }
}

/// [`sentence`] about `x`, a sample of `problem`'s, over all of its [`parts_of`].
/// `point` is its raw point where the data are a problem in the plane.
pub fn sentence_about<R: Real>(
    problem: &Problem,
    explainer: &mut Explainer<'_, R>,
    x: ArrayView1<'_, R>,
    point: Option<[f32; 2]>,
) -> Said {
    let single = |v: &R| v.wide() as f32;
    let (baseline, row) = (explainer.baseline.map(single), x.map(single));
    let parts = parts_of(problem, row.view(), baseline.view(), point);
    let names = problem.data.task.names();
    let model = &mut explainer.model;
    let probabilities = has_probabilities(problem);
    sentence(model, x, &parts, problem.encoding, names, probabilities)
}

/// Whether the outputs of `problem`'s network are probabilities of classes.
pub fn has_probabilities(problem: &Problem) -> bool {
    let last = problem.network.layers().last().map(|l| l.activation());
    match problem.encoding {
        Encoding::OneHot => last == Some(Activation::Softmax),
        Encoding::Binary { low, .. } => last == Some(Activation::Sigmoid) && low == 0.0,
        Encoding::Values => false,
    }
}

/// Looks for the smallest of `parts` of `x` without which the network says something
/// else, and says so. `names` are those of the classes or values, `probabilities` whether
/// the outputs are such.
pub fn sentence<R: Real>(
    model: &mut Model<'_, R>,
    x: ArrayView1<'_, R>,
    parts: &[Part],
    encoding: Encoding,
    names: &[String],
    probabilities: bool,
) -> Said {
    let judge = |outputs: &[f64]| Verdict::of(outputs, encoding, probabilities);
    let whole = judge(&model.output(x));
    let words = Words {
        encoding,
        names,
        whole: &whole,
    };
    let mut left_out: Vec<Part> = Vec::new();
    let mut found: Option<Without> = None;
    let mut rest: Array1<R> = x.to_owned();
    for _ in 0..TOGETHER {
        let verdicts = without_each(model, rest.view(), parts, judge);
        let Some(best) = words.best(parts, &verdicts, &left_out) else {
            break;
        };
        let share: f64 = left_out.iter().map(|part| part.share).sum();
        if !left_out.is_empty() && share + parts[best].share > MOST {
            break;
        }
        for &(i, value) in &parts[best].replaced {
            rest[i] = R::of(f64::from(value));
        }
        left_out.push(parts[best].clone());
        let verdict = verdicts[best].clone();
        let changes = encoding != Encoding::Values && verdict.class != whole.class;
        let improves = found
            .as_ref()
            .is_none_or(|f| changes || words.lead(&verdict) < words.lead(&f.verdict));
        if improves {
            found = Some(Without {
                parts: left_out.clone(),
                verdict,
                changes,
            });
        }
        if changes || encoding == Encoding::Values {
            break;
        }
    }
    // Several parts that do not decide together say less than the strongest alone.
    if let Some(without) = &mut found
        && !without.changes
        && without.parts.len() > 1
    {
        without.parts.truncate(1);
        let verdicts = without_each(model, x, &without.parts, judge);
        without.verdict = verdicts[0].clone();
    }
    Said {
        text: words.sentence(found.as_ref()),
        without: found,
        whole,
    }
}

/// What the network says without each part alone.
fn without_each<R: Real>(
    model: &mut Model<'_, R>,
    x: ArrayView1<'_, R>,
    parts: &[Part],
    judge: impl Fn(&[f64]) -> Verdict,
) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(parts.len());
    model.each(
        parts.len(),
        x,
        |k, mut row| {
            for &(i, value) in &parts[k].replaced {
                row[i] = R::of(f64::from(value));
            }
        },
        |_, workspace, row| {
            let outputs = workspace.output();
            let outputs: Vec<f64> = outputs.row(row).iter().map(|v| v.wide()).collect();
            verdicts.push(judge(&outputs));
        },
    );
    verdicts
}

/// What a sentence is made with.
struct Words<'a> {
    encoding: Encoding,
    names: &'a [String],
    whole: &'a Verdict,
}

impl Words<'_> {
    fn lead(&self, verdict: &Verdict) -> f64 {
        verdict.lead(self.whole.class, self.encoding)
    }

    /// The part to name: the smallest that changes the answer clearly, else the smallest
    /// that changes it, else the one that costs the answer most.
    fn best(&self, parts: &[Part], verdicts: &[Verdict], left_out: &[Part]) -> Option<usize> {
        let free = |k: &usize| !left_out.contains(&parts[*k]);
        let order = |by: &dyn Fn(usize) -> f64, among: &dyn Fn(usize) -> bool| {
            let candidates = (0..parts.len()).filter(free).filter(|&k| among(k));
            candidates.min_by(|&a, &b| by(a).total_cmp(&by(b)))
        };
        if self.encoding == Encoding::Values {
            let change = |k: usize| -(verdicts[k].outputs[0] - self.whole.outputs[0]).abs();
            return order(&change, &|_| true);
        }
        let changes = |k: usize| verdicts[k].class != self.whole.class;
        let clearly =
            |k: usize| changes(k) && verdicts[k].lead(verdicts[k].class, self.encoding) > 0.4;
        // Of equally large parts the one that costs more.
        let size = |k: usize| parts[k].share + 1e-3 * self.lead(&verdicts[k]);
        order(&size, &clearly)
            .or_else(|| order(&size, &changes))
            .or_else(|| order(&|k| self.lead(&verdicts[k]), &|_| true))
    }

    fn name(&self, class: usize) -> &str {
        self.names.get(class).map_or("?", String::as_str)
    }

    fn sentence(&self, without: Option<&Without>) -> String {
        let whole = self.whole;
        let said = match self.encoding {
            Encoding::Values => format!("It says {}", Short(whole.outputs[0])),
            _ => format!("It says {}", self.name(whole.class)),
        };
        let Some(without) = without else {
            return format!("{said}.");
        };
        let parts: Vec<String> = without.parts.iter().map(|p| p.what.to_string()).collect();
        let reason = listed(&parts);
        let several = without.parts.len() > 1;
        let absent = match (&without.parts[0].what, several) {
            (Named::Ink { .. }, false) => "without it",
            (Named::Ink { .. }, true) => "without them",
            (Named::Value { .. }, false) => "with an average one",
            (Named::Value { .. }, true) => "with average ones",
        };
        let then = &without.verdict;
        if self.encoding == Encoding::Values {
            let value = Short(then.outputs[0]);
            return format!("{said}, mostly because of {reason}; {absent}, it would say {value}.");
        }
        if without.changes {
            let class = self.name(then.class);
            return format!("{said} mostly because of {reason}; {absent}, it would say {class}.");
        }
        let sure = match (whole.probability, then.probability) {
            (Some(before), Some(after)) => {
                format!(" ({} instead of {} sure)", percent(after), percent(before))
            }
            _ => String::new(),
        };
        format!(
            "{said}, and no single part decides that: what counts most is {reason}, and even \
             {absent}, it would say {}{sure}.",
            self.name(then.class)
        )
    }
}

/// `a`, `a and b`, `a, b and c`
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent {
        p if p > 99.95 => "almost 100 %".to_owned(),
        p if p > 99.0 => format!("{p:.1} %"),
        p => format!("{p:.0} %"),
    }
}
