//! Where a point of the plane with a loss stands in the scene: the coordinates
//! of the error surface, its height scale, and the nice numbers on its axes.

use crate::app::state::{SURFACE_MAX, SURFACE_MIN};
use crate::landscape::{PathOnPlane, Surface};
use bevy::prelude::*;

/// The least loss that a logarithmic height distinguishes from zero, as a share
/// of the highest.
pub const LOG_FLOOR: f64 = 1e-9;
/// The same for a function, whose minimum may be a grid point with value 0.
pub const FUNCTION_LOG_FLOOR: f64 = 1e-5;

/// A scale is kept while what it is for fills at least this share of it.
const FILLED: f64 = 0.7;

/// How losses become heights.
#[derive(Debug, Clone, PartialEq)]
pub struct HeightScale {
    /// What lies at the floor and at the top; logarithms if `log`.
    low: f64,
    high: f64,
    log: bool,
    /// Losses above the top, which are not shown.
    pub is_cut: bool,
    /// Losses below the floor of a logarithmic scale, shown at the floor.
    pub is_floored: bool,
    /// The losses of the contour lines, rising.
    pub levels: Vec<f64>,
    /// The losses written at the height axis, rising.
    pub ticks: Vec<f64>,
}

impl HeightScale {
    /// A scale for `surface` and the true losses of the path within its range.
    ///
    /// Linear heights begin at 0 unless all losses lie far above it. Where the
    /// highest tenth of the surface towers over the rest, the scale ends lower,
    /// at four times the range of the other nine tenths, and says so.
    pub fn new(surface: &Surface, path: &PathOnPlane, log: bool) -> Self {
        HeightScale::over(&[(surface, path)], log.then_some(LOG_FLOOR))
    }

    /// One scale for all of these surfaces with their paths; logarithmic with
    /// this share of the highest as its floor, if one is given.
    pub fn over(all: &[(&Surface, &PathOnPlane)], log: Option<f64>) -> Self {
        let finite = |s: &Surface| s.loss.iter().copied().filter(|l| l.is_finite()).collect();
        let mut losses: Vec<f64> = all
            .iter()
            .flat_map(|(s, _)| -> Vec<f64> { finite(s) })
            .collect();
        losses.sort_by(f64::total_cmp);
        let (Some(&least), Some(&most)) = (losses.first(), losses.last()) else {
            return HeightScale::between(0.0, 1.0, log);
        };
        // What lies below 0 has no logarithm.
        let log = log.filter(|_| least >= 0.0);
        let most_of_them = losses[(losses.len() - 1) * 9 / 10];
        let cut = least + 4.0 * (most_of_them - least);
        let mut top = if cut > least { most.min(cut) } else { most };
        let mut bottom = least;
        let inside = |v: f64, axis: &[f64]| {
            axis.first().is_some_and(|&a| a <= v) && axis.last().is_some_and(|&b| v <= b)
        };
        let span = top - bottom;
        for (surface, path) in all {
            for point in &path.points {
                let loss = point.true_loss;
                if loss.is_finite() && inside(point.x, &surface.x) && inside(point.y, &surface.y) {
                    bottom = bottom.min(loss);
                    // The path may raise the scale, but not flatten the surface.
                    top = top.max(loss.min(bottom + 1.5 * span));
                }
            }
            if let Some(newest) = path.points.last().filter(|p| p.true_loss.is_finite()) {
                top = top.max(newest.true_loss.min(bottom + 4.0 * span));
            }
        }
        let mut scale = HeightScale::between(bottom, top, log);
        let highest = scale.loss_at(1.0);
        scale.is_cut = most > highest + 1e-9 * highest.abs();
        scale.is_floored = scale.log && least < scale.loss_at(0.0) * (1.0 - 1e-9);
        scale
    }

    /// A scale that shows losses from `low` to `high`, logarithmic with a `floor`.
    fn between(low: f64, high: f64, floor: Option<f64>) -> Self {
        // A surface without relief still gets a scale.
        let high = high.max(low + 1e-6 * low.abs().max(1e-6));
        let floor = floor.filter(|_| high > 0.0);
        let log = floor.is_some();
        let scale = |low, high, levels, ticks| HeightScale {
            low,
            high,
            log,
            is_cut: false,
            is_floored: false,
            levels,
            ticks,
        };
        if let Some(floor) = floor {
            let low = low.max(high * floor);
            let (l, h) = (low.log10(), high.log10());
            let margin = 0.02 * (h - l);
            let levels = log_levels(low, high, 24);
            return scale(l - margin, h + margin, levels, log_levels(low, high, 6));
        }
        let low = if low < 0.4 * high { low.min(0.0) } else { low };
        let step = nice_step((high - low) / 22.0);
        let low = (low / step + 1e-6).floor() * step;
        let high = (high / step - 1e-6).ceil() * step;
        scale(
            low,
            high,
            // None at the floor itself: a flat valley there would be all line.
            nice_between(low + 0.5 * step, high, step),
            nice_ticks(low, high, 5),
        )
    }

    /// Whether heights are logarithms.
    pub fn is_log(&self) -> bool {
        self.log
    }

    /// The scale `before`, where everything fits into it and fills most of it: a
    /// surface that follows is drawn many times a second, and a scale that was
    /// fitted to each one anew would make it tremble.
    pub fn steadied(self, before: &HeightScale) -> HeightScale {
        let slack = 1e-6 * (before.high - before.low);
        let fits = self.low >= before.low - slack && self.high <= before.high + slack;
        let fills = self.high - self.low >= FILLED * (before.high - before.low);
        if self.log != before.log || !(fits && fills) {
            return self;
        }
        HeightScale {
            is_cut: self.is_cut,
            is_floored: self.is_floored,
            ..before.clone()
        }
    }

    /// Gives it about `count` contour lines.
    pub fn divide(&mut self, count: usize) {
        let (low, high) = (self.loss_at(0.0), self.loss_at(1.0));
        self.levels = if self.log {
            log_levels(low, high, count)
        } else {
            let step = nice_step((high - low) / count.max(1) as f64);
            nice_between(low + 0.5 * step, high, step)
        };
    }

    /// Where `loss` lies between floor (0) and top (1); beyond for losses that
    /// are not shown, NaN for what is no number.
    pub fn fraction(&self, loss: f64) -> f64 {
        if !loss.is_finite() {
            return f64::NAN;
        }
        let v = if self.log {
            loss.max(f64::MIN_POSITIVE).log10()
        } else {
            loss
        };
        let fraction = (v - self.low) / (self.high - self.low);
        if self.log {
            fraction.max(0.0)
        } else {
            fraction
        }
    }

    /// The loss at `fraction` of the height.
    pub fn loss_at(&self, fraction: f64) -> f64 {
        let v = self.low + fraction * (self.high - self.low);
        if self.log { 10f64.powf(v) } else { v }
    }

    /// A coordinate that grows by one from each contour line to the next, as a
    /// function of the fraction of the height: at whole numbers lie lines.
    pub fn contours(&self) -> impl Fn(f64) -> f64 + use<> {
        let at: Vec<f64> = self.levels.iter().map(|&l| self.fraction(l)).collect();
        move |fraction| {
            let (Some(&first), Some(&last)) = (at.first(), at.last()) else {
                return 0.5;
            };
            let after = at.partition_point(|&f| f <= fraction);
            // Beyond the first and the last line it goes on as steeply, so that the
            // lines have no teeth, but not as far as to where another would be.
            let gap = |a: usize, b: usize| match (at.get(a), at.get(b)) {
                (Some(low), Some(high)) if high > low => high - low,
                _ => 1.0,
            };
            if after == 0 {
                return -((first - fraction) / gap(0, 1)).min(0.49);
            }
            if after == at.len() {
                let beyond = (fraction - last) / gap(at.len().wrapping_sub(2), at.len() - 1);
                return (at.len() - 1) as f64 + beyond.min(0.49);
            }
            let (below, above) = (at[after - 1], at[after]);
            (after - 1) as f64 + (fraction - below) / (above - below)
        }
    }
}

/// The plane's part that is shown and the heights above it, in the scene.
#[derive(Debug, Clone, PartialEq)]
pub struct SurfaceFrame {
    /// First and last coordinate along the first direction.
    pub x: (f64, f64),
    /// First and last coordinate along the second direction.
    pub y: (f64, f64),
    /// What the axes' numbers add to the coordinates.
    pub origin: (f64, f64),
    /// How losses become heights.
    pub scale: HeightScale,
}

impl SurfaceFrame {
    /// The frame of `surface` with the path in it; `None` without points.
    pub fn new(
        surface: &Surface,
        path: &PathOnPlane,
        origin: (f64, f64),
        log: bool,
    ) -> Option<Self> {
        SurfaceFrame::scaled(surface, origin, HeightScale::new(surface, path, log))
    }

    /// The frame of `surface` with a scale that others may have too.
    pub fn scaled(surface: &Surface, origin: (f64, f64), scale: HeightScale) -> Option<Self> {
        Some(SurfaceFrame {
            x: (*surface.x.first()?, *surface.x.last()?),
            y: (*surface.y.first()?, *surface.y.last()?),
            origin,
            scale,
        })
    }

    /// Where the first coordinate `x` lies: to the right.
    pub fn across(&self, x: f64) -> f32 {
        let t = (x - self.x.0) / (self.x.1 - self.x.0);
        SURFACE_MIN.x + t as f32 * (SURFACE_MAX.x - SURFACE_MIN.x)
    }

    /// Where the second coordinate `y` lies: away from the reader.
    pub fn along(&self, y: f64) -> f32 {
        let t = (y - self.y.0) / (self.y.1 - self.y.0);
        SURFACE_MAX.z - t as f32 * (SURFACE_MAX.z - SURFACE_MIN.z)
    }

    /// Whether (x, y) lies in the part of the plane that is shown.
    pub fn has(&self, x: f64, y: f64) -> bool {
        let inside = |v: f64, (low, high): (f64, f64)| {
            let slack = 1e-6 * (high - low);
            (low - slack..=high + slack).contains(&v)
        };
        inside(x, self.x) && inside(y, self.y)
    }

    /// The height of `loss`, not clipped.
    pub fn height(&self, loss: f64) -> f32 {
        height_of(self.scale.fraction(loss))
    }

    /// The place of the point (x, y) with `loss`, not clipped.
    pub fn place(&self, x: f64, y: f64, loss: f64) -> Vec3 {
        Vec3::new(self.across(x), self.height(loss), self.along(y))
    }
}

/// The height of a fraction of the scale.
pub fn height_of(fraction: f64) -> f32 {
    SURFACE_MIN.y + fraction as f32 * (SURFACE_MAX.y - SURFACE_MIN.y)
}

/// The part of the segment from `a` to `b` that lies in the surface's box, with
/// some room above and below for what stands on the floor or at the top
/// (Liang and Barsky 1984).
pub fn clip_to_box(a: Vec3, b: Vec3) -> Option<(Vec3, Vec3)> {
    if !(a.is_finite() && b.is_finite()) {
        return None;
    }
    let slack = Vec3::splat(1e-3);
    let (low, high) = (SURFACE_MIN - slack, SURFACE_MAX + slack);
    let (mut from, mut to) = (0.0_f32, 1.0_f32);
    let d = b - a;
    for axis in 0..3 {
        if d[axis] == 0.0 {
            if a[axis] < low[axis] || a[axis] > high[axis] {
                return None;
            }
            continue;
        }
        let t = [
            (low[axis] - a[axis]) / d[axis],
            (high[axis] - a[axis]) / d[axis],
        ];
        from = from.max(t[0].min(t[1]));
        to = to.min(t[0].max(t[1]));
    }
    (from <= to).then(|| (a + from * d, a + to * d))
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below `rough`.
pub fn nice_step(rough: f64) -> f64 {
    if !(rough.is_finite() && rough > 0.0) {
        return 1.0;
    }
    let power = 10f64.powf(rough.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let fits = factors.iter().find(|&&f| f * power >= rough * (1.0 - 1e-9));
    fits.unwrap_or(&10.0) * power
}

/// Multiples of a nice step from `low` to `high`, about `count` of them.
pub fn nice_ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    nice_between(low, high, nice_step((high - low) / count as f64))
}

fn nice_between(low: f64, high: f64, step: f64) -> Vec<f64> {
    let slack = 1e-6;
    let first = (low / step - slack).ceil() as i64;
    let last = (high / step + slack).floor() as i64;
    (first..=last.min(first + 1000))
        .map(|k| k as f64 * step)
        .collect()
}

/// At most about `most` nice losses from `low` to `high` for a logarithmic
/// axis: powers of ten, with more between them where there is room; over a
/// short range, equal steps.
fn log_levels(low: f64, high: f64, most: usize) -> Vec<f64> {
    let decades = (high / low).log10();
    if decades < 0.8 {
        return nice_ticks(low, high, most.min(16));
    }
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let fits = |factors: &[f64], every: i32| -> Vec<f64> {
        (first..=last)
            .filter(|k| k.rem_euclid(every) == 0)
            .flat_map(|k| factors.iter().map(move |f| f * 10f64.powi(k)))
            .filter(|&l| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(&l))
            .collect()
    };
    let choices: [(&[f64], i32); 6] = [
        (&[1.0, 1.3, 1.6, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0], 1),
        (&[1.0, 2.0, 5.0], 1),
        (&[1.0, 3.0], 1),
        (&[1.0], 1),
        (&[1.0], 2),
        (&[1.0], 3),
    ];
    let all = choices.iter().map(|(factors, every)| fits(factors, *every));
    let mut fewest = Vec::new();
    for levels in all {
        if levels.len() <= most && !levels.is_empty() {
            return levels;
        }
        if !levels.is_empty() {
            fewest = levels;
        }
    }
    fewest
}

/// A number of an axis whose numbers lie `step` apart: all with as many digits.
pub fn tick_text(value: f64, step: f64) -> String {
    let value = if value.abs() < 1e-9 * step {
        0.0
    } else {
        value
    };
    let digits = -(step.log10() + 1e-9).floor();
    if value.abs() >= 1e5 || digits > 5.0 {
        return short(value);
    }
    format!("{value:.*}", digits.max(0.0) as usize)
}

/// A number in about three digits.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".into();
    }
    if !size.is_finite() || !(1e-3..1e5).contains(&size) {
        let text = format!("{value:.2e}");
        // 1.00e-5 reads better as 1e-5.
        let Some((mantissa, exponent)) = text.split_once('e') else {
            return text;
        };
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
        return format!("{mantissa}e{exponent}");
    }
    let digits = (2.0 - size.log10().floor()).clamp(0.0, 5.0) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
