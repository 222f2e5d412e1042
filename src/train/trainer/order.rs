//! In which order the samples come.

use crate::optim::Method;
use crate::rng::{Rng, Stream, stream};
use crate::train::problem::Problem;
use rand::seq::SliceRandom;

/// The order of an epoch. From sorted order, so that it depends on the generator
/// alone; a single batch stays sorted.
pub(super) fn draw_order(order: &mut [usize], batch_size: usize, rng: &mut Rng) {
    order.iter_mut().enumerate().for_each(|(i, o)| *o = i);
    if batch_size < order.len() {
        order.shuffle(rng);
    }
}

/// The rows of the training part that step `step` sees, from 1, of a run of
/// `problem` with the batch order of `seed`; none for step 0 or without samples.
pub fn batch_of(problem: &Problem, seed: u64, step: u64) -> Vec<usize> {
    let n = problem.train.len();
    if step == 0 || n == 0 {
        return Vec::new();
    }
    let training = &problem.experiment.training;
    let size = match training.optimizer.kind() {
        Method::FirstOrder(_) => training.batch.size(n).max(1),
        Method::FullBatch(_) => n,
    };
    let steps = n.div_ceil(size) as u64;
    let mut rng = stream(seed, Stream::Shuffle);
    let mut order: Vec<usize> = (0..n).collect();
    for _ in 0..=(step - 1) / steps {
        draw_order(&mut order, size, &mut rng);
    }
    let start = ((step - 1) % steps) as usize * size;
    order[start..(start + size).min(n)].to_vec()
}
