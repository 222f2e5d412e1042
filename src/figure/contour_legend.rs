//! What the signs in an error surface's picture mean.

use super::Style;
use super::contour::ContourFigure;
use super::contour_parts::{HALO, INK};
use super::svg::{Anchor, Svg, text_width};
use super::ticks::tick_label;

/// The width of a legend.
const WIDTH: f64 = 730.0;
const SIZE: f64 = 14.0;
/// Width of a sign, and the space between two items.
const SIGN: f64 = 30.0;
const SPACE: f64 = 24.0;

/// A sign and its meaning.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    sign: Sign,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Sign {
    Path,
    Start,
    End,
    WithoutValue,
    Infinite,
    None,
}

impl Item {
    /// How far the next one stands.
    pub fn width(&self) -> f64 {
        let sign = if self.sign == Sign::None { 0.0 } else { SIGN };
        sign + text_width(&self.text, SIZE) + SPACE
    }

    /// Draws it, its text's baseline from `(x, y)`.
    pub fn draw(&self, svg: &mut Svg, (x, y): (f64, f64), style: &Style) {
        let (middle, left) = (y - 5.0, x + 1.0);
        let swatch = [(left, y - 12.0, 20.0, 14.0)];
        match self.sign {
            Sign::Path => {
                let points = [(left, middle), (left + 20.0, middle)];
                svg.polyline(&points, HALO, 5.5, 0.8, "");
                svg.polyline(&points, INK, 2.5, 1.0, "");
            }
            Sign::Start => svg.circle((left + 10.0, middle), 5.0, HALO, style.text),
            Sign::End => {
                svg.circle((left + 10.0, middle), 6.0, INK, HALO);
                svg.circle((left + 10.0, middle), 6.5, INK, style.faint);
            }
            Sign::WithoutValue => svg.hatched(&swatch, style.grid, style.faint, false),
            Sign::Infinite => svg.hatched(&swatch, style.grid, style.text, true),
            Sign::None => {}
        }
        let text = if self.sign == Sign::None { x } else { x + SIGN };
        svg.text((text, y), SIZE, Anchor::Start, style.text, &self.text);
    }
}

impl ContourFigure<'_> {
    /// What is to be explained, row by row; empty where nothing is.
    pub(super) fn legend_rows(&self) -> Vec<Vec<Item>> {
        let mut items = Vec::new();
        let item = |sign, text: String| Item { sign, text };
        if let Some(path) = self.path.filter(|path| !path.points.is_empty()) {
            items.push(item(Sign::Path, "path, projected".to_owned()));
            items.push(item(Sign::Start, "start".to_owned()));
            items.push(item(Sign::End, "end".to_owned()));
            if let Some(point) = path.largest_gap().filter(|p| p.gap().is_finite()) {
                let gap: f64 = format!("{:.2e}", point.gap())
                    .parse()
                    .unwrap_or(point.gap());
                let text = format!(
                    "largest gap, true minus shown: {} at step {}",
                    tick_label(gap),
                    point.step
                );
                items.push(item(Sign::None, text));
            }
        }
        let missing = self.missing();
        if missing.without_value > 0 {
            items.push(item(Sign::WithoutValue, missing.without_value_words()));
        }
        if missing.infinite > 0 {
            items.push(item(Sign::Infinite, missing.infinite_words()));
        }
        let mut rows: Vec<Vec<Item>> = Vec::new();
        let mut room = 0.0;
        for item in items {
            if item.width() - SPACE > room || rows.is_empty() {
                rows.push(Vec::new());
                room = WIDTH;
            }
            room -= item.width();
            if let Some(row) = rows.last_mut() {
                row.push(item);
            }
        }
        rows
    }
}
