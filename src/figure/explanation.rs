//! Why a network says what it says: the sample, the part that its answer rests on, and
//! maps by several methods; of tables, bars.

use super::heat::{self, Sense};
use super::svg::{Anchor, Svg, wrap};
use super::ticks::{nice_ticks, tick_label};
use super::{FigureError, Style, Tone};
use crate::insight::picture::Picture;

/// What one method found.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribution {
    /// Its heading.
    pub title: String,
    /// A line below it.
    pub note: String,
    /// One number for each value of the sample.
    pub values: Vec<f64>,
    /// Whether 0 is the middle of its numbers; else they begin there.
    pub signed: bool,
}

/// The sample without a part.
#[derive(Debug, Clone, PartialEq)]
pub struct Covered {
    /// Its values.
    pub sample: Vec<f64>,
    /// Whether a value was changed.
    pub changed: Vec<bool>,
    /// What the network says then.
    pub note: String,
}

/// How a sample looks.
#[derive(Debug, Clone, PartialEq)]
pub enum Look<'a> {
    /// As a picture, black at the first number and white at the second.
    Picture(Picture, [f64; 2]),
    /// As a table's row: the names of its values.
    Row(&'a [String]),
}

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct ExplanationFigure<'a> {
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// What is said to people who know no mathematics.
    pub sentence: String,
    /// How the sample looks.
    pub look: Look<'a>,
    /// The sample, as the network sees it.
    pub sample: &'a [f64],
    /// The sample's values with nothing there.
    pub baseline: &'a [f64],
    /// What stands below the sample.
    pub note: String,
    /// The sample without the part that the sentence names.
    pub covered: Option<Covered>,
    /// The maps.
    pub maps: &'a [Attribution],
    /// Dark or light.
    pub tone: Tone,
}

const MARGIN: f64 = 40.0;
/// The side of a panel, and from one panel's left edge to the next's.
const SIDE: f64 = 216.0;
const ACROSS: f64 = 252.0;
/// From one panel's top to the next's below, and what its heading takes of it.
const DOWN: f64 = 314.0;
const HEAD: f64 = 46.0;
/// Panels in a row.
const COLUMNS: usize = 4;
/// Rows of a table that are drawn: those with the largest bars.
const MOST_ROWS: usize = 24;

impl ExplanationFigure<'_> {
    /// The picture as SVG.
    ///
    /// # Errors
    /// When there is nothing to draw.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        if self.maps.is_empty() && self.covered.is_none() {
            return Err(FigureError::Empty("there is no explanation to draw"));
        }
        match &self.look {
            Look::Picture(picture, range) => self.panels(*picture, *range),
            Look::Row(names) => Ok(self.bars(names)),
        }
    }

    /// Heading and sentence; gives where they end.
    fn head(&self, svg: &mut Svg, width: f64, style: &Style) -> f64 {
        svg.text((MARGIN, 40.0), 22.0, Anchor::Start, style.text, &self.title);
        svg.text(
            (MARGIN, 64.0),
            14.0,
            Anchor::Start,
            style.faint,
            &self.subtitle,
        );
        let mut y = 70.0;
        for line in self.sentence_lines(width) {
            y += 26.0;
            svg.text((MARGIN, y), 19.0, Anchor::Start, style.text, &line);
        }
        y + 20.0
    }

    fn sentence_lines(&self, width: f64) -> Vec<String> {
        wrap(&self.sentence, 19.0, width - 2.0 * MARGIN)
    }

    fn panels(&self, picture: Picture, range: [f64; 2]) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let count = 1 + usize::from(self.covered.is_some()) + self.maps.len();
        let columns = count.clamp(2, COLUMNS);
        let width = 2.0 * MARGIN + ACROSS * (columns as f64 - 1.0) + SIDE;
        let width = width.max(620.0);
        let top = 90.0 + 26.0 * self.sentence_lines(width).len() as f64;
        let height = top + DOWN * count.div_ceil(columns) as f64 + 8.0;
        let mut svg = Svg::new(width, height, style.background);
        self.head(&mut svg, width, &style);
        let differences = self.sample.iter().zip(self.baseline);
        let ink: Vec<f64> = differences.map(|(x, b)| (x - b).abs()).collect();
        let ink = picture.flattened(&ink);
        let mut number = 0;
        let mut panel = |svg: &mut Svg, title: &str, note: &str| -> heat::Frame {
            let left = MARGIN + ACROSS * (number % columns) as f64;
            let top = top + DOWN * (number / columns) as f64;
            number += 1;
            svg.text((left, top + 18.0), 16.0, Anchor::Start, style.text, title);
            svg.text((left, top + 37.0), 12.5, Anchor::Start, style.faint, note);
            heat::fitted(picture, (left, top + HEAD, SIDE))
        };
        let frame = panel(&mut svg, "The sample", &self.note);
        heat::photo(&mut svg, frame, picture, self.sample, range)?;
        border(&mut svg, frame, &style);
        if let Some(covered) = &self.covered {
            let frame = panel(&mut svg, "Without that part", &covered.note);
            heat::photo(&mut svg, frame, picture, &covered.sample, range)?;
            let changed: Vec<f64> = covered.changed.iter().map(|&c| f64::from(c)).collect();
            hatch(
                &mut svg,
                frame,
                picture,
                &picture.flattened(&changed),
                &style,
            );
            border(&mut svg, frame, &style);
        }
        for map in self.maps {
            let frame = panel(&mut svg, &map.title, &map.note);
            let sense = if map.signed {
                Sense::Signed
            } else {
                Sense::Amount
            };
            let mut values = picture.flattened(&map.values);
            if !map.signed {
                // The same in every channel.
                let channels = picture.shape.channels as f64;
                values.iter_mut().for_each(|v| *v /= channels);
            }
            heat::map(&mut svg, frame, picture, &values, sense, &style)?;
            heat::outline(&mut svg, frame, picture, &ink, &style);
            border(&mut svg, frame, &style);
        }
        Ok(svg)
    }

    /// A row for each value, a column for each method.
    fn bars(&self, names: &[String]) -> Svg {
        let style = self.tone.style();
        let rows = self.rows();
        let label = 190.0;
        let column = 200.0;
        let width = (2.0 * MARGIN + label + (column + 16.0) * self.maps.len() as f64).max(760.0);
        let top = 90.0 + 26.0 * self.sentence_lines(width).len() as f64;
        let line = 24.0;
        let height = top + 64.0 + line * rows.len() as f64 + 44.0;
        let mut svg = Svg::new(width, height, style.background);
        self.head(&mut svg, width, &style);
        let first = top + 64.0;
        for (k, &row) in rows.iter().enumerate() {
            let y = first + line * (k as f64 + 0.5) + 5.0;
            let name = names.get(row).map_or("", String::as_str);
            let at = (MARGIN + label - 10.0, y);
            svg.text(at, 14.0, Anchor::End, style.text, name);
        }
        for (k, map) in self.maps.iter().enumerate() {
            let left = MARGIN + label + (column + 16.0) * k as f64;
            svg.text(
                (left, top + 20.0),
                16.0,
                Anchor::Start,
                style.text,
                &map.title,
            );
            svg.text(
                (left, top + 40.0),
                12.5,
                Anchor::Start,
                style.faint,
                &map.note,
            );
            let most = map.values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
            let most = if most > 0.0 { most } else { 1.0 };
            let bottom = first + line * rows.len() as f64;
            let x = |value: f64| left + 0.5 * column * (1.0 + value / (1.05 * most));
            for tick in nice_ticks(-most, most, 3) {
                svg.line((x(tick), first), (x(tick), bottom), style.grid, 1.0, 1.0);
                let at = (x(tick), bottom + 18.0);
                svg.text(at, 12.0, Anchor::Middle, style.faint, &tick_label(tick));
            }
            for (place, &row) in rows.iter().enumerate() {
                let value = map.values[row];
                let (from, to) = (x(value.min(0.0)), x(value.max(0.0)));
                let y = first + line * place as f64 + 4.0;
                let color = style.diverging.at(value.signum() as f32);
                svg.rect(from, y, (to - from).max(0.5), line - 8.0, color);
            }
            svg.line((x(0.0), first), (x(0.0), bottom), style.faint, 1.0, 1.0);
        }
        svg
    }

    /// The values to draw: all, or those with the largest bars, in their order.
    fn rows(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.sample.len()).collect();
        let size = |row: usize| -> f64 {
            let shares = self.maps.iter().map(|map| {
                let most = map.values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
                map.values[row].abs() / most.max(f64::MIN_POSITIVE)
            });
            shares.fold(0.0, f64::max)
        };
        rows.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
        rows.truncate(MOST_ROWS);
        rows.sort_unstable();
        rows
    }
}

fn border(svg: &mut Svg, (left, top, width, height): heat::Frame, style: &Style) {
    svg.frame(left, top, width, height, style.faint);
}

/// Hatches the pixels that were covered.
fn hatch(
    svg: &mut Svg,
    (left, top, width, height): heat::Frame,
    picture: Picture,
    covered: &[f64],
    style: &Style,
) {
    let (columns, rows) = (picture.shape.width, picture.shape.height);
    let (w, h) = (width / columns as f64, height / rows as f64);
    let rectangles: Vec<heat::Frame> = covered
        .iter()
        .enumerate()
        .filter(|(_, c)| **c > 0.0)
        .map(|(pixel, _)| {
            let (row, column) = (pixel / columns, pixel % columns);
            (
                left + w * column as f64,
                top + h * row as f64,
                w + 0.2,
                h + 0.2,
            )
        })
        .collect();
    svg.hatched(
        &rectangles,
        crate::colormap::Rgb::hex(0x000000),
        style.path,
        false,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Shape;

    fn figure<'a>(look: Look<'a>, sample: &'a [f64], maps: &'a [Attribution]) -> String {
        let figure = ExplanationFigure {
            title: "t".to_owned(),
            subtitle: String::new(),
            sentence: "It says 7 mostly because of the bar at the top.".to_owned(),
            look,
            sample,
            baseline: &[0.0; 12],
            note: String::new(),
            covered: Some(Covered {
                sample: sample.to_vec(),
                changed: (0..12).map(|i| i < 3).collect(),
                note: String::new(),
            }),
            maps,
            tone: Tone::Dark,
        };
        figure.draw().unwrap().finish()
    }

    #[test]
    fn a_picture_has_a_panel_a_method_and_a_table_a_column() {
        let map = |signed| Attribution {
            title: format!("method {signed}"),
            note: String::new(),
            values: (0..12).map(|i| f64::from(i) - 3.0).collect(),
            signed,
        };
        let maps = [map(true), map(false)];
        let sample: Vec<f64> = (0..12).map(f64::from).collect();
        let picture = Picture::of_shape(Shape::image(1, 3, 4)).unwrap();
        let text = figure(Look::Picture(picture, [0.0, 11.0]), &sample, &maps);
        assert_eq!(text.matches("<image").count(), 4);
        assert!(text.contains("method true") && text.contains("hatch1"));
        let names: Vec<String> = (0..12).map(|i| format!("value {i}")).collect();
        let text = figure(Look::Row(&names), &sample, &maps);
        assert!(text.contains("value 11") && !text.contains("NaN"));
    }
}
