//! A spectral density: how many eigenvalues of the Hessian lie where.

use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::ticks::{nice_ticks, tick_label};
use super::{FigureError, Tone};
use crate::landscape::curvature::Density;

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct DensityFigure<'a> {
    /// The density.
    pub density: &'a Density,
    /// The number of eigenvalues: what the lowest density worth drawing follows
    /// from.
    pub size: usize,
    /// Eigenvalues that are known by themselves.
    pub eigenvalues: &'a [f64],
    /// The heading.
    pub title: String,
    /// One or two lines below the heading.
    pub subtitle: String,
    /// Dark or light.
    pub tone: Tone,
}

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 540.0;
/// Left, top, width and height of the plot.
const PLOT: (f64, f64, f64, f64) = (86.0, 128.0, 766.0, 330.0);

impl DensityFigure<'_> {
    /// The picture as SVG, the density by its logarithm: down to a tenth of the
    /// height of a single eigenvalue.
    ///
    /// # Errors
    /// When there is no density.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let (left, top, width, height) = PLOT;
        let bottom = top + height;
        let density = self.density;
        let highest = density.density.iter().copied().fold(0.0_f64, f64::max);
        let (Some(&first), Some(&last)) = (density.at.first(), density.at.last()) else {
            return Err(FigureError::Empty("there is no spectral density to draw"));
        };
        let single = 1.0 / (self.size.max(1) as f64 * density.width * std::f64::consts::TAU.sqrt());
        let heights = Scale {
            lo: (0.1 * single).min(0.1 * highest),
            hi: 2.0 * highest,
            log: true,
        };
        if !(heights.lo > 0.0 && heights.hi.is_finite()) {
            return Err(FigureError::Empty("there is no spectral density to draw"));
        }
        let values = Scale {
            lo: first,
            hi: last,
            log: false,
        };
        let x = |value: f64| left + width * values.share(value);
        let y = |value: f64| bottom - height * heights.share(value.max(heights.lo * 1e-3));
        let mut svg = Svg::new(WIDTH, HEIGHT, style.background);
        svg.text((left, 38.0), 22.0, Anchor::Start, style.text, &self.title);
        for (line, y) in self.subtitle.lines().zip([62.0, 84.0]) {
            svg.text((left, y), 14.0, Anchor::Start, style.faint, line);
        }
        for tick in heights.ticks(6) {
            let y = y(tick);
            svg.line((left, y), (left + width, y), style.grid, 1.0, 1.0);
            let at = (left - 10.0, y + 5.0);
            svg.text(at, 14.0, Anchor::End, style.text, &tick_label(tick));
        }
        for tick in nice_ticks(values.lo, values.hi, 8) {
            let at = (x(tick), bottom);
            svg.line(at, (at.0, at.1 + 6.0), style.faint, 1.0, 1.0);
            let at = (at.0, at.1 + 22.0);
            svg.text(at, 14.0, Anchor::Middle, style.text, &tick_label(tick));
        }
        let curve = |errors: f64| -> Vec<(f64, f64)> {
            let values = density.density.iter().zip(&density.standard_error);
            let values = values.map(|(d, e)| d + errors * e);
            let points = density.at.iter().zip(values);
            points.map(|(&at, value)| (x(at), y(value))).collect()
        };
        svg.clipped(PLOT, |svg| {
            if (values.lo..=values.hi).contains(&0.0) {
                let zero = [(x(0.0), top), (x(0.0), bottom)];
                svg.polyline(&zero, style.faint, 1.2, 0.9, "2 4");
            }
            for errors in [-2.0, 2.0] {
                svg.polyline(&curve(errors), style.training, 1.0, 0.45, "");
            }
            svg.polyline(&curve(0.0), style.training, 2.4, 1.0, "");
            for &value in self.eigenvalues {
                let mark = [(x(value), bottom), (x(value), bottom - 14.0)];
                svg.polyline(&mark, style.validation, 2.0, 1.0, "");
            }
        });
        svg.frame(left, top, width, height, style.faint);
        let at = (26.0, top + height / 2.0);
        svg.text_upwards(at, 15.0, Anchor::Middle, style.text, "density (log)");
        let at = (left + width / 2.0, HEIGHT - 22.0);
        svg.text(
            at,
            15.0,
            Anchor::Middle,
            style.text,
            "eigenvalue of the Hessian",
        );
        let y = top - 18.0;
        let line = |svg: &mut Svg, at: f64, width: f64, opacity: f64| {
            let points = [(at, y - 5.0), (at + 28.0, y - 5.0)];
            svg.polyline(&points, style.training, width, opacity, "");
        };
        line(&mut svg, left, 2.4, 1.0);
        let text = "mean of the probes";
        svg.text((left + 35.0, y), 14.0, Anchor::Start, style.training, text);
        line(&mut svg, left + 200.0, 1.0, 0.6);
        let at = (left + 235.0, y);
        svg.text(
            at,
            14.0,
            Anchor::Start,
            style.training,
            "two standard errors",
        );
        if !self.eigenvalues.is_empty() {
            let at = left + 420.0;
            svg.polyline(&[(at, y), (at, y - 12.0)], style.validation, 2.0, 1.0, "");
            let text = "eigenvalues by Lanczos";
            svg.text((at + 10.0, y), 14.0, Anchor::Start, style.validation, text);
        }
        Ok(svg)
    }
}
