//! Numbers over a picture: samples as they are, and maps with a colour bar, whose
//! numbers are read under the pointer.

use super::super::format::number;
use super::super::samples::refill;
use super::super::stage::Stage;
use crate::app::theme::color32;
use crate::colormap::{Rgb, viridis};
use crate::insight::picture::Picture;
use crate::train::Problem;
use bevy_egui::egui::{
    self, Color32, ColorImage, FontId, Label, Pos2, Rect, RichText, Sense, TextureHandle,
    TextureOptions, Ui, pos2, vec2,
};

/// What the numbers mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// A sample: these are black and white.
    Photo([f64; 2]),
    /// For something or against it; 0 is neutral.
    Signed,
    /// Nothing is below 0.
    Amount,
}

/// A map.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Map {
    /// Above it.
    pub(super) title: String,
    /// Below its colour bar.
    pub(super) note: String,
    /// Rows and columns.
    pub(super) size: [usize; 2],
    /// One number a pixel, row by row.
    pub(super) values: Vec<f64>,
    /// Of samples in colour, three shares a pixel.
    colors: Option<Vec<[f32; 3]>>,
    /// Parts with a frame: first row, first column, and those behind the last.
    framed: Vec<[usize; 4]>,
    pub(super) meaning: Meaning,
}

/// Height that the words above and below a map's picture take, in points, whose title has
/// so many lines.
pub(super) fn words(lines: usize) -> f32 {
    TITLE * lines as f32 + 25.0
}

/// Height of a title's line.
const TITLE: f32 = 15.0;

impl Map {
    /// A sample; `values` as the network sees them.
    pub(super) fn photo(picture: Picture, values: &[f64], range: [f64; 2]) -> Self {
        let shape = picture.shape;
        let pixels = shape.height * shape.width;
        let place = |channel: usize, pixel: usize| {
            values[picture.index(channel, pixel / shape.width, pixel % shape.width)]
        };
        let share = |v: f64| ((v - range[0]) / (range[1] - range[0]).max(f64::MIN_POSITIVE)) as f32;
        let colors = (shape.channels == 3).then(|| {
            let pixel = |p: usize| [0, 1, 2].map(|c| share(place(c, p)).clamp(0.0, 1.0));
            (0..pixels).map(pixel).collect()
        });
        let mean = |p: usize| {
            let sum: f64 = (0..shape.channels).map(|c| place(c, p)).sum();
            sum / shape.channels as f64
        };
        Map {
            title: String::new(),
            note: String::new(),
            size: [shape.height, shape.width],
            values: (0..pixels).map(mean).collect(),
            colors,
            framed: Vec::new(),
            meaning: Meaning::Photo(range),
        }
    }

    /// Attributions, summed over the channels.
    pub(super) fn signed(picture: Picture, values: &[f64]) -> Self {
        Map {
            title: String::new(),
            note: String::new(),
            size: [picture.shape.height, picture.shape.width],
            values: picture.flattened(values),
            colors: None,
            framed: Vec::new(),
            meaning: Meaning::Signed,
        }
    }

    /// Amounts that all channels share.
    pub(super) fn amount(picture: Picture, values: &[f64]) -> Self {
        let shape = picture.shape;
        let pixels = 0..shape.height * shape.width;
        let at = |pixel| picture.index(0, pixel / shape.width, pixel % shape.width);
        Map {
            title: String::new(),
            note: String::new(),
            size: [shape.height, shape.width],
            values: pixels.map(|pixel| values[at(pixel)]).collect(),
            colors: None,
            framed: Vec::new(),
            meaning: Meaning::Amount,
        }
    }

    /// With these words.
    pub(super) fn saying(self, title: impl Into<String>, note: impl Into<String>) -> Self {
        Map {
            title: title.into(),
            note: note.into(),
            ..self
        }
    }

    /// With frames around parts: each the values of the sample that it has.
    pub(super) fn framing(mut self, picture: Picture, parts: &[Vec<usize>]) -> Self {
        let width = picture.shape.width;
        self.framed = parts
            .iter()
            .filter(|part| !part.is_empty())
            .map(|part| {
                let pixels = part.iter().map(|&i| match picture.interleaved {
                    true => i / picture.shape.channels,
                    false => i % picture.shape.pixels(),
                });
                let none = [usize::MAX, usize::MAX, 0, 0];
                pixels.fold(none, |[top, left, below, right], pixel| {
                    let (row, column) = (pixel / width, pixel % width);
                    [
                        top.min(row),
                        left.min(column),
                        below.max(row + 1),
                        right.max(column + 1),
                    ]
                })
            })
            .collect();
        self
    }

    /// The numbers at both ends of the colour bar.
    pub(super) fn range(&self) -> [f64; 2] {
        let finite = self.values.iter().filter(|v| v.is_finite());
        let most = finite.fold(0.0_f64, |most, v| most.max(v.abs()));
        match self.meaning {
            Meaning::Photo(range) => range,
            Meaning::Signed => [-most, most],
            Meaning::Amount => [0.0, most],
        }
    }

    /// The colour of a number whose place in the range is `share`, 0 to 1.
    fn color(&self, stage: &Stage<'_>, share: f64) -> Rgb {
        let share = if share.is_finite() { share as f32 } else { 0.5 };
        match self.meaning {
            Meaning::Photo(_) => {
                let grey = share.clamp(0.0, 1.0);
                Rgb {
                    r: grey,
                    g: grey,
                    b: grey,
                }
            }
            Meaning::Signed => stage.palette.diverging.at(2.0 * share - 1.0),
            Meaning::Amount => viridis(share),
        }
    }

    fn image(&self, stage: &Stage<'_>) -> ColorImage {
        let [rows, columns] = self.size;
        let pixels = match &self.colors {
            Some(colors) => {
                let colors = colors.iter();
                let color = |&[r, g, b]: &[f32; 3]| color32(Rgb { r, g, b });
                colors.map(color).collect()
            }
            None => {
                let [low, high] = self.range();
                let share = |v: &f64| match high > low {
                    true => (v - low) / (high - low),
                    false => 0.5,
                };
                let values = self.values.iter();
                values
                    .map(|v| color32(self.color(stage, share(v))))
                    .collect()
            }
        };
        ColorImage::new([columns, rows], pixels)
    }
}

/// Maps with their textures, which are filled anew where they change.
#[derive(Default)]
pub(super) struct Sheet {
    maps: Vec<(Map, crate::app::Theme, TextureHandle)>,
}

impl Sheet {
    /// Puts these maps in place of those before.
    pub(super) fn put(&mut self, ui: &Ui, stage: &Stage<'_>, maps: Vec<Map>) {
        self.maps.truncate(maps.len());
        let theme = stage.theme;
        for (k, map) in maps.into_iter().enumerate() {
            let options = TextureOptions::NEAREST;
            match self.maps.get_mut(k) {
                Some((known, of, _)) if *known == map && *of == theme => {}
                Some((known, of, texture)) => {
                    refill(texture, map.image(stage), options);
                    (*known, *of) = (map, theme);
                }
                None => {
                    let texture = ui.ctx().load_texture("map", map.image(stage), options);
                    self.maps.push((map, theme, texture));
                }
            }
        }
    }

    /// Draws the k-th within a square of this side and [`words`] for its words; its title
    /// has so many lines.
    pub(super) fn show(&self, ui: &mut Ui, stage: &Stage<'_>, k: usize, side: f32, lines: usize) {
        let Some((map, _, texture)) = self.maps.get(k) else {
            return;
        };
        ui.allocate_ui(vec2(side, side + words(lines)), |ui| {
            ui.vertical(|ui| {
                ui.set_width(side);
                ui.spacing_mut().item_spacing.y = 2.0;
                heading(ui, stage, map, side, lines);
                picture(ui, stage, map, texture, side);
                if map.colors.is_none() && !matches!(map.meaning, Meaning::Photo(_)) {
                    bar(ui, stage, map, side);
                }
                if !map.note.is_empty() {
                    let note = RichText::new(&map.note).size(12.0);
                    let note = note.color(color32(stage.palette.faint));
                    ui.add(Label::new(note).truncate());
                }
            });
        });
    }
}

/// The title, down by the picture.
fn heading(ui: &mut Ui, stage: &Stage<'_>, map: &Map, side: f32, lines: usize) {
    let size = vec2(side, TITLE * lines as f32);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let color = color32(stage.palette.text);
    let font = FontId::proportional(if lines > 1 { 11.5 } else { 12.5 });
    let mut job = egui::text::LayoutJob::simple(map.title.clone(), font, color, side);
    job.wrap.max_rows = lines;
    let galley = ui.painter().layout_job(job);
    let at = rect.left_bottom() - vec2(0.0, galley.size().y);
    let elided = galley.elided;
    ui.painter().galley(at, galley, color);
    if elided {
        response.on_hover_text(&map.title);
    }
}

fn picture(ui: &mut Ui, stage: &Stage<'_>, map: &Map, texture: &TextureHandle, side: f32) {
    let [rows, columns] = map.size;
    let cell = side / rows.max(columns).max(1) as f32;
    let size = vec2(cell * columns as f32, cell * rows as f32);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
    let painter = ui.painter();
    painter.image(texture.id(), rect, uv, Color32::WHITE);
    let frame = ui.visuals().widgets.noninteractive.bg_stroke;
    painter.rect_stroke(rect, 0.0, frame, egui::StrokeKind::Outside);
    let accent = egui::Stroke::new(2.0, color32(stage.palette.accent));
    for &[top, left, below, right] in &map.framed {
        let corner = |row: usize, column: usize| rect.min + cell * vec2(column as f32, row as f32);
        let part = Rect::from_min_max(corner(top, left), corner(below, right));
        painter.rect_stroke(part, 1.0, accent, egui::StrokeKind::Outside);
    }
    let Some(at) = response.hover_pos() else {
        return;
    };
    let share = (at - rect.min) / rect.size();
    let column = ((share.x * columns as f32) as usize).min(columns.saturating_sub(1));
    let row = ((share.y * rows as f32) as usize).min(rows.saturating_sub(1));
    if let Some(&value) = map.values.get(row * columns + column) {
        let value = number(value, 4);
        let values: [(&str, &dyn std::fmt::Display); 3] = [
            ("row", &(row + 1)),
            ("column", &(column + 1)),
            ("v", &value),
        ];
        response.on_hover_text(stage.texts.with("inside.cell", &values));
    }
}

/// The colours from the least number to the greatest, with both.
fn bar(ui: &mut Ui, stage: &Stage<'_>, map: &Map, wide: f32) {
    const STEPS: usize = 48;
    let (rect, _) = ui.allocate_exact_size(vec2(wide, 6.0), Sense::hover());
    let painter = ui.painter();
    for k in 0..STEPS {
        let from = rect.left() + wide * k as f32 / STEPS as f32;
        let to = rect.left() + wide * (k + 1) as f32 / STEPS as f32;
        let part = Rect::from_min_max(pos2(from, rect.top()), pos2(to, rect.bottom()));
        let share = (k as f64 + 0.5) / STEPS as f64;
        painter.rect_filled(part, 0.0, color32(map.color(stage, share)));
    }
    let (line, _) = ui.allocate_exact_size(vec2(wide, 13.0), Sense::hover());
    let faint = color32(stage.palette.faint);
    let font = FontId::proportional(11.0);
    let ends = [
        (egui::Align2::LEFT_TOP, line.left_top()),
        (egui::Align2::RIGHT_TOP, line.right_top()),
    ];
    for ((align, at), value) in ends.into_iter().zip(map.range()) {
        let value = number(value, 2);
        ui.painter().text(at, align, value, font.clone(), faint);
    }
}

/// At most so many samples are looked through for the range of an image.
const SAMPLES: usize = 2000;

/// The least and the greatest value of the training samples, of many of the first ones.
pub(super) fn pixel_range(problem: &Problem) -> [f64; 2] {
    let rows = problem.train.x.rows().into_iter().take(SAMPLES);
    let range = [f64::INFINITY, f64::NEG_INFINITY];
    let [low, high] = rows.fold(range, |range, row| {
        row.iter().fold(range, |[low, high], &v| {
            [low.min(f64::from(v)), high.max(f64::from(v))]
        })
    });
    if low < high { [low, high] } else { [0.0, 1.0] }
}
