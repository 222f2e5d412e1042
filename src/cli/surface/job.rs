//! A surface that several processes may compute together: what it is of, what
//! determines it, and how its parts are computed.

use super::picture::Caption;
use crate::cli::CliError;
use crate::cli::source::Source;
use crate::digest::Digest;
use crate::interop::{Identity, TileHead};
use crate::landscape::tiles::{Found, Progress, Tile, Work, fill};
use crate::landscape::{Axis, Gauge, Plane, Quantity, Slice, path_on_plane};
use crate::optim::Regulariser;
use crate::train::Evaluator;
use std::sync::atomic::AtomicBool;

/// A surface to compute.
pub(super) struct Job<'a> {
    /// The problem, the weights and the path.
    pub source: &'a Source,
    /// What is measured.
    pub gauge: Gauge<'a>,
    /// Where.
    pub plane: &'a Plane,
    /// At which points of the plane.
    pub axes: [Axis; 2],
    /// In words.
    pub caption: &'a Caption,
}

impl Job<'_> {
    /// Nothing of it, yet.
    pub fn nothing(&self) -> Progress {
        let [x, y] = self.axes;
        Progress::new(x, y, self.source.path.len())
    }

    /// What a file of `tile` says in words.
    ///
    /// # Errors
    /// When the experiment cannot be written down.
    pub fn head(&self, tile: Tile) -> Result<TileHead, CliError> {
        let failed = |error: String| CliError::Failed(format!("the surface's identity: {error}"));
        Ok(TileHead {
            tile: tile.to_string(),
            identity: self.identity().map_err(failed)?,
            caption: serde_json::to_value(self.caption)
                .map_err(|error| failed(error.to_string()))?,
        })
    }

    /// Everything that determines its files. Where data or experiment lie does
    /// not: another machine has them elsewhere.
    fn identity(&self) -> Result<Identity, String> {
        let floats = |values: &[f32]| Digest::default().floats(values.iter().copied()).finish();
        let experiment = &self.source.problem.experiment;
        let text = experiment.to_toml().map_err(|error| error.to_string())?;
        let caption = serde_json::to_string(self.caption).map_err(|error| error.to_string())?;
        let samples = self.gauge.samples();
        let data = Digest::default()
            .number(samples.len() as u64)
            .floats(samples.x.iter().copied())
            .floats(samples.y.iter().copied());
        let mut path = Digest::default();
        for point in &self.source.path {
            path = path
                .number(point.step)
                .number(point.loss.to_bits())
                .floats(point.params.iter().copied());
        }
        let [x, y] = self.axes;
        let range = |axis: Axis| format!("{}:{}", axis.lo, axis.hi);
        let mark = |text: &str| Digest::default().text(text).finish();
        let parts = [
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("experiment", mark(&text)),
            ("data", data.finish()),
            ("weights", floats(self.plane.center())),
            ("direction x", floats(self.plane.direction_x())),
            ("direction y", floats(self.plane.direction_y())),
            ("path", path.finish()),
            ("measure", measure(self.gauge)),
            ("grid", format!("{}x{}", x.n, y.n)),
            ("range of x", range(x)),
            ("range of y", range(y)),
            ("caption", mark(&caption)),
        ];
        Ok(parts.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// Computes the `items`; see [`fill`].
    pub fn fill(
        &self,
        items: &[usize],
        stop: &AtomicBool,
        block: impl Fn() -> usize + Sync,
        found: impl Fn(&[(usize, Found)]) + Sync,
    ) {
        let path = &self.source.path;
        let one = |k: usize| {
            let points = path_on_plane(self.gauge, self.plane, &path[k..=k], stop)?.points;
            points.first().copied()
        };
        let work = Work {
            field: &Slice::new(self.gauge, self.plane),
            points: path.len(),
            point: &one,
            center: &|| center(self.gauge, self.plane),
        };
        fill(&work, self.axes, items, stop, block, found);
    }
}

/// What is measured, in words.
fn measure(gauge: Gauge<'_>) -> String {
    let quantity = match gauge.quantity() {
        Quantity::Loss => "loss",
        Quantity::Accuracy => "accuracy",
    };
    let penalty = gauge.penalty();
    if penalty == Regulariser::default() {
        quantity.to_owned()
    } else {
        format!("{quantity} with {penalty:?}")
    }
}

/// What is measured at the plane's centre.
pub(super) fn center(gauge: Gauge<'_>, plane: &Plane) -> f64 {
    gauge.at(plane.center(), &mut Evaluator::new(gauge.network()))
}

/// In what two surfaces differ, in words; `None` if in nothing.
pub(super) fn difference(here: &Identity, there: &Identity) -> Option<String> {
    let is_mark = |value: &str| value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
    let mut names: Vec<&String> = here.keys().chain(there.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let words: Vec<String> = names
        .into_iter()
        .filter(|name| here.get(*name) != there.get(*name))
        .map(|name| match (here.get(name), there.get(name)) {
            (Some(a), Some(b)) if !is_mark(a) => format!("{name} ({a} here, {b} there)"),
            _ => name.clone(),
        })
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}
