//! A surface in parts: which part has what to compute, what of it is known, and
//! how the parts become the whole.
//!
//! What has to be computed is numbered: the grid's cells row by row, then the
//! points of the path, then the centre. A part takes every N-th of them, so that
//! each gets its share of dear regions and of cheap ones, and a few parts
//! already show the whole plane, coarsely.

use super::field::HeightField;
use super::grid::Axis;
use super::path::{PathOnPlane, PlanePoint};
use super::surface::Surface;
use ndarray::Array2;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The I-th of N parts, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    index: usize,
    of: usize,
}

/// Why parts do not make a surface.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Not a part.
    #[error("{0:?} is no tile; give I/N, the I-th of N from 1, such as 1/7")]
    Syntax(String),
    /// Two parts have different values for the same thing.
    #[error(
        "{0} was computed twice, with different values; the tiles come from different programs \
         or processors, and those of one have to be left out"
    )]
    Conflict(String),
}

impl Tile {
    /// The only part of one.
    pub const WHOLE: Tile = Tile { index: 1, of: 1 };

    /// The `index`-th of `of` parts, from 1; `None` if there is no such.
    pub fn new(index: usize, of: usize) -> Option<Self> {
        (1..=of).contains(&index).then_some(Tile { index, of })
    }

    /// Which part, from 1.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Of how many.
    pub fn of(&self) -> usize {
        self.of
    }

    /// Whether what has this number is this part's.
    pub fn has(&self, item: usize) -> bool {
        item % self.of == self.index - 1
    }
}

impl FromStr for Tile {
    type Err = TileError;

    fn from_str(text: &str) -> Result<Self, TileError> {
        let parts = text.split_once('/');
        parts
            .and_then(|(index, of)| Tile::new(index.parse().ok()?, of.parse().ok()?))
            .ok_or_else(|| TileError::Syntax(text.to_owned()))
    }
}

impl std::fmt::Display for Tile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// What was computed.
#[derive(Debug, Clone, Copy)]
pub enum Found {
    /// The height over a cell; it may well be infinite or not a number.
    Height(f64),
    /// A point of the path as the plane sees it.
    Point(PlanePoint),
    /// What is measured at the centre itself.
    Center(f64),
}

/// A surface as far as it is known.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Coordinates along the first direction.
    pub x: Axis,
    /// Coordinates along the second direction.
    pub y: Axis,
    /// The heights, x running fastest; `None` where none is computed yet.
    pub cells: Vec<Option<f64>>,
    /// The points of the path, oldest first.
    pub path: Vec<Option<PlanePoint>>,
    /// What is measured at the centre.
    pub center: Option<f64>,
}

impl Progress {
    /// Nothing, yet, of a surface with a path of `points` points.
    pub fn new(x: Axis, y: Axis, points: usize) -> Self {
        Progress {
            x,
            y,
            cells: vec![None; x.n * y.n],
            path: vec![None; points],
            center: None,
        }
    }

    /// A surface that is known.
    pub fn complete(axes: [Axis; 2], surface: &Surface, path: &PathOnPlane, center: f64) -> Self {
        Progress {
            x: axes[0],
            y: axes[1],
            cells: surface.loss.iter().copied().map(Some).collect(),
            path: path.points.iter().copied().map(Some).collect(),
            center: Some(center),
        }
    }

    /// How much there is to compute in all: cells, path points and the centre.
    pub fn len(&self) -> usize {
        self.cells.len() + self.path.len() + 1
    }

    /// Whether there is nothing to compute, which is never.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// How much is known.
    pub fn count(&self) -> usize {
        (0..self.len()).filter(|&item| self.knows(item)).count()
    }

    /// Whether what has this number is known.
    pub fn knows(&self, item: usize) -> bool {
        if item < self.cells.len() {
            return self.cells[item].is_some();
        }
        match self.path.get(item - self.cells.len()) {
            Some(point) => point.is_some(),
            None => self.center.is_some(),
        }
    }

    /// The numbers of what is `tile`'s and not known.
    pub fn missing(&self, tile: Tile) -> Vec<usize> {
        let own = (0..self.len()).filter(|&item| tile.has(item));
        own.filter(|&item| !self.knows(item)).collect()
    }

    /// What has this number, if it is known.
    pub fn get(&self, item: usize) -> Option<Found> {
        if item < self.cells.len() {
            return self.cells[item].map(Found::Height);
        }
        match self.path.get(item - self.cells.len()) {
            Some(point) => point.map(Found::Point),
            None => self.center.map(Found::Center),
        }
    }

    /// Takes in what has this number.
    pub fn set(&mut self, item: usize, found: Found) {
        let cells = self.cells.len();
        match found {
            Found::Height(height) => self.cells[item] = Some(height),
            Found::Point(point) => self.path[item - cells] = Some(point),
            Found::Center(value) => self.center = Some(value),
        }
    }

    /// Takes in what `other`, of the same surface, knows.
    ///
    /// # Errors
    /// When both know the same thing differently.
    pub fn absorb(&mut self, other: &Progress) -> Result<(), TileError> {
        let width = self.x.n;
        for (k, (mine, theirs)) in self.cells.iter_mut().zip(&other.cells).enumerate() {
            let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
            take(mine, *theirs, same)
                .map_err(|()| conflict(format!("column {}, row {}", k % width, k / width)))?;
        }
        for (k, (mine, theirs)) in self.path.iter_mut().zip(&other.path).enumerate() {
            // Not `==`: where numbers are not finite that is never so.
            let same = |a: PlanePoint, b: PlanePoint| bits(&a) == bits(&b);
            take(mine, *theirs, same).map_err(|()| conflict(format!("point {k} of the path")))?;
        }
        take(&mut self.center, other.center, |a, b| {
            a.to_bits() == b.to_bits()
        })
        .map_err(|()| conflict("the value at the centre".to_owned()))
    }

    /// The surface, with a NaN where nothing is known.
    pub fn surface(&self) -> Surface {
        let height = |(j, i): (usize, usize)| self.cells[j * self.x.n + i].unwrap_or(f64::NAN);
        Surface {
            x: self.x.values(),
            y: self.y.values(),
            loss: Array2::from_shape_fn((self.y.n, self.x.n), height),
        }
    }

    /// The known points of the path.
    pub fn path_on_plane(&self) -> PathOnPlane {
        PathOnPlane {
            points: self.path.iter().copied().flatten().collect(),
        }
    }
}

/// The numbers of a point, in the order of its fields.
pub fn bits(point: &PlanePoint) -> [u64; 8] {
    let [x, y] = [point.x.to_bits(), point.y.to_bits()];
    [
        point.step,
        x,
        y,
        point.recorded_loss.to_bits(),
        point.true_loss.to_bits(),
        point.slice_loss.to_bits(),
        point.residual_squared.to_bits(),
        point.distance_squared.to_bits(),
    ]
}

/// The point of these numbers.
pub fn from_bits(bits: [u64; 8]) -> PlanePoint {
    let [step, rest @ ..] = bits;
    let [x, y, recorded, real, slice, residual, distance] = rest.map(f64::from_bits);
    PlanePoint {
        step,
        x,
        y,
        recorded_loss: recorded,
        true_loss: real,
        slice_loss: slice,
        residual_squared: residual,
        distance_squared: distance,
    }
}

fn conflict(what: String) -> TileError {
    TileError::Conflict(what)
}

fn take<T: Copy>(
    mine: &mut Option<T>,
    theirs: Option<T>,
    same: impl Fn(T, T) -> bool,
) -> Result<(), ()> {
    match (*mine, theirs) {
        (Some(a), Some(b)) if !same(a, b) => Err(()),
        (None, Some(_)) => {
            *mine = theirs;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What is computed, item by item.
pub struct Work<'a, F> {
    /// The heights of cells.
    pub field: &'a F,
    /// How many points the path has.
    pub points: usize,
    /// A point of the path, by its place on it; `None` when it was stopped.
    pub point: &'a (dyn Fn(usize) -> Option<PlanePoint> + Sync),
    /// What is measured at the centre.
    pub center: &'a (dyn Fn() -> f64 + Sync),
}

/// Computes the `items` of `progress`'s surface on the current rayon pool. Each
/// thread takes as many at a time as `block` says, and no more than the field is
/// best asked for, and hands what it found to
/// `found` before it takes the next. Ends early when `stop` is set: then a
/// thread finishes the items that it has begun with.
pub fn fill<F: HeightField>(
    work: &Work<'_, F>,
    [x, y]: [Axis; 2],
    items: &[usize],
    stop: &AtomicBool,
    block: impl Fn() -> usize + Sync,
    found: impl Fn(&[(usize, Found)]) + Sync,
) {
    let cells = x.n * y.n;
    // The path and the centre first, one by one.
    let (cell_items, others): (Vec<usize>, Vec<usize>) = items.iter().partition(|&&i| i < cells);
    let points: Vec<[f64; 2]> = cell_items
        .iter()
        .map(|&item| [x.at(item % x.n), y.at(item / x.n)])
        .collect();
    if !points.is_empty() {
        work.field.prepare(stop);
    }
    let most = work.field.block().max(1);
    let least = work.field.least_block().clamp(1, most);
    let (next_other, next_cell) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let run = || {
        let go_on = || !stop.load(Ordering::Relaxed);
        while go_on() {
            let Some(&item) = others.get(next_other.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            let value = if item - cells < work.points {
                (work.point)(item - cells).map(Found::Point)
            } else {
                Some(Found::Center((work.center)()))
            };
            let Some(value) = value else { break };
            found(&[(item, value)]);
        }
        let mut buffers = work.field.buffers();
        let mut heights = Vec::new();
        while go_on() {
            let size = block().clamp(least, most);
            let begin = next_cell.fetch_add(size, Ordering::Relaxed);
            let end = (begin + size).min(points.len());
            if begin >= end {
                break;
            }
            heights.clear();
            heights.resize(end - begin, f64::NAN);
            work.field
                .heights(&points[begin..end], &mut buffers, &mut heights);
            let named = cell_items[begin..end].iter().copied();
            let results: Vec<_> = named
                .zip(heights.iter().map(|&height| Found::Height(height)))
                .collect();
            found(&results);
        }
    };
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|_| run());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::evaluate;
    use std::sync::Mutex;

    /// Infinite in one place and not a number in another.
    struct Bowl;

    impl HeightField for Bowl {
        type Buffers = ();

        fn buffers(&self) {}

        fn heights(&self, points: &[[f64; 2]], (): &mut (), heights: &mut [f64]) {
            for (&[x, y], height) in points.iter().zip(heights) {
                *height = 1.0 / (x - 1.0).abs() + (y + 0.9).sqrt();
            }
        }
    }

    fn axes() -> [Axis; 2] {
        [
            Axis::new(-1.0, 1.0, 23).unwrap(),
            Axis::new(-1.0, 2.0, 17).unwrap(),
        ]
    }

    fn point(k: usize) -> PlanePoint {
        from_bits([k as u64; 8].map(|b| b + 1))
    }

    /// Computes at most about `most` more items of a part.
    fn some_of(progress: &mut Progress, tile: Tile, most: usize) {
        let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
        let items = progress.missing(tile);
        let axes = [progress.x, progress.y];
        let work = Work {
            field: &Bowl,
            points: progress.path.len(),
            point: &|k| Some(point(k)),
            center: &|| 0.25,
        };
        let held = Mutex::new(progress);
        fill(
            &work,
            axes,
            &items,
            &stop,
            || 3,
            |found| {
                let mut progress = held.lock().unwrap();
                for &(item, value) in found {
                    assert!(!progress.knows(item) && tile.has(item));
                    progress.set(item, value);
                }
                if count.fetch_add(found.len(), Ordering::Relaxed) + found.len() >= most {
                    stop.store(true, Ordering::Relaxed);
                }
            },
        );
    }

    #[test]
    fn parts_in_any_order_and_any_number_make_the_surface_computed_at_once() {
        let [x, y] = axes();
        let go = AtomicBool::new(false);
        let at_once = evaluate(&Bowl, x, y, &go, |_| {}, |_| {}).unwrap();
        for of in [1, 2, 7, 23, 400, 1000] {
            let mut whole = Progress::new(x, y, 5);
            for index in (1..=of).rev() {
                let tile = Tile::new(index, of).unwrap();
                let mut part = Progress::new(x, y, 5);
                while !part.missing(tile).is_empty() {
                    some_of(&mut part, tile, 11);
                }
                whole.absorb(&part).unwrap();
            }
            assert!(whole.missing(Tile::WHOLE).is_empty());
            let bits = |s: &Surface| s.loss.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&whole.surface()), bits(&at_once));
            assert_eq!(whole.center, Some(0.25));
            let steps: Vec<u64> = whole
                .path_on_plane()
                .points
                .iter()
                .map(|p| p.step)
                .collect();
            assert_eq!(steps, [1, 2, 3, 4, 5]);
        }
    }

    #[test]
    fn parts_are_as_large_as_one_another_and_disjoint() {
        let [x, y] = axes();
        let nothing = Progress::new(x, y, 4);
        let mut times = vec![0; nothing.len()];
        for index in 1..=7 {
            let own = nothing.missing(Tile::new(index, 7).unwrap());
            assert!((own.len() as isize - (nothing.len() / 7) as isize).abs() <= 1);
            own.iter().for_each(|&item| times[item] += 1);
        }
        assert!(times.iter().all(|&n| n == 1));
    }

    #[test]
    fn a_computed_nan_is_known_and_another_value_for_the_same_cell_is_refused() {
        let [x, y] = axes();
        let mut mine = Progress::new(x, y, 1);
        mine.set(3, Found::Height(f64::NAN));
        assert!(mine.knows(3) && !mine.knows(4));
        let mut same = Progress::new(x, y, 1);
        same.set(3, Found::Height(f64::NAN));
        same.set(x.n * y.n, Found::Point(point(8)));
        mine.absorb(&same).unwrap();
        assert!(mine.knows(x.n * y.n));
        same.set(3, Found::Height(0.0));
        let error = mine.absorb(&same).unwrap_err();
        assert!(error.to_string().contains("column 3, row 0"), "{error}");
    }

    #[test]
    fn tiles_count_from_one() {
        assert_eq!("7/7".parse(), Ok(Tile { index: 7, of: 7 }));
        for text in ["0/7", "8/7", "1", "1/0", "a/7", "-1/7", ""] {
            assert!(text.parse::<Tile>().is_err(), "{text}");
        }
    }
}
