//! The gradient of a batch, in parts where the batch is large.
//!
//! How a batch is divided depends on the network and on the batch alone, and the
//! parts are added up in order: the result does not depend on the number of
//! threads.

use super::micro::Passes;
use super::problem::Problem;
use super::smoothing::Smoothing;
use crate::nn::{Mode, Network, Workspace};
use rayon::prelude::*;

/// Multiply-adds of a forward pass from which on a part is worth a thread.
const THREAD_WORK: usize = 8_000_000;
/// The samples of a part that gets a thread.
const THREAD_PART: usize = 32;
/// Batches of more than this are divided for the sake of memory and caches.
const WHOLE: usize = 256;
/// The samples of a part of such a batch.
const PART: usize = 128;
/// Parts that are held at once.
const SLOTS: usize = 8;

/// The buffers of one part.
struct Slot {
    workspace: Workspace<f32>,
    gradient: Vec<f32>,
    loss_sum: f64,
}

/// Computes batches' gradients again and again.
pub(super) struct BatchGradient {
    slots: Vec<Slot>,
    part: usize,
    threads: bool,
    // The slot whose loss was not finite, else the first.
    blamed: usize,
}

impl BatchGradient {
    /// For batches of up to `size` samples.
    pub(super) fn new(network: &Network, size: usize) -> Self {
        let work = |samples: usize| network.multiply_adds().saturating_mul(samples);
        let threads = work(THREAD_PART) >= THREAD_WORK && size > THREAD_PART;
        let part = if network.mixes_samples() {
            size
        } else if threads {
            THREAD_PART
        } else if size > WHOLE {
            PART
        } else {
            size
        };
        let parts = size.div_ceil(part.max(1)).clamp(1, SLOTS);
        // Where there is one part, its gradient goes straight to its place.
        let gradient = if parts > 1 { network.layout().len() } else { 0 };
        let slot = || Slot {
            workspace: Workspace::new(network, part),
            gradient: vec![0.0; gradient],
            loss_sum: 0.0,
        };
        BatchGradient {
            slots: (0..parts).map(|_| slot()).collect(),
            part,
            threads: threads && parts > 1,
            blamed: 0,
        }
    }

    /// The mean loss over `rows` of the training part and its gradient, written
    /// over `gradient`. Where a loss is not finite neither is the mean, and the
    /// gradient means nothing.
    pub(super) fn compute(
        &mut self,
        problem: &Problem,
        params: &[f32],
        rows: &[usize],
        smoothing: Option<Smoothing>,
        seed: u64,
        gradient: &mut [f32],
    ) -> f64 {
        self.blamed = 0;
        if rows.len() <= self.part {
            let workspace = &mut self.slots[0].workspace;
            load(workspace, problem, rows, smoothing, seed);
            let network = &problem.network;
            return network.gradient_loaded(params, workspace, gradient);
        }
        gradient.fill(0.0);
        let mut loss_sum = 0.0;
        for (group, rows_of_group) in rows.chunks(self.part * self.slots.len()).enumerate() {
            let first = group * self.slots.len();
            let work = |(index, (slot, part)): (usize, (&mut Slot, &[usize]))| {
                let seed = part_seed(seed, first + index);
                load(&mut slot.workspace, problem, part, smoothing, seed);
                let workspace = &mut slot.workspace;
                let network = &problem.network;
                let mean = network.gradient_loaded(params, workspace, &mut slot.gradient);
                slot.loss_sum = mean * part.len() as f64;
            };
            if self.threads {
                let parts = rows_of_group.par_chunks(self.part);
                self.slots
                    .par_iter_mut()
                    .zip(parts)
                    .enumerate()
                    .for_each(work);
            } else {
                let parts = rows_of_group.chunks(self.part);
                self.slots.iter_mut().zip(parts).enumerate().for_each(work);
            }
            let parts = rows_of_group.chunks(self.part);
            for (index, (slot, part)) in self.slots.iter().zip(parts).enumerate() {
                if !slot.loss_sum.is_finite() {
                    self.blamed = index;
                    return slot.loss_sum;
                }
                loss_sum += slot.loss_sum;
                let share = part.len() as f32 / rows.len() as f32;
                for (g, &v) in gradient.iter_mut().zip(&slot.gradient) {
                    *g += share * v;
                }
            }
        }
        loss_sum / rows.len() as f64
    }

    /// The passes of the sample at place `at` of `rows` within the batch's gradient
    /// at `params`, as [`compute`](Self::compute) makes them.
    pub(super) fn trace(
        &mut self,
        problem: &Problem,
        params: &[f32],
        rows: &[usize],
        at: usize,
        smoothing: Option<Smoothing>,
        seed: u64,
    ) -> Passes {
        let (rows, number) = if rows.len() <= self.part {
            (rows, None)
        } else {
            let number = at / self.part;
            let start = number * self.part;
            let end = (start + self.part).min(rows.len());
            (&rows[start..end], Some(number))
        };
        let seed = number.map_or(seed, |number| part_seed(seed, number));
        let at = number.map_or(at, |number| at - number * self.part);
        let workspace = &mut self.slots[0].workspace;
        load(workspace, problem, rows, smoothing, seed);
        let network = &problem.network;
        // The part's error signals are those of its mean loss.
        let samples = rows.len() as f32;
        let mut passed = vec![Vec::new(); network.layers().len()];
        let mut gradient = vec![0.0; params.len()];
        network.gradient_traced(params, workspace, &mut gradient, |layer, values| {
            passed[layer] = values.row(at).iter().map(|v| samples * v).collect();
        });
        let of = |values: &dyn Fn(usize) -> Vec<f32>| (0..passed.len()).map(values).collect();
        let target = |t: f32| smoothing.map_or(t, |s| s.of_target(t));
        Passes {
            row: rows[at],
            input: problem.train.x.row(rows[at]).to_vec(),
            target: problem
                .train
                .y
                .row(rows[at])
                .iter()
                .map(|&t| target(t))
                .collect(),
            z: of(&|l| workspace.z(l).row(at).to_vec()),
            a: of(&|l| workspace.a(l).row(at).to_vec()),
            delta: of(&|l| {
                workspace
                    .delta(l)
                    .row(at)
                    .iter()
                    .map(|d| samples * d)
                    .collect()
            }),
            passed,
            loss: network.loss_of(workspace, at),
        }
    }

    /// The values of the last pass: of the part whose loss was not finite, if
    /// there was one.
    pub(super) fn workspace(&self) -> &Workspace<f32> {
        &self.slots[self.blamed].workspace
    }

    /// The same, for another pass of up to as many samples as it was made for.
    pub(super) fn workspace_mut(&mut self) -> &mut Workspace<f32> {
        self.blamed = 0;
        &mut self.slots[0].workspace
    }
}

/// What decides the dropout of part `number`: parts draw theirs apart from each
/// other.
fn part_seed(seed: u64, number: usize) -> u64 {
    seed ^ (number as u64).wrapping_mul(0xd1b5_4a32_d192_ed03)
}

fn load(
    workspace: &mut Workspace<f32>,
    problem: &Problem,
    rows: &[usize],
    smoothing: Option<Smoothing>,
    seed: u64,
) {
    workspace.set_mode(Mode::Training { seed });
    workspace.load(problem.train.x.view(), rows);
    workspace.load_targets(problem.train.y.view(), rows);
    if let Some(smoothing) = smoothing {
        workspace.map_targets(|t| smoothing.of_target(t));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    fn problem(layers: &str) -> Problem {
        let text = format!(
            "[data]\nsource = \"digits\"\nlimit = 700\n[network]\nlayers = [{layers}]\n\
             loss = \"cross-entropy\""
        );
        Problem::new(&Experiment::parse(&text, "test").unwrap()).unwrap()
    }

    /// Divided or not, in threads or one after the other, it is the same
    /// gradient; and the number of threads does not change a bit of it.
    #[test]
    fn parts_add_up_to_the_whole() {
        let small = "{ dense = 9 }";
        // Enough work for threads.
        let large = "{ conv = 64, kernel = 5, padding = 2 }, { conv = 16, kernel = 3 }";
        for (layers, threads) in [(small, false), (large, true)] {
            let problem = problem(layers);
            let network = &problem.network;
            let params = problem.initial_params();
            let rows: Vec<usize> = (0..300).map(|i| (i * 7) % problem.train.len()).collect();
            let mut whole = vec![0.0; params.len()];
            let mut workspace = Workspace::new(network, 300);
            load(&mut workspace, &problem, &rows, None, 1);
            let expected = network.gradient_loaded(&params, &mut workspace, &mut whole);
            let mut batch = BatchGradient::new(network, 300);
            assert_eq!((batch.threads, batch.slots.len() > 1), (threads, true));
            let mut compute = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                let mut gradient = vec![f32::NAN; params.len()];
                let loss = pool
                    .build()
                    .unwrap()
                    .install(|| batch.compute(&problem, &params, &rows, None, 1, &mut gradient));
                (loss, gradient)
            };
            let (loss, gradient) = compute(1);
            assert!((loss - expected).abs() < 1e-6 * expected);
            let largest = whole.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
            for (a, b) in gradient.iter().zip(&whole) {
                assert!((a - b).abs() < 2e-6 * largest, "{a} {b}");
            }
            for threads in [2, 3] {
                assert_eq!(compute(threads), (loss, gradient.clone()));
            }
        }
    }

    #[test]
    fn what_normalises_over_the_batch_is_not_divided() {
        let problem = problem("{ dense = 9 }, \"batch_norm\"");
        let batch = BatchGradient::new(&problem.network, 600);
        assert_eq!((batch.slots.len(), batch.part), (1, 600));
    }
}
