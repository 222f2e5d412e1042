//! A matrix of numbers from 0 to 1 with names at its sides, each number written into its
//! cell.

use super::plot::sheet;
use super::svg::{Anchor, Svg, text_width};
use super::{FigureError, Tone};
use crate::colormap::{Rgb, viridis};
use ndarray::ArrayView2;

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct ShareTableFigure<'a> {
    /// The numbers.
    pub values: ArrayView2<'a, f64>,
    /// What the rows are, as a whole and one by one.
    pub rows: (&'a str, &'a [String]),
    /// What the columns are.
    pub columns: (&'a str, &'a [String]),
    /// What the numbers are.
    pub quantity: &'a str,
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// Dark or light.
    pub tone: Tone,
}

const TOP: f64 = 88.0;

impl ShareTableFigure<'_> {
    /// The picture as SVG.
    ///
    /// # Errors
    /// When there are no numbers.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let (rows, columns) = self.values.dim();
        if rows == 0 || columns == 0 {
            return Err(FigureError::Empty("there are no layers to compare"));
        }
        let style = self.tone.style();
        let cell = (560.0 / rows.max(columns) as f64).clamp(24.0, 72.0);
        let font = (0.3 * cell).clamp(8.0, 15.0);
        let widest = |names: &[String]| {
            let widths = names.iter().map(|name| text_width(name, 13.0));
            widths.fold(40.0, f64::max)
        };
        let left = 78.0 + widest(self.rows.1);
        let top = TOP + 30.0 + widest(self.columns.1);
        let (width, height) = (cell * columns as f64, cell * rows as f64);
        let size = (
            (left + width + 130.0)
                .max(80.0 + 1.08 * text_width(&self.title, 22.0))
                .max(80.0 + 1.08 * text_width(&self.subtitle, 13.5)),
            (top + height + 40.0).max(top + 220.0),
        );
        let mut svg = sheet(size, self.tone, &self.title, &self.subtitle);
        for ((row, column), &value) in self.values.indexed_iter() {
            let (x, y) = (left + cell * column as f64, top + cell * row as f64);
            let fill = viridis(value as f32);
            svg.rect(x, y, cell - 1.0, cell - 1.0, fill);
            let ink = if value > 0.6 {
                Rgb::hex(0x101418)
            } else {
                Rgb::hex(0xf4f6fa)
            };
            let at = (x + 0.5 * cell, y + 0.5 * cell + 0.36 * font);
            svg.text(at, font, Anchor::Middle, ink, &format!("{value:.2}"));
        }
        for (row, name) in self.rows.1.iter().enumerate() {
            let at = (left - 10.0, top + cell * (row as f64 + 0.5) + 4.5);
            svg.text(at, 13.0, Anchor::End, style.text, name);
        }
        for (column, name) in self.columns.1.iter().enumerate() {
            let at = (left + cell * (column as f64 + 0.5) + 4.5, top - 10.0);
            svg.text_upwards(at, 13.0, Anchor::Start, style.text, name);
        }
        let at = (left + 0.5 * width, TOP + 8.0);
        svg.text(at, 14.0, Anchor::Middle, style.faint, self.columns.0);
        let at = (52.0, top + 0.5 * height);
        svg.text_upwards(at, 14.0, Anchor::Middle, style.faint, self.rows.0);
        let (x, tall) = (left + width + 34.0, height.clamp(120.0, 240.0));
        const STEPS: usize = 80;
        for k in 0..STEPS {
            let step = tall / STEPS as f64;
            let fill = viridis(1.0 - (k as f32 + 0.5) / STEPS as f32);
            svg.rect(x, top + step * k as f64, 16.0, step + 0.5, fill);
        }
        svg.frame(x, top, 16.0, tall, style.grid);
        for value in [1.0, 0.5, 0.0] {
            let at = (x + 24.0, top + tall * (1.0 - value) + 4.0);
            svg.text(at, 13.0, Anchor::Start, style.text, &format!("{value}"));
        }
        let at = (x + 74.0, top + 0.5 * tall);
        svg.text_upwards(at, 13.0, Anchor::Middle, style.faint, self.quantity);
        Ok(svg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr2;

    #[test]
    fn every_number_is_written_into_its_cell() {
        let values = arr2(&[[1.0, 0.25, 0.5], [0.125, 0.75, 0.0]]);
        let names = ["input", "dense 1", "dense 2"].map(str::to_owned);
        let mut figure = ShareTableFigure {
            values: values.view(),
            rows: ("this", &names[..2]),
            columns: ("the other", &names),
            quantity: "CKA",
            title: String::new(),
            subtitle: String::new(),
            tone: Tone::Dark,
        };
        let text = figure.draw().unwrap().finish();
        for number in ["1.00", "0.25", "0.50", "0.12", "0.75", "0.00"] {
            assert!(text.contains(&format!(">{number}<")), "{number}");
        }
        let none = ndarray::Array2::zeros((0, 3));
        figure.values = none.view();
        assert!(figure.draw().is_err());
    }
}
