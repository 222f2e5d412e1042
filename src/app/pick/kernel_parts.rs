//! What the card of a kernel at work is made of: small grids of coloured numbers.

use super::super::format::number;
use super::super::text::Texts;
use super::super::theme::{Palette, Theme, color32};
use crate::colormap::Rgb;
use bevy_egui::egui::{
    Align2, FontId, Label, Rect, RichText, Sense, Stroke, StrokeKind, Ui, pos2, vec2,
};

/// Cells at least so wide, in points, have their numbers in them.
const READABLE: f32 = 23.0;
/// In narrower ones zeros before the point are left out, as in tables of statistics.
const ROOMY: f32 = 30.0;
/// The largest cell.
const CELL: f32 = 46.0;

/// Colours and strings.
pub(super) struct Sheet<'a> {
    pub(super) palette: Palette,
    pub(super) texts: &'a Texts,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(theme: &Theme, texts: &'a Texts) -> Self {
        Sheet {
            palette: theme.palette(),
            texts,
        }
    }
}

/// Numbers in rows.
pub(super) struct Cells<'a> {
    /// Rows and columns.
    pub(super) size: [usize; 2],
    /// Row by row; `None` beyond the edge of the image.
    pub(super) values: &'a [Option<f32>],
    /// What counts as full strength.
    pub(super) scale: f32,
    /// The one that is framed.
    pub(super) marked: Option<usize>,
}

/// A grid of cells, each with its number where there is room, at most `side` wide and high.
pub(super) fn grid(ui: &mut Ui, sheet: &Sheet<'_>, cells: &Cells<'_>, side: f32) {
    let [rows, columns] = cells.size;
    let cell = (side / rows.max(columns).max(1) as f32).clamp(2.0, CELL);
    let size = cell * vec2(columns as f32, rows as f32);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter_at(rect.expand(3.0));
    let palette = &sheet.palette;
    let line = Stroke::new(1.0, color32(palette.panel));
    for (k, value) in cells.values.iter().enumerate() {
        let corner = rect.min + cell * vec2((k % columns) as f32, (k / columns) as f32);
        let at = Rect::from_min_size(corner, vec2(cell, cell));
        let color = match value {
            Some(value) if cells.scale > 0.0 => palette.diverging.at(value / cells.scale),
            Some(_) => palette.diverging.zero,
            None => palette.panel,
        };
        painter.rect_filled(at, 0.0, color32(color));
        if cell > 6.0 {
            painter.rect_stroke(at, 0.0, line, StrokeKind::Middle);
        }
        if cell >= READABLE {
            let (text, ink) = match value {
                Some(value) => {
                    let text = short(*value);
                    let text = if cell < ROOMY {
                        without_zero(&text)
                    } else {
                        text
                    };
                    (text, color32(ink(palette, color)))
                }
                // The zeros around an image.
                None => ("0".to_owned(), color32(palette.faint)),
            };
            let font = FontId::proportional((0.36 * cell).clamp(9.5, 13.0));
            painter.text(at.center(), Align2::CENTER_CENTER, text, font, ink);
        }
    }
    let frame = Stroke::new(1.0, color32(palette.faint));
    painter.rect_stroke(rect, 0.0, frame, StrokeKind::Outside);
    if let Some(k) = cells.marked {
        let corner = rect.min + cell * vec2((k % columns) as f32, (k / columns) as f32);
        let at = Rect::from_min_size(pos2(corner.x, corner.y), vec2(cell, cell));
        let stroke = Stroke::new(2.5, color32(palette.accent));
        painter.rect_stroke(at, 2.0, stroke, StrokeKind::Inside);
    }
}

/// Two decimals, or two digits where that says more.
fn short(value: f32) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if (0.005..99.5).contains(&size) => format!("{value:.2}").replace('-', "−"),
        _ => number(value.into(), 1),
    }
}

/// `.53` for `0.53`.
fn without_zero(text: &str) -> String {
    let (sign, digits) = match text.strip_prefix('−') {
        Some(digits) => ("−", digits),
        None => ("", text),
    };
    match digits.strip_prefix("0.") {
        Some(decimals) => format!("{sign}.{decimals}"),
        None => text.to_owned(),
    }
}

/// What can be read on a cell of this colour.
fn ink(palette: &Palette, ground: Rgb) -> Rgb {
    let (a, b) = (palette.text, palette.background);
    if contrast(a, ground) >= contrast(b, ground) {
        a
    } else {
        b
    }
}

/// The contrast of two colours, 1 to 21 (WCAG 2).
fn contrast(a: Rgb, b: Rgb) -> f32 {
    let [a, b] = [a, b].map(|color| {
        let [r, g, b] = color.linear();
        0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
    });
    (a / b).max(b / a)
}

/// What stands between two grids, which are so high.
pub(super) fn sign(ui: &mut Ui, sign: &str, high: f32) {
    ui.add_sized(vec2(14.0, high), Label::new(RichText::new(sign).size(15.0)));
}

/// A line of less importance.
pub(super) fn remark(ui: &mut Ui, sheet: &Sheet<'_>, text: &str) {
    let faint = color32(sheet.palette.faint);
    ui.label(RichText::new(text).size(12.5).color(faint));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Theme;

    #[test]
    fn numbers_in_cells_are_short() {
        assert_eq!(short(0.0), "0");
        assert_eq!(short(-0.534), "−0.53");
        assert_eq!(short(12.345), "12.35");
        assert_eq!(short(0.0012), "0.001");
        assert_eq!(short(1234.0), "1234");
        assert_eq!(without_zero(&short(-0.534)), "−.53");
        assert_eq!(without_zero(&short(12.345)), "12.35");
        assert_eq!(without_zero("0"), "0");
    }

    #[test]
    fn ink_is_legible_on_every_cell_in_both_themes() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            let palette = theme.palette();
            for k in -20..=20 {
                let ground = palette.diverging.at(k as f32 / 20.0);
                let reached = contrast(ink(&palette, ground), ground);
                assert!(reached > 3.5, "{theme:?} {k}: {reached}");
            }
        }
    }
}
