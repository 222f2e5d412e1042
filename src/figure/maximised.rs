//! What a unit answers to most, beside real samples.

use super::heat;
use super::svg::{Anchor, Svg};
use super::{FigureError, Style, Tone};
use crate::insight::picture::Picture;

/// One picture of the figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Exhibit {
    /// Its values, as the network sees them.
    pub values: Vec<f64>,
    /// What stands above it.
    pub title: String,
    /// What stands below it.
    pub note: String,
}

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct MaximisedFigure<'a> {
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// How pictures lie, with the values that are black and white; `None` for a table.
    pub picture: Option<(Picture, [f64; 2])>,
    /// The names of the values of a table.
    pub names: &'a [String],
    /// What was found: one or several.
    pub found: &'a [Exhibit],
    /// Rows of real samples, each with its heading.
    pub rows: &'a [(String, Vec<Exhibit>)],
    /// Dark or light.
    pub tone: Tone,
}

const MARGIN: f64 = 40.0;
const LARGE: f64 = 300.0;
const SMALL: f64 = 104.0;
const ACROSS: f64 = 126.0;
/// From one row of real samples to the next.
const ROW: f64 = 196.0;
/// Found pictures in a line where there are several.
const IN_LINE: usize = 5;

impl MaximisedFigure<'_> {
    /// The picture as SVG.
    ///
    /// # Errors
    /// When there is nothing to draw.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let Some(first) = self.found.first() else {
            return Err(FigureError::Empty("there is nothing that was maximised"));
        };
        match self.picture {
            Some((picture, range)) if self.found.len() > 1 => self.many(picture, range, &style),
            Some((picture, range)) => self.one(first, picture, range, &style),
            None => Ok(self.table(first, &style)),
        }
    }

    fn head(&self, svg: &mut Svg, style: &Style) {
        svg.text((MARGIN, 40.0), 22.0, Anchor::Start, style.text, &self.title);
        svg.text(
            (MARGIN, 64.0),
            14.0,
            Anchor::Start,
            style.faint,
            &self.subtitle,
        );
    }

    /// One picture, large, and rows of real ones beside it.
    fn one(
        &self,
        found: &Exhibit,
        picture: Picture,
        range: [f64; 2],
        style: &Style,
    ) -> Result<Svg, FigureError> {
        let across = self.rows.iter().map(|r| r.1.len()).max().unwrap_or(0) as f64;
        let width = (2.0 * MARGIN + LARGE + 44.0 + ACROSS * across).max(640.0);
        let below = ROW * self.rows.len() as f64;
        let height = 100.0 + below.max(LARGE + 70.0);
        let mut svg = Svg::new(width, height, style.background);
        self.head(&mut svg, style);
        exhibit(
            &mut svg,
            found,
            picture,
            range,
            (MARGIN, 96.0, LARGE),
            style,
        )?;
        for (k, (title, row)) in self.rows.iter().enumerate() {
            let top = 96.0 + ROW * k as f64;
            let left = MARGIN + LARGE + 44.0;
            svg.text((left, top + 14.0), 15.0, Anchor::Start, style.text, title);
            for (i, one) in row.iter().enumerate() {
                let at = (left + ACROSS * i as f64, top + 24.0, SMALL);
                exhibit(&mut svg, one, picture, range, at, style)?;
            }
        }
        Ok(svg)
    }

    /// Several pictures that were found, each with the first of its real ones below.
    fn many(&self, picture: Picture, range: [f64; 2], style: &Style) -> Result<Svg, FigureError> {
        const SIDE: f64 = 190.0;
        let (across, down) = (SIDE + 30.0, SIDE + 62.0);
        let columns = self.found.len().min(IN_LINE);
        let lines = self.found.len().div_ceil(columns);
        let width = 2.0 * MARGIN + across * columns as f64 - 30.0;
        let height = 92.0 + down * lines as f64 + 12.0;
        let mut svg = Svg::new(width.max(640.0), height, style.background);
        self.head(&mut svg, style);
        for (k, one) in self.found.iter().enumerate() {
            let left = MARGIN + across * (k % columns) as f64;
            let top = 84.0 + down * (k / columns) as f64;
            exhibit(&mut svg, one, picture, range, (left, top, SIDE), style)?;
        }
        Ok(svg)
    }

    /// Numbers, a line for each value: what was found, then each real sample.
    fn table(&self, found: &Exhibit, style: &Style) -> Svg {
        let line = 26.0;
        let all: Vec<&Exhibit> = self.rows.iter().flat_map(|r| &r.1).collect();
        let rows = found.values.len();
        let column = 150.0;
        let width = 2.0 * MARGIN + 220.0 + column * (1.0 + all.len() as f64);
        let height = 170.0 + line * rows as f64 + 20.0;
        let mut svg = Svg::new(width.max(640.0), height, style.background);
        self.head(&mut svg, style);
        let top = 150.0;
        for (row, name) in self.names.iter().take(rows).enumerate() {
            let y = top + line * (row as f64 + 0.7);
            svg.text((MARGIN, y), 14.0, Anchor::Start, style.text, name);
            let under = top + line * (row + 1) as f64;
            svg.line(
                (MARGIN, under),
                (width - MARGIN, under),
                style.grid,
                1.0,
                1.0,
            );
        }
        for (k, one) in std::iter::once(found).chain(all).enumerate() {
            let right = MARGIN + 220.0 + column * (k as f64 + 1.0) - 12.0;
            let color = if k == 0 { style.training } else { style.text };
            svg.text((right, top - 40.0), 14.0, Anchor::End, color, &one.title);
            svg.text(
                (right, top - 18.0),
                12.5,
                Anchor::End,
                style.faint,
                &one.note,
            );
            for (row, value) in one.values.iter().enumerate() {
                let y = top + line * (row as f64 + 0.7);
                let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(*value);
                let text = super::tick_label(rounded);
                svg.text((right, y), 14.0, Anchor::End, color, &text);
            }
        }
        svg
    }
}

fn exhibit(
    svg: &mut Svg,
    exhibit: &Exhibit,
    picture: Picture,
    range: [f64; 2],
    (left, top, side): (f64, f64, f64),
    style: &Style,
) -> Result<(), FigureError> {
    let size = if side > 150.0 { 16.0 } else { 13.0 };
    let at = (left, top + size);
    svg.text(at, size, Anchor::Start, style.text, &exhibit.title);
    let frame = heat::fitted(picture, (left, top + size + 9.0, side));
    heat::photo(svg, frame, picture, &exhibit.values, range)?;
    svg.frame(frame.0, frame.1, frame.2, frame.3, style.faint);
    let at = (left, top + size + 9.0 + side + 18.0);
    svg.text(at, 12.5, Anchor::Start, style.faint, &exhibit.note);
    Ok(())
}
