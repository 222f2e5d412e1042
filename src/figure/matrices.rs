//! Numbers as images: weight matrices, filters, feature maps, one beside the other, with
//! a colour bar.

use super::raster::Pixels;
use super::style::Style;
use super::svg::{Anchor, Svg};
use super::ticks::tick_label;
use super::{FigureError, Tone};
use crate::colormap::{Rgb, hot, viridis};
use crate::insight::tiles::Tile;
use serde::{Deserialize, Serialize};

/// How numbers become colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeatColors {
    /// Two colours, one for each sign, and the ground at zero.
    #[default]
    Diverging,
    /// From the least to the greatest: viridis.
    Sequential,
    /// From the least to the greatest: black, red, yellow, white.
    Hot,
}

/// Matrices below and beside each other.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatColumn {
    /// What stands over them; empty for nothing.
    pub heading: String,
    /// The matrices.
    pub tiles: Vec<Tile>,
}

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct HeatFigure {
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// The matrices: one column, or one beside the other for each network.
    pub columns: Vec<HeatColumn>,
    /// How numbers become colours.
    pub colors: HeatColors,
    /// Whether all have one scale; else each its own.
    pub shared: bool,
    /// Dark or light.
    pub tone: Tone,
}

const WIDTH: f64 = 960.0;
const SIDE: f64 = 40.0;
const TOP: f64 = 88.0;
/// Between tiles, and the line of a tile's title.
const GAP: f64 = 16.0;
const TITLE: f64 = 20.0;
/// Where the colour bar stands, and how wide it is.
const BAR: f64 = 18.0;
const BAR_ROOM: f64 = 96.0;
/// The room of a tile's own colour bar below it.
const OWN_BAR: f64 = 26.0;

impl HeatColors {
    /// The colour of `value` between `low` and `high`.
    pub fn at(self, style: &Style, value: f32, [low, high]: [f32; 2]) -> Rgb {
        let span = (high - low).max(f32::MIN_POSITIVE);
        match self {
            HeatColors::Diverging => style.diverging.at(value / high.max(f32::MIN_POSITIVE)),
            HeatColors::Sequential => viridis((value - low) / span),
            HeatColors::Hot => hot((value - low) / span),
        }
    }

    /// From what to what a scale goes that holds these values; about zero where signs
    /// have colours.
    pub fn range<'a>(self, values: impl Iterator<Item = &'a f32>) -> [f32; 2] {
        let finite = values.filter(|v| v.is_finite());
        let (low, high) = finite.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), &v| {
            (a.min(v), b.max(v))
        });
        if low > high {
            return [0.0, 1.0];
        }
        match self {
            HeatColors::Diverging => {
                let most = low.abs().max(high.abs());
                [-most, most]
            }
            _ => [low, high],
        }
    }
}

/// A number at the end of a scale, to three significant digits.
pub(super) fn three(value: f64) -> String {
    if value == 0.0 {
        return tick_label(0.0);
    }
    let unit = 10f64.powf(value.abs().log10().floor() - 2.0);
    tick_label((value / unit).round() * unit)
}

/// How large a tile is drawn within `width` and `height`: cells are square where that
/// leaves something to see, else stretched.
fn size_of(tile: &Tile, width: f64, height: f64) -> (f64, f64) {
    let (rows, columns) = (tile.rows.max(1) as f64, tile.columns.max(1) as f64);
    let cell = (width / columns).min(height / rows);
    let (w, h) = (cell * columns, cell * rows);
    let least = 0.22 * height;
    (w.max(least.min(width)), h.max(least.min(height)))
}

/// A pixel a cell.
fn pixels_of(tile: &Tile, color: impl Fn(f32) -> Rgb) -> Pixels {
    let rgba = tile.values.iter().flat_map(|&value| {
        let [r, g, b] = color(value).bytes();
        [r, g, b, 255]
    });
    Pixels {
        width: tile.columns as u32,
        height: tile.rows as u32,
        rgba: rgba.collect(),
    }
}

impl HeatFigure {
    /// The picture as SVG.
    ///
    /// # Errors
    /// When there is nothing to draw, or a tile has not as many values as cells.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let is_whole =
            |tile: &Tile| !tile.values.is_empty() && tile.values.len() == tile.rows * tile.columns;
        let empty = self.columns.iter().any(|column| column.tiles.is_empty());
        if empty || self.columns.is_empty() || !self.tiles().all(is_whole) {
            return Err(FigureError::Empty("there is no matrix to draw"));
        }
        let style = self.tone.style();
        let wide = self.room() / self.columns.len() as f64;
        let mut places = Vec::new();
        for (k, column) in self.columns.iter().enumerate() {
            let left = SIDE + wide * k as f64;
            let room = if self.columns.len() > 1 {
                wide - 2.0 * GAP
            } else {
                wide
            };
            places.extend(self.places(&column.tiles, (left, room)));
        }
        let bottom = places.iter().map(|(_, y, _, h)| y + h).fold(TOP, f64::max);
        let height = bottom + 30.0 + if self.shared { 0.0 } else { OWN_BAR };
        let mut svg = Svg::new(WIDTH, height.max(260.0), style.background);
        svg.text((SIDE, 36.0), 22.0, Anchor::Start, style.text, &self.title);
        svg.text(
            (SIDE, 60.0),
            13.5,
            Anchor::Start,
            style.faint,
            &self.subtitle,
        );
        for (k, column) in self.columns.iter().enumerate() {
            let at = (SIDE + wide * k as f64, TOP - 2.0);
            svg.text(at, 15.0, Anchor::Start, style.text, &column.heading);
        }
        let all = self.colors.range(self.tiles().flat_map(|t| &t.values));
        for (tile, &(x, y, w, h)) in self.tiles().zip(&places) {
            let range = if self.shared {
                all
            } else {
                self.colors.range(tile.values.iter())
            };
            let pixels = pixels_of(tile, |value| self.colors.at(&style, value, range));
            svg.cells(x, y, w, h, &pixels.png()?);
            svg.frame(x, y, w, h, style.grid);
            svg.text((x, y - 6.0), 12.5, Anchor::Start, style.text, &tile.title);
            if !self.shared {
                let [low, high] = range;
                let said = format!("{} … {}", three(low.into()), three(high.into()));
                svg.text((x, y + h + 15.0), 11.0, Anchor::Start, style.faint, &said);
            }
        }
        if self.shared {
            self.bar(&mut svg, &style, all);
        }
        Ok(svg)
    }

    fn tiles(&self) -> impl Iterator<Item = &Tile> {
        self.columns.iter().flat_map(|column| &column.tiles)
    }

    /// How wide all columns are together.
    fn room(&self) -> f64 {
        WIDTH - 2.0 * SIDE - if self.shared { BAR_ROOM } else { 0.0 }
    }

    /// Where each tile of a column is drawn: its corner and its size.
    fn places(&self, tiles: &[Tile], (left, room): (f64, f64)) -> Vec<(f64, f64, f64, f64)> {
        let tall = match tiles.len() {
            1 => 420.0,
            2..=4 => 260.0,
            5..=16 => 150.0,
            _ => 84.0,
        };
        let wide = if tiles.len() > 16 {
            f64::min(2.0 * tall, room)
        } else {
            room
        };
        // Below the columns' headings.
        let head = if self.columns.len() > 1 { 14.0 } else { 0.0 };
        let (mut x, mut y, mut row) = (left, TOP + TITLE + head, 0.0_f64);
        let mut places = Vec::new();
        for tile in tiles {
            let (w, h) = size_of(tile, wide, tall);
            // A title needs room, too.
            let needs = w.max(7.0 * tile.title.chars().count() as f64);
            if x > left && x + needs > left + room {
                let own = if self.shared { 0.0 } else { OWN_BAR };
                (x, y, row) = (left, y + row + GAP + TITLE + own, 0.0);
            }
            places.push((x, y, w, h));
            x += needs + GAP;
            row = row.max(h);
        }
        places
    }

    /// The colour bar at the right.
    fn bar(&self, svg: &mut Svg, style: &Style, [low, high]: [f32; 2]) {
        let (x, y, h) = (WIDTH - SIDE - BAR_ROOM + 30.0, TOP + TITLE, 220.0);
        const STEPS: usize = 110;
        for k in 0..STEPS {
            let t = 1.0 - (k as f32 + 0.5) / STEPS as f32;
            let color = self.colors.at(style, low + t * (high - low), [low, high]);
            let step = h / STEPS as f64;
            svg.rect(x, y + k as f64 * step, BAR, step + 0.6, color);
        }
        svg.frame(x, y, BAR, h, style.grid);
        for t in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let value = f64::from(low) + t * f64::from(high - low);
            let at = (x + BAR + 8.0, y + h * (1.0 - t) + 4.0);
            svg.text(at, 12.0, Anchor::Start, style.text, &three(value));
        }
    }
}
