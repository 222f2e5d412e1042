//! Dropout: while training each value is kept with probability `1 - rate` and
//! then divided by it, so that nothing changes at inference (Srivastava et al.
//! 2014; "inverted", as every framework does it).

use super::{Below, LayerState, Pass};
use crate::nn::{Mode, Real};
use rand::{RngExt, SeedableRng};

pub(super) fn forward<R: Real>(pass: Pass, rate: f64, x: &[R], state: &mut LayerState<R>) {
    match pass.mode {
        Mode::Training { seed } if rate > 0.0 => {
            // A stream of its own for each layer and step: a mask can be drawn
            // again from the step's seed alone.
            let mut rng = crate::rng::Rng::seed_from_u64(seed);
            rng.set_stream(pass.layer as u64);
            let keep = R::of(1.0 / (1.0 - rate));
            let limit = (rate * f64::from(u32::MAX)) as u32;
            for m in &mut state.kept {
                let dropped = rng.random::<u32>() < limit;
                *m = if dropped { R::zero() } else { keep };
            }
        }
        _ => state.kept.fill(R::one()),
    }
    for ((z, &x), &m) in state.z.iter_mut().zip(x).zip(&state.kept) {
        *z = m * x;
    }
}

/// `out = mask * x`, or `out += mask * x`: the derivative either way.
pub(super) fn mask<R: Real>(_: Pass, state: &LayerState<R>, x: &[R], out: &mut [R], add: bool) {
    let mut below = Below { values: out, add };
    below.put(|i| state.kept[i] * x[i]);
}

pub(super) fn backward<R: Real>(
    pass: Pass,
    state: &LayerState<R>,
    delta: &[R],
    below: Option<Below<'_, R>>,
) {
    if let Some(below) = below {
        mask(pass, state, delta, below.values, below.add);
    }
}
