//! Weights, filters and feature maps as images, of all networks side by side.

use super::super::format::number;
use super::super::race::chip;
use super::super::samples::refill;
use super::super::stage::Stage;
use super::super::widgets::remark;
use super::{Inside, Tab, bars};
use crate::app::theme::color32;
use crate::app::{HeatView, Theme, Training};
use crate::figure::HeatTable;
use crate::insight::tiles::{self, Tile};
use bevy_egui::egui::{
    self, Color32, ColorImage, Pos2, Rect, RichText, ScrollArea, Sense, TextureHandle,
    TextureOptions, Ui, pos2, vec2,
};
use std::sync::Arc;

/// What a sheet of images is made from: the run's state, what is shown of it, how.
pub(super) type SheetKey = (Vec<(usize, u64)>, Tab, HeatView, Theme);

/// A matrix with its texture.
pub(super) struct Image {
    pub(super) tile: Tile,
    pub(super) range: [f32; 2],
    texture: TextureHandle,
}

/// Matrices with more cells than this are not drawn; the command line can.
const MOST_CELLS: usize = 1_500_000;

/// The matrices of a tab, of one network.
fn tiles_of(tab: Tab, training: &Training) -> Vec<Tile> {
    let problem = &training.problem;
    let network = &problem.network;
    let layers = 0..network.layers().len();
    let params = &training.snapshot.params;
    match tab {
        Tab::Weights => tiles::weights(network, params, layers),
        Tab::Filters => tiles::filters(problem, params, layers),
        _ => tiles::features_of(network, &training.snapshot.probe.a, layers),
    }
}

pub(super) fn show(ui: &mut Ui, inside: &mut Inside, stage: &Stage<'_>) {
    let networks = stage.networks();
    let moment = |run: &&Training| (Arc::as_ptr(&run.problem) as usize, run.snapshot.revision);
    let key: SheetKey = (
        networks.iter().map(moment).collect(),
        inside.tab,
        stage.choices.network.heat,
        stage.theme,
    );
    if inside.sheet.as_ref().is_none_or(|(known, _)| *known != key) {
        let old = inside.sheet.take().map(|(_, images)| images);
        let tiles: Vec<Vec<Tile>> = networks
            .iter()
            .map(|run| drawable(tiles_of(inside.tab, run)))
            .collect();
        inside.of_network = tiles.iter().map(Vec::len).collect();
        let tiles = tiles.into_iter().flatten().collect();
        let images = dress(ui, stage, tiles, old.unwrap_or_default());
        inside.sheet = Some((key, images));
    }
    let Some((_, images)) = &inside.sheet else {
        return;
    };
    if images.is_empty() {
        remark(ui, stage.t("inside.nothing"));
        return;
    }
    let tall = (ui.available_height() - 34.0).max(60.0);
    let many = images.len() > 12 || networks.len() > 1;
    ScrollArea::both()
        .id_salt("sheet")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            let mut rest = &images[..];
            for (network, &count) in inside.of_network.iter().enumerate() {
                let (own, others) = rest.split_at(count.min(rest.len()));
                rest = others;
                ui.horizontal_wrapped(|ui| {
                    if networks.len() > 1 {
                        chip(ui, stage, network);
                    }
                    for image in own {
                        let side = if many { 0.36 * tall } else { tall };
                        // A flat layer has one line: bars tell more than colours.
                        if inside.tab == Tab::Features && image.tile.rows == 1 {
                            bars::show(ui, stage, image, side);
                        } else {
                            picture(ui, stage, image, side);
                        }
                    }
                });
            }
        });
}

/// Those that are drawn.
fn drawable(mut tiles: Vec<Tile>) -> Vec<Tile> {
    tiles.retain(|tile| tile.values.len() <= MOST_CELLS && !tile.values.is_empty());
    tiles
}

/// Tiles with textures, those of before filled anew where they fit.
pub(super) fn dress(ui: &Ui, stage: &Stage<'_>, tiles: Vec<Tile>, old: Vec<Image>) -> Vec<Image> {
    let HeatView { colors, own_scale } = stage.choices.network.heat;
    let mut style = stage.theme.tone.style();
    style.diverging = stage.palette.diverging;
    let table = HeatTable::new(colors, &style);
    let tiles = drawable(tiles);
    let shared = colors.range(tiles.iter().flat_map(|tile| &tile.values));
    let mut old = old.into_iter();
    tiles
        .into_iter()
        .map(|tile| {
            let range = match own_scale {
                true => colors.range(tile.values.iter()),
                false => shared,
            };
            let pixels = tile.values.iter();
            let pixels = pixels.map(|&v| {
                let [r, g, b] = table.at(v, range);
                Color32::from_rgb(r, g, b)
            });
            let image = ColorImage::new([tile.columns, tile.rows], pixels.collect());
            let options = TextureOptions::NEAREST;
            let texture = match old.next() {
                Some(Image { mut texture, .. }) => {
                    refill(&mut texture, image, options);
                    texture
                }
                None => ui.ctx().load_texture("inside", image, options),
            };
            Image {
                tile,
                range,
                texture,
            }
        })
        .collect()
}

/// One image with its title and its scale; under the pointer its number.
fn picture(ui: &mut Ui, stage: &Stage<'_>, image: &Image, tall: f32) {
    picture_with(ui, stage, image, tall, |row, column, value| {
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("row", &row), ("column", &column), ("v", &value)];
        stage.texts.with("inside.cell", &values)
    });
}

/// The same with what is said of a cell: its row and column from 1, its number.
pub(super) fn picture_with(
    ui: &mut Ui,
    stage: &Stage<'_>,
    image: &Image,
    tall: f32,
    say: impl Fn(usize, usize, &str) -> String,
) {
    let Tile { rows, columns, .. } = image.tile;
    let cell = (tall / rows.max(1) as f32).min(2.4 * tall / columns.max(1) as f32);
    let size = vec2(cell * columns as f32, cell * rows as f32);
    let size = size.max(vec2(0.3 * tall, 0.12 * tall));
    ui.vertical(|ui| {
        ui.set_width(size.x.max(64.0));
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.add(egui::Label::new(RichText::new(&image.tile.title).size(12.0)).truncate());
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        ui.painter()
            .image(image.texture.id(), rect, uv, Color32::WHITE);
        let [low, high] = image.range.map(|v| number(v.into(), 3));
        let scale = RichText::new(format!("{low} … {high}")).size(11.0);
        ui.label(scale.color(color32(stage.palette.faint)));
        let Some(at) = response.hover_pos() else {
            return;
        };
        let share = (at - rect.min) / rect.size();
        let column = ((share.x * columns as f32) as usize).min(columns.saturating_sub(1));
        let row = ((share.y * rows as f32) as usize).min(rows.saturating_sub(1));
        if let Some(&value) = image.tile.values.get(row * columns + column) {
            let value = number(value.into(), 5);
            response.on_hover_text(say(row + 1, column + 1, &value));
        }
    });
}
