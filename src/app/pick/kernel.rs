//! A unit of a feature map at work, in a corner of the view: the window that it reads, the
//! kernel's weights, the products and what they come to, with the watched sample's numbers,
//! as CNN Explainer shows it; of pooling the window and what is taken from it.

use super::super::format::{item as item_text, number};
use super::super::labels::ViewCamera;
use super::super::scene::NetworkLayout;
use super::super::state::{Item, SceneView, Selection};
use super::super::text::Texts;
use super::super::theme::Theme;
use super::super::training::Training;
use super::kernel_parts::{Cells, Sheet, grid, remark, sign};
use crate::insight::window::{ChannelTerm, UnitWindow, Work, unit_window, values_before};
use crate::nn::Activation;
use bevy::prelude::*;
use bevy_egui::{EguiContexts, EguiPrimaryContextPass, egui};

/// Adds what draws the card.
pub(super) fn plugin(app: &mut App) {
    app.add_systems(EguiPrimaryContextPass, show);
}

/// Points between the card and the edges of the view.
const MARGIN: f32 = 10.0;
/// Besides the channel that adds most, so many are shown, small.
const CHANNELS: usize = 10;
/// The sides of a grid with numbers, and of a small one, at most, in points.
const LARGE: f32 = 150.0;
const SMALL: f32 = 30.0;

/// What the card says: of the unit that is pointed at, else of the selected one.
struct Shown {
    item: Item,
    window: UnitWindow,
    activation: Activation,
    a: f32,
}

fn shown(training: &Training, selection: &Selection) -> Option<Shown> {
    // Event by event the panel below has the sums.
    if training.snapshot.micro.is_some() {
        return None;
    }
    let of = |item: Item| {
        let Item::Neuron { column, unit } = item else {
            return None;
        };
        let layer = column.checked_sub(1)?;
        let network = &training.problem.network;
        let probe = &training.snapshot.probe;
        let before = values_before(network, layer, &probe.input, &probe.a)?;
        let window = unit_window(network, &training.snapshot.params, layer, unit, before)?;
        Some(Shown {
            item,
            window,
            activation: network.layers().get(layer)?.activation(),
            a: *probe.a.get(layer)?.get(unit)?,
        })
    };
    let (hovered, selected) = (selection.hovered, selection.selected);
    hovered.and_then(of).or_else(|| selected.and_then(of))
}

fn show(
    mut contexts: EguiContexts,
    selection: Res<Selection>,
    training: Res<Training>,
    layout: Res<NetworkLayout>,
    (texts, theme): (Res<Texts>, Res<Theme>),
    cameras: Query<(&ViewCamera, &Camera, &GlobalTransform)>,
) -> Result {
    let Some(shown) = shown(&training, &selection) else {
        return Ok(());
    };
    let camera = cameras
        .iter()
        .find(|(view, camera, _)| view.0 == SceneView::Network && camera.is_active);
    let Some((_, camera, place)) = camera else {
        return Ok(());
    };
    let Some(view) = camera.logical_viewport_rect() else {
        return Ok(());
    };
    let ctx = contexts.ctx_mut()?;
    let zoom = ctx.zoom_factor();
    let (min, max) = (view.min / zoom, view.max / zoom);
    // On the side where the unit is not.
    let at = match shown.item {
        Item::Neuron { column, unit } => layout.place(column, unit),
        Item::Connection { .. } => None,
    };
    let at = at.and_then(|at| camera.world_to_viewport(place, at).ok());
    let is_right = at.is_some_and(|at| at.x / zoom > 0.5 * (min.x + max.x));
    // Below the network, unless the weight in the hand has its card there.
    let is_low = selection.selected.is_none();
    let x = if is_right {
        min.x + MARGIN
    } else {
        max.x - MARGIN
    };
    let y = if is_low {
        max.y - MARGIN
    } else {
        min.y + MARGIN
    };
    let pivot = match (is_right, is_low) {
        (true, true) => egui::Align2::LEFT_BOTTOM,
        (true, false) => egui::Align2::LEFT_TOP,
        (false, true) => egui::Align2::RIGHT_BOTTOM,
        (false, false) => egui::Align2::RIGHT_TOP,
    };
    let room = max - min - Vec2::splat(2.0 * MARGIN);
    egui::Area::new(egui::Id::new("a kernel at work"))
        .order(egui::Order::Middle)
        .pivot(pivot)
        .fixed_pos(egui::pos2(x, y))
        .interactable(false)
        .show(ctx, |ui| {
            egui::Frame::popup(ui.style()).show(ui, |ui| {
                ui.spacing_mut().item_spacing = egui::vec2(6.0, 4.0);
                let title = item_text(&texts, &training.problem, shown.item);
                ui.label(egui::RichText::new(title).strong());
                let sheet = Sheet::new(&theme, &texts);
                draw(ui, &sheet, &shown.window, egui::vec2(room.x, room.y));
                result(ui, &sheet, &shown);
            });
        });
    Ok(())
}

/// The window and what is done with it.
fn draw(ui: &mut egui::Ui, sheet: &Sheet<'_>, window: &UnitWindow, room: egui::Vec2) {
    let size = window.size;
    // Room for three grids, the signs between them and the sum.
    let large = LARGE.min((room.x - 130.0) / 3.0).max(48.0);
    match &window.work {
        Work::Kernel { terms, .. } => kernel(ui, sheet, size, terms, [large, room.y]),
        Work::Largest { inputs, taken, .. } => {
            let scale = most(inputs.iter().flatten());
            let cells = Cells {
                size,
                values: inputs,
                scale,
                marked: Some(*taken),
            };
            grid(ui, sheet, &cells, large);
        }
        Work::Mean { inputs, .. } => {
            let scale = most(inputs.iter().flatten());
            let cells = Cells {
                size,
                values: inputs,
                scale,
                marked: None,
            };
            grid(ui, sheet, &cells, large);
        }
    }
}

/// The largest by size.
fn most<'a>(values: impl Iterator<Item = &'a f32>) -> f32 {
    let finite = values.filter(|v| v.is_finite());
    finite.fold(0.0, |most: f32, v| most.max(v.abs()))
}

/// The channel that adds most with its numbers, and others below it, small.
fn kernel(
    ui: &mut egui::Ui,
    sheet: &Sheet<'_>,
    size: [usize; 2],
    terms: &[ChannelTerm],
    [large, height]: [f32; 2],
) {
    let products: Vec<Vec<Option<f32>>> = terms
        .iter()
        .map(|term| term.products().map(Some).collect())
        .collect();
    // One scale for all channels, or a weak one would look as strong as the others.
    let scales = [
        most(terms.iter().flat_map(|term| term.inputs.iter().flatten())),
        most(terms.iter().flat_map(|term| &term.weights)),
        most(products.iter().flatten().flatten()),
    ];
    let by_size = |a: &usize, b: &usize| {
        let size = |k: usize| terms[k].sum.abs();
        size(*a).total_cmp(&size(*b)).then(b.cmp(a))
    };
    let Some(first) = (0..terms.len()).max_by(by_size) else {
        return;
    };
    let row = |ui: &mut egui::Ui, k: usize, side: f32| {
        let term = &terms[k];
        let weights: Vec<Option<f32>> = term.weights.iter().copied().map(Some).collect();
        let parts: [(&[Option<f32>], f32, &str); 3] = [
            (&term.inputs, scales[0], "×"),
            (&weights, scales[1], "="),
            (&products[k], scales[2], "Σ"),
        ];
        if terms.len() > 1 {
            let name = sheet
                .texts
                .with("kernel.channel", &[("n", &(term.channel + 1))]);
            let name = egui::Label::new(egui::RichText::new(name).size(12.5));
            ui.add_sized(egui::vec2(54.0, side), name);
        }
        for (values, scale, mark) in parts {
            let cells = Cells {
                size,
                values,
                scale,
                marked: None,
            };
            grid(ui, sheet, &cells, side);
            sign(ui, mark, side);
        }
        let sum = egui::Label::new(egui::RichText::new(number(term.sum, 3)).monospace());
        ui.add_sized(egui::vec2(70.0, side), sum);
    };
    remark(ui, sheet, sheet.texts.get("kernel.window_kernel_products"));
    // Beside other channels one is enough to read.
    let large = if terms.len() > 1 { 0.86 * large } else { large };
    ui.horizontal_top(|ui| row(ui, first, large));
    let others = (0..terms.len()).filter(|&k| k != first);
    let small = SMALL.min(large);
    // The card leaves half of the view to the network.
    let fit = 2 * ((0.5 * height - large - 100.0) / (small + 4.0)).max(1.0) as usize;
    let listed: Vec<usize> = others.clone().take(CHANNELS.min(fit)).collect();
    for pair in listed.chunks(2) {
        ui.horizontal_top(|ui| pair.iter().for_each(|&k| row(ui, k, small)));
    }
    let rest: Vec<usize> = others.skip(listed.len()).collect();
    if !rest.is_empty() {
        let sum: f64 = rest.iter().map(|&k| terms[k].sum).sum();
        let values: [(&str, &dyn std::fmt::Display); 2] =
            [("n", &rest.len()), ("sum", &number(sum, 3))];
        remark(ui, sheet, &sheet.texts.with("kernel.others", &values));
    }
}

/// What comes of it, up to the activation.
fn result(ui: &mut egui::Ui, sheet: &Sheet<'_>, shown: &Shown) {
    let a = number(shown.a.into(), 4);
    let z = number(shown.window.work.z(), 4);
    let line = match &shown.window.work {
        Work::Kernel {
            terms,
            bias,
            z: sum,
        } => {
            let plain = number(sum - f64::from(bias.unwrap_or(0.0)), 4);
            let bias = bias.map(|b| number(b.into(), 4));
            let sums = if terms.len() > 1 { "ΣΣ" } else { "Σ" };
            match bias {
                Some(bias) if bias.starts_with('−') => {
                    format!("z = {sums} + b = {plain} + ({bias}) = {z}")
                }
                Some(bias) => format!("z = {sums} + b = {plain} + {bias} = {z}"),
                None => format!("z = {sums} = {plain}"),
            }
        }
        Work::Largest { .. } => sheet.texts.with("kernel.largest", &[("v", &z)]),
        Work::Mean { count, .. } => {
            let values: [(&str, &dyn std::fmt::Display); 2] = [("n", count), ("v", &z)];
            sheet.texts.with("kernel.mean", &values)
        }
    };
    ui.monospace(line);
    let last = match (&shown.window.work, shown.activation) {
        (Work::Kernel { .. }, Activation::Linear) => Some(format!("a = z = {a}")),
        (_, Activation::Linear) => None,
        (_, activation) => Some(format!("a = {activation}(z) = {a}")),
    };
    if let Some(last) = last {
        ui.label(egui::RichText::new(last).monospace().strong());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::train::Problem;
    use std::sync::Arc;

    const NETWORK: &str = "[data]\nsource = \"digits\"\nlimit = 50\n[network]\nlayers = [\
        { conv = 3, kernel = 3, padding = 1, activation = \"relu\" }, { max_pool = 2 }, \
        { conv = 2, kernel = 2, activation = \"tanh\" }, { avg_pool = 2 }, \"flatten\"]\n\
        loss = \"cross-entropy\"\n";

    /// For every unit of every layer with windows: what the card's window comes to is the
    /// activation that the run holds for the watched sample.
    #[test]
    fn the_cards_sums_are_the_runs_activations() {
        let problem = Problem::new(&Experiment::parse(NETWORK, "test").unwrap()).unwrap();
        let training = Training::at_start(Arc::new(problem));
        let network = &training.problem.network;
        for layer in 0..4 {
            for unit in 0..network.layers()[layer].outputs() {
                let column = layer + 1;
                let selection = Selection {
                    hovered: None,
                    selected: Some(Item::Neuron { column, unit }),
                };
                let shown = shown(&training, &selection).expect("a window");
                let a = shown.activation.value(shown.window.work.z() as f32);
                assert!(
                    (a - shown.a).abs() < 1e-5,
                    "{layer} {unit}: {a} {}",
                    shown.a
                );
            }
        }
        for item in [
            Item::Neuron { column: 0, unit: 3 },
            Item::Neuron { column: 5, unit: 0 },
        ] {
            let selection = Selection {
                hovered: Some(item),
                selected: None,
            };
            assert!(super::shown(&training, &selection).is_none(), "{item:?}");
        }
    }

    #[test]
    fn the_card_says_its_numbers_in_both_languages() {
        let problem = Problem::new(&Experiment::parse(NETWORK, "test").unwrap()).unwrap();
        let training = Training::at_start(Arc::new(problem));
        for language in crate::app::Language::ALL {
            let texts = Texts::new(language);
            for (column, unit, says) in [(1, 9, "relu"), (2, 0, "max"), (3, 0, "tanh"), (4, 0, "")]
            {
                let selection = Selection {
                    hovered: Some(Item::Neuron { column, unit }),
                    selected: None,
                };
                let shown = shown(&training, &selection).expect("a window");
                let ctx = egui::Context::default();
                ctx.set_fonts(crate::app::font_definitions());
                let output = ctx.run_ui(egui::RawInput::default(), |ui| {
                    let sheet = Sheet::new(&Theme::DARK, &texts);
                    draw(ui, &sheet, &shown.window, egui::vec2(900.0, 700.0));
                    result(ui, &sheet, &shown);
                });
                let mut said = String::new();
                for clipped in &output.shapes {
                    collect(&clipped.shape, &mut said);
                }
                output.drop_without_applying_deltas();
                let z = number(shown.window.work.z(), 4);
                assert!(said.contains(&z), "{column} {language:?}: {z} in {said}");
                assert!(says == "max" || said.contains(says), "{column}: {said}");
            }
        }
    }

    fn collect(shape: &egui::Shape, said: &mut String) {
        match shape {
            egui::Shape::Vec(shapes) => shapes.iter().for_each(|s| collect(s, said)),
            egui::Shape::Text(text) => {
                said.push_str(text.galley.text());
                said.push('\n');
            }
            _ => {}
        }
    }
}
