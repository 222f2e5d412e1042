//! How right a network is, case by case: confusion, scores of each class, the trade
//! between false alarms and misses, residuals.

use crate::nn::Workspace;
use crate::train::{Encoding, Problem, Samples};
use ndarray::{ArrayView1, s};
use serde::Serialize;

/// Samples that pass through the network at once.
const CHUNK: usize = 128;

/// What a network answers to some samples, beside the truth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answers {
    /// Of a classification: for each sample, the share that it gives each class. Empty
    /// for a regression.
    pub shares: Vec<Vec<f32>>,
    /// Of a classification: for each sample, its class.
    pub classes: Vec<usize>,
    /// Of a regression: for each sample, the outputs.
    pub values: Vec<Vec<f32>>,
    /// Of a regression: for each sample, what is wanted.
    pub targets: Vec<Vec<f32>>,
    /// Names of the classes, or of the outputs.
    pub names: Vec<String>,
}

impl Answers {
    /// The answers of `problem`'s network with `params` to `samples`, one of its parts.
    pub fn of(problem: &Problem, params: &[f32], samples: &Samples) -> Self {
        let network = &problem.network;
        let mut answers = Answers {
            shares: Vec::new(),
            classes: Vec::new(),
            values: Vec::new(),
            targets: Vec::new(),
            names: problem.data.task.names().to_vec(),
        };
        let at_once = network.samples_at_once(CHUNK);
        let mut workspace = Workspace::new(network, at_once.min(samples.len().max(1)));
        for start in (0..samples.len()).step_by(at_once) {
            let end = (start + at_once).min(samples.len());
            network.forward(params, samples.x.slice(s![start..end, ..]), &mut workspace);
            for (k, output) in workspace.output().rows().into_iter().enumerate() {
                answers.add(problem.encoding, output, samples.y.row(start + k));
            }
        }
        answers
    }

    fn add(&mut self, encoding: Encoding, output: ArrayView1<'_, f32>, y: ArrayView1<'_, f32>) {
        let shares = match encoding {
            Encoding::Values => {
                self.values.push(output.to_vec());
                self.targets.push(y.to_vec());
                return;
            }
            Encoding::Binary { low, high } => {
                let share = ((output[0] - low) / (high - low)).clamp(0.0, 1.0);
                vec![1.0 - share, share]
            }
            Encoding::OneHot => output.to_vec(),
        };
        if let Some(class) = encoding.class(y) {
            self.shares.push(shares);
            self.classes.push(class);
        }
    }

    /// Which class each sample is taken for: the first of several that are as likely.
    pub fn said(&self) -> Vec<usize> {
        let best = |shares: &Vec<f32>| {
            let mut best = 0;
            for (k, share) in shares.iter().enumerate() {
                if *share > shares[best] {
                    best = k;
                }
            }
            best
        };
        self.shares.iter().map(best).collect()
    }

    /// The confusion matrix of a classification; none of a regression.
    pub fn confusion(&self) -> Option<Confusion> {
        let classes = self.shares.first()?.len();
        let mut counts = vec![vec![0; classes]; classes];
        for (&class, said) in self.classes.iter().zip(self.said()) {
            counts[class][said] += 1;
        }
        Some(Confusion { counts })
    }

    /// The receiver operating characteristic of `class` against all others; none where
    /// there are only such samples, or none.
    pub fn roc(&self, class: usize) -> Option<Roc> {
        let mut scored: Vec<(f32, bool)> = self
            .shares
            .iter()
            .zip(&self.classes)
            .map(|(shares, &of)| (shares.get(class).copied().unwrap_or(0.0), of == class))
            .collect();
        let positive = scored.iter().filter(|(_, is)| *is).count() as f64;
        let negative = scored.len() as f64 - positive;
        if positive == 0.0 || negative == 0.0 {
            return None;
        }
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut hits, mut alarms, mut area) = (0.0, 0.0, 0.0);
        let mut points = vec![[0.0, 0.0]];
        let mut k = 0;
        while k < scored.len() {
            // Samples of one score come over the threshold together.
            let score = scored[k].0;
            while k < scored.len() && scored[k].0 == score {
                if scored[k].1 {
                    hits += 1.0;
                } else {
                    alarms += 1.0;
                }
                k += 1;
            }
            let point = [alarms / negative, hits / positive];
            let last = points[points.len() - 1];
            area += (point[0] - last[0]) * 0.5 * (point[1] + last[1]);
            points.push(point);
        }
        Some(Roc { points, area })
    }
}

/// How often samples of each class are taken for which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// A row for each true class, a column for each answer.
    pub counts: Vec<Vec<usize>>,
}

/// How well one class is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassScore {
    /// Of those that were said to be of the class, the share that is; 0 of none.
    pub precision: f64,
    /// Of those that are of the class, the share that was said to be; 0 of none.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
    /// How many samples are of the class.
    pub support: usize,
}

impl Confusion {
    /// The scores of each class.
    pub fn scores(&self) -> Vec<ClassScore> {
        let n = self.counts.len();
        let share = |part: usize, all: usize| match all {
            0 => 0.0,
            all => part as f64 / all as f64,
        };
        (0..n)
            .map(|class| {
                let right = self.counts[class][class];
                let support: usize = self.counts[class].iter().sum();
                let said: usize = self.counts.iter().map(|row| row[class]).sum();
                let (precision, recall) = (share(right, said), share(right, support));
                ClassScore {
                    precision,
                    recall,
                    f1: match precision + recall {
                        0.0 => 0.0,
                        sum => 2.0 * precision * recall / sum,
                    },
                    support,
                }
            })
            .collect()
    }
}

/// The share of hits over that of false alarms, for every threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Roc {
    /// False alarms and hits, each from 0 to 1.
    pub points: Vec<[f64; 2]>,
    /// The area below, by trapezoids: one half of guessing, 1 at best.
    pub area: f64,
}
