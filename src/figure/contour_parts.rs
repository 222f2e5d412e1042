//! What lies within an error surface's picture: heat map, holes, contour lines
//! with their values, the path, and the colour bar beside them.

use super::contour::ContourFigure;
use super::levels::levels;
use super::marching::contour_lines;
use super::raster::Pixels;
use super::scale::Scale;
use super::svg::{Anchor, Svg, text_width};
use super::ticks::tick_label;
use super::{FigureError, Style};
use crate::colormap::{Rgb, viridis};

/// Left edge and width of the colour bar.
const BAR: (f64, f64) = (716.0, 20.0);
/// Pixels of the heat map a unit, so that it stays smooth at scale 2.
const DETAIL: f64 = 1.5;
/// The size of a contour line's value.
const VALUE: f64 = 12.0;

pub(super) const INK: Rgb = Rgb::hex(0xffffff);
pub(super) const HALO: Rgb = Rgb::hex(0x000000);

/// What a contour line at a share of the scale is drawn with, to be seen on
/// viridis.
fn line_color(share: f64) -> Rgb {
    if share > 0.55 {
        Rgb::hex(0x10131a)
    } else {
        INK
    }
}

impl ContourFigure<'_> {
    pub(super) fn heat_map(&self, scale: Scale, style: &Style) -> Pixels {
        let (_, _, width, height) = self.frame();
        let (width, height) = ((width * DETAIL) as u32, (height * DETAIL) as u32);
        let (xs, ys) = (&self.surface.x, &self.surface.y);
        let along = |values: &[f64], t: f64| {
            let (first, last) = (values[0], values[values.len() - 1]);
            (first + t * (last - first)).clamp(first, last)
        };
        let mut rgba = Vec::with_capacity(4 * (width * height) as usize);
        for row in 0..height {
            let y = along(ys, 1.0 - (f64::from(row) + 0.5) / f64::from(height));
            for column in 0..width {
                let x = along(xs, (f64::from(column) + 0.5) / f64::from(width));
                let loss = self.surface.interpolate(x, y).unwrap_or(f64::NAN);
                let color = if loss.is_finite() {
                    viridis(scale.share(loss) as f32)
                } else {
                    style.grid
                };
                rgba.extend(color.bytes());
                rgba.push(255);
            }
        }
        Pixels {
            width,
            height,
            rgba,
        }
    }

    /// Hatching over cells with a corner that has no finite height: diagonal
    /// where a corner has no value, crossed where one is infinite.
    pub(super) fn holes(&self, svg: &mut Svg, style: &Style) {
        let (xs, ys, loss) = (&self.surface.x, &self.surface.y, &self.surface.loss);
        let (mut without_value, mut infinite) = (Vec::new(), Vec::new());
        for j in 0..ys.len() - 1 {
            for i in 0..xs.len() - 1 {
                let corners = [(j, i), (j, i + 1), (j + 1, i), (j + 1, i + 1)].map(|at| loss[at]);
                let cells = if corners.iter().any(|v| v.is_nan()) {
                    &mut without_value
                } else if corners.iter().any(|v| v.is_infinite()) {
                    &mut infinite
                } else {
                    continue;
                };
                let (left, bottom) = self.at(xs[i], ys[j]);
                let (right, top) = self.at(xs[i + 1], ys[j + 1]);
                cells.push((left, top, right - left, bottom - top));
            }
        }
        svg.hatched(&without_value, style.grid, style.faint, false);
        svg.hatched(&infinite, style.grid, style.text, true);
    }

    /// Contour lines, and the value of each on its longest part.
    pub(super) fn lines(&self, svg: &mut Svg, scale: Scale) {
        let (xs, ys) = (&self.surface.x, &self.surface.y);
        // Interpolated in heights, so that lines on a log scale sit right.
        let heights = self.surface.loss.mapv(|v| scale.share(v));
        let between = |values: &[f64], t: f64| {
            let last = values.len() - 1;
            let i = (t.floor() as usize).min(last.saturating_sub(1));
            values[i] + (t - i as f64) * (values[i + 1] - values[i])
        };
        let all: Vec<(f64, Vec<Line>)> = levels(scale)
            .into_iter()
            .map(|level| {
                let place = |(i, j)| self.at(between(xs, i), between(ys, j));
                let lines = contour_lines(heights.view(), scale.share(level));
                let placed = |line: Line| line.into_iter().map(place).collect();
                (level, lines.into_iter().map(placed).collect())
            })
            .collect();
        let mut values: Vec<Value> = Vec::new();
        for (level, lines) in &all {
            let height = scale.share(*level);
            for line in lines {
                svg.polyline(line, line_color(height), 1.0, 0.45, "");
            }
            let others: Vec<(f64, f64)> = all
                .iter()
                .filter(|(other, _)| other != level)
                .flat_map(|(_, lines)| lines.iter().flatten().copied())
                .collect();
            let longest = lines.iter().max_by(|a, b| length(a).total_cmp(&length(b)));
            let value =
                longest.and_then(|line| self.value(line, (*level, height), &values, &others));
            values.extend(value);
        }
        for value in values {
            svg.turned_label(
                value.at,
                VALUE,
                (line_color(value.height), viridis(value.height as f32)),
                value.turn,
                &value.text,
            );
        }
    }

    /// Where on a line its value has room, clear of the edge, the path, other
    /// values and other lines; as close to the middle as possible.
    fn value(
        &self,
        line: &[(f64, f64)],
        (level, height): (f64, f64),
        values: &[Value],
        other_lines: &[(f64, f64)],
    ) -> Option<Value> {
        let text = tick_label(level);
        let half = text_width(&text, VALUE) / 2.0 + 4.0;
        if length(line) < 5.0 * half {
            return None;
        }
        let (left, top, width, plot_height) = self.frame();
        let inside = |(x, y): (f64, f64)| {
            (left + half + 6.0..left + width - half - 6.0).contains(&x)
                && (top + half + 6.0..top + plot_height - half - 6.0).contains(&y)
        };
        let path: Vec<(f64, f64)> = self
            .path
            .iter()
            .flat_map(|path| &path.points)
            .map(|p| self.at(p.x, p.y))
            .collect();
        let far = |a: (f64, f64), b: (f64, f64), apart: f64| (a.0 - b.0).hypot(a.1 - b.1) > apart;
        let middle = line.len() / 2;
        let mut places: Vec<usize> = (1..line.len().saturating_sub(1)).collect();
        places.sort_by_key(|&k| k.abs_diff(middle));
        places.into_iter().find_map(|k| {
            let at = line[k];
            let (from, to) = (back(line, k, half), ahead(line, k, half));
            let chord = (to.0 - from.0).hypot(to.1 - from.1);
            // On a bend a straight text would leave its line.
            let straight = chord > 1.8 * half;
            let clear = values.iter().all(|o| far(o.at, at, 2.0 * half + 24.0))
                && path.iter().all(|&p| far(p, at, half + 6.0))
                && other_lines.iter().all(|&p| far(p, at, VALUE));
            if !(inside(at) && straight && clear) {
                return None;
            }
            let turn = (to.1 - from.1).atan2(to.0 - from.0).to_degrees();
            let upright = match turn {
                t if t > 90.0 => t - 180.0,
                t if t <= -90.0 => t + 180.0,
                t => t,
            };
            Some(Value {
                at,
                turn: upright,
                height,
                text: text.clone(),
            })
        })
    }

    pub(super) fn path(&self, svg: &mut Svg) {
        let Some(path) = self.path else { return };
        let points: Vec<(f64, f64)> = path
            .points
            .iter()
            .filter(|p| p.x.is_finite() && p.y.is_finite())
            // Far outside the picture numbers only cost precision.
            .map(|p| self.at(p.x, p.y))
            .map(|(x, y)| (x.clamp(-1e5, 1e5), y.clamp(-1e5, 1e5)))
            .collect();
        svg.polyline(&points, HALO, 4.5, 0.55, "");
        svg.polyline(&points, INK, 2.0, 1.0, "");
        if let (Some(&first), Some(&last)) = (points.first(), points.last()) {
            svg.circle(first, 5.0, HALO, INK);
            svg.circle(last, 6.0, INK, HALO);
        }
    }

    /// The colour bar with its ticks, its name and the contour lines' places.
    pub(super) fn bar(
        &self,
        svg: &mut Svg,
        scale: Scale,
        style: &Style,
    ) -> Result<(), FigureError> {
        let (_, top, _, height) = self.frame();
        let (left, width) = BAR;
        let right = left + width;
        let n = 256;
        let rgba = (0..n)
            .flat_map(|i| {
                let [r, g, b] = viridis(1.0 - i as f32 / (n - 1) as f32).bytes();
                [r, g, b, 255]
            })
            .collect();
        let gradient = Pixels {
            width: 1,
            height: n,
            rgba,
        };
        svg.image(left, top, width, height, &gradient.png()?);
        let at = |value: f64| top + height * (1.0 - scale.share(value));
        for level in levels(scale) {
            let (y, color) = (at(level), line_color(scale.share(level)));
            svg.line((left, y), (right, y), color, 1.0, 0.45);
        }
        svg.frame(left, top, width, height, style.faint);
        let mut widest: f64 = 0.0;
        let mut ticks = scale.ticks(7);
        if ticks.is_empty() {
            ticks.push(scale.lo);
        }
        for tick in ticks {
            let y = at(tick);
            svg.line((right, y), (right + 5.0, y), style.faint, 1.0, 1.0);
            let (place, label) = ((right + 9.0, y + 5.0), tick_label(tick));
            svg.text(place, 13.0, Anchor::Start, style.text, &label);
            widest = widest.max(text_width(&label, 13.0));
        }
        let name = if scale.log {
            format!("{} (log scale)", self.height)
        } else {
            self.height.clone()
        };
        let middle = (right + widest + 28.0, top + height / 2.0);
        svg.text_upwards(middle, 15.0, Anchor::Middle, style.text, &name);
        Ok(())
    }
}

/// Points of a line.
type Line = Vec<(f64, f64)>;

/// A contour line's value, where it is to stand.
struct Value {
    at: (f64, f64),
    turn: f64,
    height: f64,
    text: String,
}

fn length(line: &[(f64, f64)]) -> f64 {
    let pairs = line.windows(2);
    pairs
        .map(|p| (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1))
        .sum()
}

/// The point of a line at least `distance` after its point `k`.
fn ahead(line: &[(f64, f64)], k: usize, distance: f64) -> (f64, f64) {
    let far = |p: &&(f64, f64)| (p.0 - line[k].0).hypot(p.1 - line[k].1) >= distance;
    let found = line[k..].iter().find(far);
    *found.unwrap_or(&line[line.len() - 1])
}

/// The point of a line at least `distance` before its point `k`.
fn back(line: &[(f64, f64)], k: usize, distance: f64) -> (f64, f64) {
    let far = |p: &&(f64, f64)| (p.0 - line[k].0).hypot(p.1 - line[k].1) >= distance;
    let found = line[..=k].iter().rev().find(far);
    *found.unwrap_or(&line[0])
}
