//! An error surface as a picture: heat map, contour lines, axes, colour bar,
//! and the optimiser's path over it.

use super::marching::contour_lines;
use super::raster::Pixels;
use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::ticks::{nice_ticks, tick_label};
use super::{FigureError, Style, Tone};
use crate::colormap::{Rgb, viridis};
use crate::landscape::{PathOnPlane, Surface};

/// How losses become heights and colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Heights {
    /// By the logarithm where the losses are positive and span more than a
    /// factor of 30, else as they are.
    #[default]
    Auto,
    /// As they are.
    Linear,
    /// By their logarithm; as they are where one is not positive.
    Log,
}

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct ContourFigure<'a> {
    /// The surface; its coordinates are evenly spaced.
    pub surface: &'a Surface,
    /// A path to draw over it.
    pub path: Option<&'a PathOnPlane>,
    /// The heading.
    pub title: String,
    /// One or two lines below the heading.
    pub subtitle: String,
    /// What the first coordinate is.
    pub x_label: String,
    /// What the second coordinate is.
    pub y_label: String,
    /// What the heights are, such as `loss`.
    pub height: String,
    /// The scale of losses.
    pub heights: Heights,
    /// Dark or light.
    pub tone: Tone,
}

const WIDTH: f64 = 840.0;
const HEIGHT: f64 = 740.0;
/// Left, top, width and height of the plot.
const PLOT: (f64, f64, f64, f64) = (86.0, 104.0, 600.0, 560.0);
/// Left and width of the colour bar.
const BAR: (f64, f64) = (714.0, 20.0);
/// Pixels of the heat map a unit, so that it stays smooth at scale 2.
const DETAIL: f64 = 1.5;
/// About so many contour lines.
const LINES: usize = 14;

/// How the surface's losses become heights from 0 to 1.
fn scale_of(surface: &Surface, heights: Heights) -> Option<Scale> {
    let (lo, hi) = surface.range()?;
    let log = lo > 0.0
        && match heights {
            Heights::Linear => false,
            Heights::Log => true,
            Heights::Auto => hi / lo > 30.0,
        };
    Some(Scale { lo, hi, log })
}

/// The losses at which lines are drawn.
fn levels(scale: Scale) -> Vec<f64> {
    let (lo, hi) = (scale.raw(scale.lo), scale.raw(scale.hi));
    let step = nice_ticks(lo, hi, LINES);
    step.into_iter()
        .map(|v| if scale.log { 10f64.powf(v) } else { v })
        .collect()
}

impl ContourFigure<'_> {
    /// Units from top to bottom of the picture.
    pub const HEIGHT: f64 = HEIGHT;

    /// The picture as SVG.
    ///
    /// # Errors
    /// When no loss of the surface is finite, or it has fewer than 2 by 2 points.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let surface = self.surface;
        if surface.x.len() < 2 || surface.y.len() < 2 {
            return Err(FigureError::Empty("a surface needs at least 2 by 2 points"));
        }
        let scale = scale_of(surface, self.heights).ok_or(FigureError::Empty(
            "no loss of this surface is finite; choose a smaller range",
        ))?;
        let mut svg = Svg::new(WIDTH, HEIGHT, style.background);
        let (left, top, width, height) = PLOT;
        svg.text((left, 38.0), 22.0, Anchor::Start, style.text, &self.title);
        for (line, y) in self.subtitle.lines().zip([62.0, 84.0]) {
            svg.text((left, y), 14.0, Anchor::Start, style.faint, line);
        }
        let heat = self.heat_map(scale, &style).png()?;
        svg.image(left, top, width, height, &heat);
        svg.clipped(PLOT, |svg| {
            self.lines(svg, scale);
            self.path(svg);
        });
        svg.frame(left, top, width, height, style.faint);
        self.axes(&mut svg, &style);
        bar(&mut svg, scale, &self.height, &style)?;
        Ok(svg)
    }

    /// Where the plot stands: left, top, width and height.
    pub(super) fn frame(&self) -> (f64, f64, f64, f64) {
        PLOT
    }

    /// Where the plane's point (x, y) is in the picture.
    pub(super) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let (left, top, width, height) = PLOT;
        let share = |values: &[f64], v: f64| {
            let (first, last) = (values[0], values[values.len() - 1]);
            (v - first) / (last - first)
        };
        (
            left + width * share(&self.surface.x, x),
            top + height * (1.0 - share(&self.surface.y, y)),
        )
    }

    fn heat_map(&self, scale: Scale, style: &Style) -> Pixels {
        let (width, height) = ((PLOT.2 * DETAIL) as u32, (PLOT.3 * DETAIL) as u32);
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

    fn lines(&self, svg: &mut Svg, scale: Scale) {
        let (xs, ys) = (&self.surface.x, &self.surface.y);
        // Interpolated in heights, so that lines on a log scale sit right.
        let heights = self.surface.loss.mapv(|v| scale.share(v));
        let between = |values: &[f64], t: f64| {
            let last = values.len() - 1;
            let i = (t.floor() as usize).min(last.saturating_sub(1));
            values[i] + (t - i as f64) * (values[i + 1] - values[i])
        };
        for level in levels(scale) {
            let height = scale.share(level);
            let color = if height > 0.55 {
                Rgb::hex(0x10131a)
            } else {
                Rgb::hex(0xffffff)
            };
            for line in contour_lines(heights.view(), height) {
                let points: Vec<(f64, f64)> = line
                    .into_iter()
                    .map(|(i, j)| self.at(between(xs, i), between(ys, j)))
                    .collect();
                svg.polyline(&points, color, 1.0, 0.4, "");
            }
        }
    }

    fn path(&self, svg: &mut Svg) {
        let Some(path) = self.path else { return };
        let points: Vec<(f64, f64)> = path
            .points
            .iter()
            .filter(|p| p.x.is_finite() && p.y.is_finite())
            // Far outside the picture numbers only cost precision.
            .map(|p| self.at(p.x, p.y))
            .map(|(x, y)| (x.clamp(-1e5, 1e5), y.clamp(-1e5, 1e5)))
            .collect();
        let (ink, halo) = (Rgb::hex(0xffffff), Rgb::hex(0x000000));
        svg.polyline(&points, halo, 4.5, 0.55, "");
        svg.polyline(&points, ink, 2.0, 1.0, "");
        if let (Some(&first), Some(&last)) = (points.first(), points.last()) {
            svg.circle(first, 5.0, halo, ink);
            svg.circle(last, 6.0, ink, halo);
        }
    }

    fn axes(&self, svg: &mut Svg, style: &Style) {
        let (left, top, width, height) = PLOT;
        let bottom = top + height;
        let ends = |values: &[f64]| (values[0], values[values.len() - 1]);
        let (lo, hi) = ends(&self.surface.x);
        for tick in nice_ticks(lo, hi, 6) {
            let (x, _) = self.at(tick, self.surface.y[0]);
            svg.line((x, bottom), (x, bottom + 6.0), style.faint, 1.0, 1.0);
            let label = tick_label(tick);
            svg.text((x, bottom + 22.0), 14.0, Anchor::Middle, style.text, &label);
        }
        let (lo, hi) = ends(&self.surface.y);
        for tick in nice_ticks(lo, hi, 6) {
            let (_, y) = self.at(self.surface.x[0], tick);
            svg.line((left - 6.0, y), (left, y), style.faint, 1.0, 1.0);
            let label = tick_label(tick);
            svg.text(
                (left - 10.0, y + 5.0),
                14.0,
                Anchor::End,
                style.text,
                &label,
            );
        }
        let middle = (left + width / 2.0, bottom + 50.0);
        svg.text(middle, 15.0, Anchor::Middle, style.text, &self.x_label);
        let middle = (26.0, top + height / 2.0);
        svg.text_upwards(middle, 15.0, Anchor::Middle, style.text, &self.y_label);
    }
}

fn bar(svg: &mut Svg, scale: Scale, name: &str, style: &Style) -> Result<(), FigureError> {
    let (_, top, _, height) = PLOT;
    let (left, width) = BAR;
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
    svg.frame(left, top, width, height, style.faint);
    for tick in scale.ticks(7) {
        let y = top + height * (1.0 - scale.share(tick));
        let right = left + width;
        svg.line((right, y), (right + 5.0, y), style.faint, 1.0, 1.0);
        let label = tick_label(tick);
        svg.text(
            (right + 9.0, y + 5.0),
            13.0,
            Anchor::Start,
            style.text,
            &label,
        );
    }
    let name = if scale.log {
        format!("{name} (log)")
    } else {
        name.to_owned()
    };
    svg.text((left, top - 12.0), 14.0, Anchor::Start, style.text, &name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::rasterise;
    use crate::landscape::PlanePoint;
    use ndarray::Array2;

    fn bowl(n: usize) -> Surface {
        let axis: Vec<f64> = (0..n)
            .map(|i| 2.0 * i as f64 / (n - 1) as f64 - 1.0)
            .collect();
        Surface {
            loss: Array2::from_shape_fn((n, n), |(j, i)| axis[i].powi(2) + 2.0 * axis[j] + 3.0),
            x: axis.clone(),
            y: axis,
        }
    }

    fn figure(surface: &Surface) -> ContourFigure<'_> {
        ContourFigure {
            surface,
            path: None,
            title: "bowl & <slope>".to_owned(),
            subtitle: String::new(),
            x_label: "u".to_owned(),
            y_label: "v".to_owned(),
            height: "loss".to_owned(),
            heights: Heights::Auto,
            tone: Tone::Dark,
        }
    }

    fn pixel(svg: Svg, x: f64, y: f64) -> [u8; 3] {
        let picture = rasterise(&svg.finish(), 1.0).unwrap();
        let at = 4 * (y as usize * picture.width as usize + x as usize);
        [picture.rgba[at], picture.rgba[at + 1], picture.rgba[at + 2]]
    }

    #[test]
    fn losses_grow_upwards_along_y_and_the_colours_are_viridis_ends() {
        let surface = bowl(21);
        let svg = figure(&surface).draw().unwrap();
        let (left, top, width, height) = PLOT;
        let near = |a: [u8; 3], b: [u8; 3]| {
            a.iter()
                .zip(b)
                .all(|(&a, b)| (i32::from(a) - i32::from(b)).abs() < 24)
        };
        let lowest = pixel(svg.clone(), left + width / 2.0 + 3.0, top + height - 3.0);
        let highest = pixel(svg, left + 3.0, top + 3.0);
        assert!(near(lowest, [68, 1, 84]), "{lowest:?}");
        assert!(near(highest, [253, 231, 37]), "{highest:?}");
    }

    #[test]
    fn a_path_is_drawn_where_its_points_project() {
        let surface = bowl(21);
        let point = |x: f64| PlanePoint {
            step: 0,
            x,
            y: 0.0,
            recorded_loss: 3.0,
            true_loss: 3.0,
            slice_loss: 3.0,
            residual_squared: 0.0,
            distance_squared: 1.0,
        };
        let path = PathOnPlane {
            points: vec![point(-1.0), point(0.5), point(f64::NAN)],
        };
        let mut figure = figure(&surface);
        figure.path = Some(&path);
        let (x, y) = figure.at(-0.5, 0.0);
        assert_eq!(pixel(figure.draw().unwrap(), x, y), [255, 255, 255]);
    }

    #[test]
    fn a_surface_without_finite_losses_is_refused_and_a_flat_one_is_drawn() {
        let mut surface = bowl(5);
        surface.loss.fill(f64::NAN);
        assert!(figure(&surface).draw().is_err());
        surface.loss.fill(2.0);
        assert!(figure(&surface).draw().is_ok());
        surface.loss[[1, 1]] = f64::INFINITY;
        assert!(figure(&surface).draw().is_ok());
    }
}
