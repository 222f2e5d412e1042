//! What a network answers over the plane of its two inputs, with the samples that it
//! learns from and those that are held back.

use super::plot::{Plot, sheet};
use super::raster::Pixels;
use super::scale::Scale;
use super::svg::{Anchor, Svg};
use super::ticks::tick_label;
use super::{FigureError, Style, Tone, contour_lines};
use crate::colormap::{Rgb, racer_color};
use crate::insight::field::{Answer, Field};
use ndarray::Array2;

/// A sample in the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanePoint {
    /// Where it lies.
    pub at: [f32; 2],
    /// What is wanted there, as the field has it.
    pub wanted: Answer,
    /// Whether it is held back.
    pub held_back: bool,
}

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct FieldFigure<'a> {
    /// The answers.
    pub field: &'a Field,
    /// The samples.
    pub points: &'a [PlanePoint],
    /// The names of the classes; of values to fit none.
    pub classes: &'a [String],
    /// What 1 stands for where values are fitted.
    pub unit: f64,
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// Dark or light.
    pub tone: Tone,
}

const PLACE: (f64, f64, f64, f64) = (92.0, 96.0, 460.0, 460.0);
const LEGEND: f64 = 584.0;
/// More samples than this are drawn smaller.
const MANY: usize = 400;

impl FieldFigure<'_> {
    /// The picture as SVG.
    ///
    /// # Errors
    /// When the picture of the field cannot be made.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let mut svg = sheet((800.0, 640.0), self.tone, &self.title, &self.subtitle);
        let [x, y] = self.field.domain.map(|[lo, hi]| Scale {
            lo: lo.into(),
            hi: hi.into(),
            log: false,
        });
        let plot = Plot {
            place: PLACE,
            x,
            y,
            names: ["x1", "x2"],
        };
        plot.draw(&mut svg, &style);
        let (left, top, width, height) = PLACE;
        let answers = &self.field.answers;
        let png = image(self.field.resolution, |k| {
            self.color(answers[k], &style, false)
        })?;
        svg.cells(left, top, width, height, &png);
        self.boundary(&mut svg, &style);
        svg.frame(left, top, width, height, style.faint);
        // Many samples are small, so that the field is seen between them.
        let radius = if self.points.len() > MANY { 3.2 } else { 4.4 };
        svg.clipped(PLACE, |svg| {
            for point in self.points {
                let fill = self.color(point.wanted, &style, true);
                let at = plot.at(point.at[0].into(), point.at[1].into());
                dot(svg, (at, radius), fill, point.held_back, &style);
            }
        });
        self.legend(&mut svg, &style);
        Ok(svg)
    }

    /// Of a sample the full colour, of an answer one that is fainter the less sure it is.
    fn color(&self, answer: Answer, style: &Style, full: bool) -> Rgb {
        match answer {
            Answer::Signed(value) => {
                let value = value.clamp(-1.0, 1.0);
                match full {
                    true => style.diverging.at(value),
                    false => style.background.blend(style.diverging.at(value), 0.8),
                }
            }
            Answer::Class { class, margin } => {
                let color = racer_color(class, self.tone == Tone::Light);
                match full {
                    true => color,
                    false => {
                        let sure = margin.clamp(0.0, 1.0);
                        style.background.blend(color, 0.12 + 0.5 * sure)
                    }
                }
            }
        }
    }

    /// Where a signed answer is 0.
    fn boundary(&self, svg: &mut Svg, style: &Style) {
        let n = self.field.resolution;
        let values: Option<Vec<f64>> = self
            .field
            .answers
            .iter()
            .map(|answer| match answer {
                Answer::Signed(value) => Some(f64::from(*value)),
                Answer::Class { .. } => None,
            })
            .collect();
        let Some(grid) = values.and_then(|v| Array2::from_shape_vec((n, n), v).ok()) else {
            return;
        };
        let (left, top, width, height) = PLACE;
        let place = |&(x, y): &(f64, f64)| {
            let (x, y) = ((x + 0.5) / n as f64, (y + 0.5) / n as f64);
            (left + width * x, top + height * (1.0 - y))
        };
        svg.clipped(PLACE, |svg| {
            for line in contour_lines(grid.view(), 0.0) {
                let points: Vec<(f64, f64)> = line.iter().map(place).collect();
                svg.polyline(&points, style.text, 1.6, 0.9, "");
            }
        });
    }

    fn legend(&self, svg: &mut Svg, style: &Style) {
        let mut y = PLACE.1 + 14.0;
        let mut entry = |svg: &mut Svg, fill: Rgb, held_back: bool, name: &str| {
            dot(svg, ((LEGEND + 8.0, y - 5.0), 4.4), fill, held_back, style);
            svg.text((LEGEND + 24.0, y), 14.0, Anchor::Start, style.text, name);
            y += 24.0;
        };
        let several = |answer: &Answer| matches!(answer, Answer::Class { .. });
        let is_several = self.field.answers.first().is_some_and(several);
        for (class, name) in self.classes.iter().enumerate() {
            let answer = match is_several {
                true => Answer::Class { class, margin: 1.0 },
                false => Answer::Signed(if class == 0 { -1.0 } else { 1.0 }),
            };
            entry(svg, self.color(answer, style, true), false, name);
        }
        if self.classes.is_empty() {
            entry(svg, style.diverging.positive, false, "target above 0");
            entry(svg, style.diverging.negative, false, "target below 0");
        }
        if self.points.iter().any(|point| point.held_back) {
            entry(svg, style.faint, true, "held back");
        }
        if is_several {
            return;
        }
        let top = y + 26.0;
        svg.text(
            (LEGEND, y + 10.0),
            14.0,
            Anchor::Start,
            style.text,
            "answer",
        );
        const STEPS: usize = 80;
        let height = 200.0;
        for k in 0..STEPS {
            let value = 1.0 - 2.0 * (k as f32 + 0.5) / STEPS as f32;
            let step = height / STEPS as f64;
            let color = self.color(Answer::Signed(value), style, false);
            svg.rect(LEGEND, top + step * k as f64, 16.0, step + 0.5, color);
        }
        svg.frame(LEGEND, top, 16.0, height, style.faint);
        let label = |value: f64| match self.classes {
            [no, _] if value < 0.0 => no.clone(),
            [_, yes] if value > 0.0 => yes.clone(),
            [_, _] => "undecided".to_owned(),
            _ => tick_label(
                format!("{:.2e}", value * self.unit)
                    .parse()
                    .unwrap_or(value),
            ),
        };
        for value in [1.0, 0.0, -1.0] {
            let y = top + height * (1.0 - value) / 2.0 + 4.0;
            svg.text(
                (LEGEND + 26.0, y),
                13.0,
                Anchor::Start,
                style.text,
                &label(value),
            );
        }
    }
}

/// A sample: a disc, or a ring where it is held back.
fn dot(svg: &mut Svg, (at, radius): ((f64, f64), f64), fill: Rgb, held_back: bool, style: &Style) {
    svg.circle(at, radius, fill, style.background);
    if held_back {
        svg.circle(at, 0.45 * radius, style.background, fill);
    }
}

/// A picture of `n` x `n` cells, of which the first row is at the bottom.
pub(super) fn image(n: usize, color: impl Fn(usize) -> Rgb) -> Result<Vec<u8>, FigureError> {
    let mut rgba = Vec::with_capacity(4 * n * n);
    for row in (0..n).rev() {
        for column in 0..n {
            let [r, g, b] = color(row * n + column).bytes();
            rgba.extend([r, g, b, 255]);
        }
    }
    let pixels = Pixels {
        width: n as u32,
        height: n as u32,
        rgba,
    };
    pixels.png()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_samples_and_the_boundary_are_drawn() {
        let signed = |k: usize| Answer::Signed((k % 8) as f32 / 3.5 - 1.0);
        let several = |k: usize| Answer::Class {
            class: k % 3,
            margin: 0.5,
        };
        let names = ["no", "yes", "perhaps"].map(str::to_owned);
        let point = |held_back| PlanePoint {
            at: [0.5, -0.5],
            wanted: Answer::Signed(1.0),
            held_back,
        };
        let points = [point(false), point(true)];
        let draw = |answers: Vec<Answer>, classes: &[String]| {
            let field = Field {
                resolution: 8,
                domain: [[-1.0, 1.0], [-1.0, 1.0]],
                answers,
            };
            let figure = FieldFigure {
                field: &field,
                points: &points,
                classes,
                unit: 2.5,
                title: String::new(),
                subtitle: String::new(),
                tone: Tone::Light,
            };
            figure.draw().unwrap().finish()
        };
        let two = draw((0..64).map(signed).collect(), &names[..2]);
        assert_eq!(two.matches("<polyline").count(), 1);
        assert!(two.contains("undecided") && two.contains("held back"));
        let three = draw((0..64).map(several).collect(), &names);
        assert!(three.contains("perhaps") && !three.contains("<polyline"));
        let fit = draw((0..64).map(signed).collect(), &[]);
        assert!(fit.contains(">2.5<") && fit.contains(">-2.5<"));
    }
}
