//! The Hessian of what a surface shows, at one place, as what it does to a
//! vector; and the loss and its gradient there.

use super::krylov::Symmetric;
use crate::landscape::{Gauge, Scope, ScopeError};
use crate::nn::{Network, Tangents, Workspace};
use crate::train::Samples;
use ndarray::{Array2, s};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Samples that pass through the network at once.
const CHUNK: usize = 128;

/// What one thread needs for a chunk of samples.
struct Slot {
    workspace: Workspace<f64>,
    tangents: Tangents<f64>,
    x: Array2<f64>,
    y: Array2<f64>,
    gradient: Vec<f64>,
    product: Vec<f64>,
    loss: f64,
}

/// The block of the Hessian that belongs to some parameters, exactly
/// (Pearlmutter 1994) and in double precision, of the mean loss over the samples
/// of a [`Gauge`], with the penalty's where it has one. (L1 has none but at 0,
/// where it is taken to have none either.) Dropout is off, and batch
/// normalisation at its gathered statistics. The samples are widened and
/// differentiated a chunk at a time and summed in their order, so that memory is
/// bounded and the number of threads changes nothing.
pub struct LossHessian<'a> {
    gauge: Gauge<'a>,
    params: Vec<f64>,
    // Which parameters, ascending.
    moving: Vec<usize>,
    direction: Vec<f64>,
    slots: Vec<Slot>,
    cancel: &'a AtomicBool,
}

impl<'a> LossHessian<'a> {
    /// At `params`, for the parameters of `scope`. Of a gauge of accuracies the
    /// loss over the same samples is taken, which has derivatives.
    ///
    /// # Errors
    /// When the scope names what the network does not have.
    pub fn new(
        gauge: Gauge<'a>,
        params: &[f32],
        scope: &Scope,
        cancel: &'a AtomicBool,
    ) -> Result<Self, ScopeError> {
        let params = params.iter().map(|&p| f64::from(p)).collect();
        Self::at(gauge, params, scope, cancel)
    }

    /// The same at parameters in double precision.
    ///
    /// # Errors
    /// When the scope names what the network does not have.
    pub fn at(
        gauge: Gauge<'a>,
        params: Vec<f64>,
        scope: &Scope,
        cancel: &'a AtomicBool,
    ) -> Result<Self, ScopeError> {
        let gauge = gauge.as_loss();
        let network = gauge.network();
        let chunks = gauge.samples().len().div_ceil(CHUNK).max(1);
        let slot = || {
            let rows = CHUNK.min(gauge.samples().len().max(1));
            Slot {
                workspace: Workspace::new(network, rows),
                tangents: Tangents::new(network),
                x: Array2::zeros((rows, network.inputs())),
                y: Array2::zeros((rows, network.outputs())),
                gradient: vec![0.0; params.len()],
                product: vec![0.0; params.len()],
                loss: 0.0,
            }
        };
        Ok(LossHessian {
            moving: scope.indices(network.layout())?,
            direction: vec![0.0; params.len()],
            slots: (0..rayon::current_num_threads().min(chunks).max(1))
                .map(|_| slot())
                .collect(),
            gauge,
            params,
            cancel,
        })
    }

    /// Which parameters its rows are, by index in the flat vector, ascending.
    pub fn moving(&self) -> &[usize] {
        &self.moving
    }

    /// What it belongs to.
    pub fn gauge(&self) -> Gauge<'a> {
        self.gauge
    }

    /// The length of the parameters that move.
    pub fn weights_norm(&self) -> f64 {
        let squares = self.moving.iter().map(|&i| self.params[i].powi(2));
        squares.sum::<f64>().sqrt()
    }

    /// The loss and its gradient with respect to the parameters that move,
    /// penalties included where the gauge has them; `None` when it was called off.
    pub fn gradient(&mut self) -> Option<(f64, Vec<f64>)> {
        let mut total = vec![0.0; self.params.len()];
        let loss = self.each_chunk(
            |network, params, _, rows, slot| {
                let (x, y) = (slot.x.slice(s![..rows, ..]), slot.y.slice(s![..rows, ..]));
                network.forward(params, x, &mut slot.workspace);
                slot.loss = network.loss_sum(&mut slot.workspace, y) / rows as f64;
                network.backward_loaded(params, &mut slot.workspace, &mut slot.gradient);
            },
            |share, slot| {
                for (t, g) in total.iter_mut().zip(&slot.gradient) {
                    *t += share * g;
                }
            },
        )?;
        let layout = self.gauge.network().layout();
        let penalty = self.gauge.penalty();
        penalty.add_gradient(layout, &self.params, &mut total);
        let gradient = self.moving.iter().map(|&i| total[i]).collect();
        Some((loss + penalty.penalty(layout, &self.params), gradient))
    }

    /// Runs `work` on every chunk and hands the slots to `add` in order; gives
    /// the mean loss.
    fn each_chunk(
        &mut self,
        work: impl Fn(&Network, &[f64], &[f64], usize, &mut Slot) + Sync,
        mut add: impl FnMut(f64, &Slot),
    ) -> Option<f64> {
        let (network, samples) = (self.gauge.network(), self.gauge.samples());
        let (params, direction, cancel) = (&self.params, &self.direction, self.cancel);
        let n = samples.len();
        let at_once = self.slots.len();
        let mut loss = 0.0;
        for first in (0..n.div_ceil(CHUNK)).step_by(at_once) {
            let rows_of = |k: usize| {
                let start = (first + k) * CHUNK;
                (start.min(n), (start + CHUNK).min(n))
            };
            self.slots.par_iter_mut().enumerate().for_each(|(k, slot)| {
                let (start, end) = rows_of(k);
                if start < end && !cancel.load(Ordering::Relaxed) {
                    widen(samples, start, end, slot);
                    work(network, params, direction, end - start, slot);
                }
            });
            if cancel.load(Ordering::Relaxed) {
                return None;
            }
            for (k, slot) in self.slots.iter().enumerate() {
                let (start, end) = rows_of(k);
                if start < end {
                    let share = (end - start) as f64 / n as f64;
                    loss += share * slot.loss;
                    add(share, slot);
                }
            }
        }
        Some(loss)
    }
}

/// Widens rows `start..end` into the slot's buffers.
fn widen(samples: &Samples, start: usize, end: usize, slot: &mut Slot) {
    for (to, from) in [(&mut slot.x, &samples.x), (&mut slot.y, &samples.y)] {
        to.slice_mut(s![..end - start, ..])
            .zip_mut_with(&from.slice(s![start..end, ..]), |to, &v| *to = f64::from(v));
    }
}

impl Symmetric for LossHessian<'_> {
    fn size(&self) -> usize {
        self.moving.len()
    }

    fn product(&mut self, v: &[f64], out: &mut [f64]) -> bool {
        for (&i, &v) in self.moving.iter().zip(v) {
            self.direction[i] = v;
        }
        let mut total = vec![0.0; self.moving.len()];
        let moving = std::mem::take(&mut self.moving);
        let done = self.each_chunk(
            |network, params, direction, rows, slot| {
                slot.loss = network.hessian_vector(
                    params,
                    slot.x.slice(s![..rows, ..]),
                    slot.y.slice(s![..rows, ..]),
                    direction,
                    &mut slot.workspace,
                    &mut slot.tangents,
                    &mut slot.gradient,
                    &mut slot.product,
                );
            },
            |share, slot| {
                for (t, &i) in total.iter_mut().zip(&moving) {
                    *t += share * slot.product[i];
                }
            },
        );
        self.moving = moving;
        if done.is_none() {
            return false;
        }
        let l2 = self.gauge.penalty().l2;
        if l2 != 0.0 {
            let layout = self.gauge.network().layout();
            let weights = layout
                .tensors()
                .iter()
                .filter(|t| t.role == crate::nn::ParamRole::Weight);
            for range in weights.map(|t| t.range.clone()) {
                let first = self.moving.partition_point(|&i| i < range.start);
                let last = self.moving.partition_point(|&i| i < range.end);
                for (t, v) in total[first..last].iter_mut().zip(&v[first..last]) {
                    *t += l2 * v;
                }
            }
        }
        out.copy_from_slice(&total);
        true
    }
}
