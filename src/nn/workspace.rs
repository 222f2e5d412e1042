//! The buffers that a pass fills, kept between passes so that a step of
//! training allocates nothing.

use super::kernel::PAD;
use super::layer::LayerState;
use super::{Network, Real};
use ndarray::{ArrayView2, ShapeBuilder};
use pulp::Arch;

/// What layers that behave differently while training do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Nothing is left out; batch normalisation uses the gathered statistics.
    #[default]
    Inference,
    /// Dropout leaves out what `seed` says; batch normalisation uses the batch's
    /// own statistics.
    Training {
        /// Decides dropout's masks.
        seed: u64,
    },
}

/// Samples side by side, `[features, padded]`; the padding repeats the last.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch<R> {
    pub(super) values: Vec<R>,
}

impl<R: Real> Batch<R> {
    /// Takes the given rows of `x` `[samples, features]`.
    fn gather(&mut self, x: ArrayView2<'_, R>, rows: impl Fn(usize) -> usize, n: usize) {
        let (features, padded) = (x.ncols(), pad(n));
        self.values.resize(features * padded, R::zero());
        let Some(flat) = x.as_slice() else {
            // A strided view (a transposed one, say).
            for (f, out) in self.values.chunks_exact_mut(padded).enumerate() {
                for (i, o) in out.iter_mut().enumerate() {
                    *o = x[[rows(i.min(n - 1)), f]];
                }
            }
            return;
        };
        if features < 8 {
            for (f, out) in self.values.chunks_exact_mut(padded).enumerate() {
                for (i, o) in out[..n].iter_mut().enumerate() {
                    *o = flat[rows(i) * features + f];
                }
                let last = out[n - 1];
                out[n..].fill(last);
            }
            return;
        }
        // Sixteen rows at a time, so that what is written lies together.
        for tile in (0..padded).step_by(PAD) {
            let sample = |lane: usize| {
                let row = rows((tile + lane).min(n - 1));
                &flat[row * features..][..features]
            };
            let samples: [&[R]; PAD] = std::array::from_fn(sample);
            for (f, out) in self.values.chunks_exact_mut(padded).enumerate() {
                for (o, sample) in out[tile..tile + PAD].iter_mut().zip(&samples) {
                    *o = sample[f];
                }
            }
        }
    }
}

/// `n` rounded up to what the kernels take.
fn pad(n: usize) -> usize {
    n.next_multiple_of(PAD)
}

/// The values of every layer in the last pass.
#[derive(Debug, Clone)]
pub struct Workspace<R> {
    pub(super) layers: Vec<LayerState<R>>,
    pub(super) input: Batch<R>,
    pub(super) target: Batch<R>,
    pub(super) losses: Vec<R>,
    pub(super) rows: usize,
    pub(super) padded: usize,
    pub(super) arch: Arch,
    pub(super) mode: Mode,
    sizes: Vec<usize>,
    capacity: usize,
}

impl<R: Real> Workspace<R> {
    /// Buffers for batches of up to `capacity` samples through `network`, in
    /// [`Mode::Inference`], for the best instruction set of this machine. What a
    /// backward pass needs is allocated by the first one.
    pub fn new(network: &Network, capacity: usize) -> Self {
        Self::with_arch(network, capacity, super::arch())
    }

    /// The same for an instruction set of your choice.
    pub fn with_arch(network: &Network, capacity: usize, arch: Arch) -> Self {
        let layers = network.layers();
        Workspace {
            layers: vec![LayerState::default(); layers.len()],
            input: Batch { values: Vec::new() },
            target: Batch { values: Vec::new() },
            losses: Vec::new(),
            rows: 0,
            padded: 0,
            arch,
            mode: Mode::Inference,
            sizes: layers.iter().map(super::Layer::outputs).collect(),
            capacity,
        }
    }

    /// What the next passes do where training and inference differ.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
    }

    /// The mode of the next pass.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Takes samples as the next pass's input: the rows `rows` of `x`
    /// `[samples, features]`, at most the capacity, at least 1.
    pub fn load(&mut self, x: ArrayView2<'_, R>, rows: &[usize]) {
        self.input.gather(x, |i| rows[i], rows.len());
        self.set_rows(rows.len());
    }

    /// Takes all of `x` as the next pass's input.
    pub(super) fn load_all(&mut self, x: ArrayView2<'_, R>) {
        self.input.gather(x, |i| i, x.nrows());
        self.set_rows(x.nrows());
    }

    /// Takes targets: the rows `rows` of `y` `[samples, outputs]`.
    pub fn load_targets(&mut self, y: ArrayView2<'_, R>, rows: &[usize]) {
        self.target.gather(y, |i| rows[i], rows.len());
    }

    /// Changes every value of the targets that were taken.
    pub fn map_targets(&mut self, f: impl Fn(R) -> R) {
        self.target.values.iter_mut().for_each(|t| *t = f(*t));
    }

    pub(super) fn load_all_targets(&mut self, y: ArrayView2<'_, R>) {
        self.target.gather(y, |i| i, y.nrows());
    }

    fn set_rows(&mut self, n: usize) {
        debug_assert!(
            n <= self.capacity,
            "{n} samples in a workspace for {}",
            self.capacity
        );
        self.rows = n;
        self.padded = pad(n);
    }

    /// The most samples that fit.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The number of layers.
    pub fn n_layers(&self) -> usize {
        self.layers.len()
    }

    /// Pre-activations of `layer` in the last pass, `[n, units]`.
    pub fn z(&self, layer: usize) -> ArrayView2<'_, R> {
        self.view(&self.layers[layer].z, layer)
    }

    /// Activations of `layer` in the last pass, `[n, units]`.
    pub fn a(&self, layer: usize) -> ArrayView2<'_, R> {
        self.view(&self.layers[layer].a, layer)
    }

    /// Error signals of `layer` in the last backward pass, `[n, units]`:
    /// `dL/dz` with L the mean over the batch.
    pub fn delta(&self, layer: usize) -> ArrayView2<'_, R> {
        self.view(&self.layers[layer].delta, layer)
    }

    /// The network's output in the last pass, `[n, outputs]`.
    pub fn output(&self) -> ArrayView2<'_, R> {
        self.a(self.layers.len() - 1)
    }

    /// `values` of `layer` seen as `[n, units]`.
    fn view<'a>(&self, values: &'a [R], layer: usize) -> ArrayView2<'a, R> {
        self.side_by_side(values, self.sizes[layer])
    }

    /// `values` `[units, padded]` seen as `[n, units]`; without rows where there are
    /// none yet.
    pub(super) fn side_by_side<'a>(&self, values: &'a [R], units: usize) -> ArrayView2<'a, R> {
        let rows = if values.is_empty() { 0 } else { self.rows };
        let strides = (1, self.padded.max(1));
        ArrayView2::from_shape((rows, units).strides(strides), values)
            .expect("a layer's buffer holds `units` rows of `padded` samples")
    }
}
