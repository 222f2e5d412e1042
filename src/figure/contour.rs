//! An error surface as a picture: what it shows, and where everything stands.

use super::missing::Missing;
use super::scale::Scale;
use super::svg::{Anchor, Svg, text_width, wrap};
use super::ticks::{nice_ticks, tick_label};
use super::{FigureError, Style, Tone};
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
    /// The heading; empty for none.
    pub title: String,
    /// Lines below the heading, wrapped where they are long; empty for none.
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
/// Left edge, width and height of the plot.
const LEFT: f64 = 92.0;
const PLOT: (f64, f64) = (600.0, 560.0);
const TITLE: f64 = 22.0;
const SUBTITLE: f64 = 14.0;
/// From one line of the subtitle to the next.
const LINE: f64 = 21.0;
/// From one row of the legend to the next.
const ROW: f64 = 26.0;

/// Where the plot stands: left, top, width and height.
pub(super) type Frame = (f64, f64, f64, f64);

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

impl ContourFigure<'_> {
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
        let scale = self.scale()?;
        let frame = self.frame();
        let (left, top, width, height) = frame;
        let mut svg = Svg::new(WIDTH, self.total_height(), style.background);
        self.heading(&mut svg, &style);
        let heat = self.heat_map(scale, &style).png()?;
        svg.image(left, top, width, height, &heat);
        svg.clipped(frame, |svg| {
            self.holes(svg, &style);
            self.lines(svg, scale);
            self.path(svg);
        });
        svg.frame(left, top, width, height, style.faint);
        self.axes(&mut svg, &style);
        self.bar(&mut svg, scale, &style)?;
        let mut row = top + height + 80.0;
        for items in self.legend_rows() {
            let mut x = left;
            for item in items {
                item.draw(&mut svg, (x, row), &style);
                x += item.width();
            }
            row += ROW;
        }
        Ok(svg)
    }

    /// Units from top to bottom of the picture.
    pub fn total_height(&self) -> f64 {
        let (_, top, _, height) = self.frame();
        top + height + 66.0 + ROW * self.legend_rows().len() as f64
    }

    /// How heights become shares of the scale.
    ///
    /// # Errors
    /// When no height of the surface is finite.
    pub fn scale(&self) -> Result<Scale, FigureError> {
        scale_of(self.surface, self.heights).ok_or(FigureError::Empty(
            "no height of this surface is finite; choose a smaller range",
        ))
    }

    /// The points that have no height.
    pub fn missing(&self) -> Missing {
        Missing::of(self.surface)
    }

    fn subtitle_lines(&self) -> Vec<String> {
        let width = WIDTH - LEFT - 20.0;
        let lines = self.subtitle.lines();
        lines.flat_map(|line| wrap(line, SUBTITLE, width)).collect()
    }

    pub(super) fn frame(&self) -> Frame {
        let title = if self.title.is_empty() { 0.0 } else { 40.0 };
        let lines = self.subtitle_lines().len() as f64;
        let top = title + LINE * lines + if title + lines > 0.0 { 22.0 } else { 26.0 };
        (LEFT, top, PLOT.0, PLOT.1)
    }

    fn heading(&self, svg: &mut Svg, style: &Style) {
        let mut y = 24.0;
        if !self.title.is_empty() {
            let room = WIDTH - LEFT - 20.0;
            let size = TITLE * (room / text_width(&self.title, TITLE)).min(1.0);
            svg.text((LEFT, 38.0), size, Anchor::Start, style.text, &self.title);
            y = 62.0;
        }
        for line in self.subtitle_lines() {
            svg.text((LEFT, y), SUBTITLE, Anchor::Start, style.faint, &line);
            y += LINE;
        }
    }

    /// Where the plane's point (x, y) is in the picture.
    pub(super) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let (left, top, width, height) = self.frame();
        let share = |values: &[f64], v: f64| {
            let (first, last) = (values[0], values[values.len() - 1]);
            (v - first) / (last - first)
        };
        (
            left + width * share(&self.surface.x, x),
            top + height * (1.0 - share(&self.surface.y, y)),
        )
    }

    fn axes(&self, svg: &mut Svg, style: &Style) {
        let (left, top, width, height) = self.frame();
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
            let (place, label) = ((left - 10.0, y + 5.0), tick_label(tick));
            svg.text(place, 14.0, Anchor::End, style.text, &label);
        }
        let fitted = |text: &str, room: f64| 15.0 * (room / text_width(text, 15.0)).min(1.0);
        let middle = (left + width / 2.0, bottom + 48.0);
        let size = fitted(&self.x_label, width + 80.0);
        svg.text(middle, size, Anchor::Middle, style.text, &self.x_label);
        let middle = (24.0, top + height / 2.0);
        let size = fitted(&self.y_label, height + 40.0);
        svg.text_upwards(middle, size, Anchor::Middle, style.text, &self.y_label);
    }
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
        let (left, top, width, height) = figure(&surface).frame();
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
