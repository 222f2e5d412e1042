//! Which error surface: along which plane, of which parameters, of what.

use super::icons::Icon;
use super::stage::Stage;
use super::view_options::{axis, telling_two};
use super::widgets::{choose, complaint, control_id, remark, row, segmented, slide, small_icon};
use crate::app::surface_words::plane_kind;
use crate::app::{Item, SurfaceView, Training};
use crate::landscape::{Directions, LAST_STEP, Over, Quantity, Scope};
use crate::nn::{Network, ParamRole};
use bevy_egui::egui::{self, FontId, Slider, TextFormat, Ui, text::LayoutJob};

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>) {
    plane(ui, stage);
    match stage.choices.surface.directions {
        Directions::Random { seed } => drawn(ui, stage, seed),
        Directions::Weights(i, j) => {
            let (mut x, mut y) = (i, j);
            axis(ui, stage, "x", &mut x, y);
            axis(ui, stage, "y", &mut y, x);
            if x != y && (x, y) != (i, j) {
                stage.choices.surface.directions = Directions::Weights(x, y);
            }
        }
        Directions::Checkpoints(steps) => checkpoints(ui, stage, steps),
        _ => {}
    }
    if !matches!(stage.choices.surface.directions, Directions::Weights(..)) {
        scope(ui, stage);
    }
    measure(ui, stage);
}

/// One of each kind of plane, as it begins.
fn kinds(training: &Training) -> [Directions; 7] {
    let points = training.path.points();
    let middle = points.get(points.len() / 2).map_or(1, |p| p.step.max(1));
    [
        Directions::Path,
        Directions::Hessian,
        Directions::HessianEnds,
        Directions::Gradient,
        telling_two(training),
        Directions::Random { seed: 0 },
        Directions::Checkpoints([0, middle, LAST_STEP]),
    ]
}

/// The next kind of plane.
pub(super) fn next_plane(stage: &mut Stage<'_>) {
    let all = kinds(stage.training);
    let same = |d: &Directions| plane_kind(*d) == plane_kind(stage.choices.surface.directions);
    let at = all.iter().position(same).unwrap_or(0);
    stage.choices.surface.directions = all[(at + 1) % all.len()];
}

fn plane(ui: &mut Ui, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    let now = plane_kind(stage.choices.surface.directions);
    let name = |kind: &str| texts.get(&format!("plane.{kind}")).to_owned();
    let note = |kind: &str| texts.get(&format!("plane.{kind}_note")).to_owned();
    let mut chosen = None;
    // Its names are too long for a place beside another.
    ui.weak(texts.get("surface_view.plane"));
    ui.scope(|ui| {
        ui.spacing_mut().button_padding.x = 7.0;
        let (strong, weak) = (ui.visuals().text_color(), ui.visuals().weak_text_color());
        let menu = egui::ComboBox::from_id_salt(control_id("view/plane"))
            .width(ui.available_width())
            .height(460.0)
            .truncate()
            .selected_text(name(now))
            .show_ui(ui, |ui| {
                for directions in kinds(stage.training) {
                    let kind = plane_kind(directions);
                    let mut job = LayoutJob::default();
                    let mut line = |text: &str, size: f32, color| {
                        let font = FontId::proportional(size);
                        job.append(text, 0.0, TextFormat::simple(font, color));
                    };
                    line(&name(kind), 14.5, strong);
                    line("\n", 12.5, weak);
                    line(&note(kind), 12.5, weak);
                    if ui.selectable_label(kind == now, job).clicked() && kind != now {
                        chosen = Some(directions);
                    }
                }
            });
        menu.response.on_hover_text(note(now));
    });
    remark(ui, &note(now));
    if let Some(directions) = chosen {
        stage.choices.surface.directions = directions;
    }
}

fn drawn(ui: &mut Ui, stage: &mut Stage<'_>, seed: u64) {
    let texts = stage.texts;
    row(ui, texts.get("surface_view.draw"), |ui| {
        let tip = texts.get("surface_view.redraw");
        if small_icon(ui, "directions/redraw", Icon::Dice, tip, true).clicked() {
            let seed = seed.wrapping_add(1);
            stage.choices.surface.directions = Directions::Random { seed };
        }
        ui.weak(format!("{}", seed.wrapping_add(1)));
    });
}

/// A step of the recorded path on a slider, and a button for the present.
pub(super) fn step_of_path(
    ui: &mut Ui,
    stage: &Stage<'_>,
    name: &str,
    title: &str,
    step: &mut u64,
) -> bool {
    let points = stage.training.path.points();
    let now = points.len();
    let before = *step;
    row(ui, title, |ui| {
        let nearest = (0..now).min_by_key(|&k| points[k].step.abs_diff(before));
        let mut at = match before {
            LAST_STEP => now,
            _ => nearest.unwrap_or(0),
        };
        let word = stage.texts.get("surface_view.now");
        let steps: Vec<u64> = points.iter().map(|p| p.step).collect();
        let button = 24.0 + ui.spacing().item_spacing.x;
        let width = ui.available_width() - button;
        ui.allocate_ui(egui::vec2(width, super::widgets::LINE), |ui| {
            let slider = Slider::new(&mut at, 0..=now).custom_formatter(move |v, _| {
                let step = steps.get(v as usize);
                step.map_or_else(|| word.to_owned(), u64::to_string)
            });
            if slide(ui, slider).changed() {
                *step = points.get(at).map_or(LAST_STEP, |p| p.step);
            }
        });
        let tip = stage.texts.get("surface_view.now_tip");
        let on = *step != LAST_STEP;
        if small_icon(ui, &format!("{name}/now"), Icon::Next, tip, on).clicked() {
            *step = LAST_STEP;
        }
    });
    *step != before
}

fn checkpoints(ui: &mut Ui, stage: &mut Stage<'_>, steps: [u64; 3]) {
    let mut wanted = steps;
    for ((step, name), title) in wanted
        .iter_mut()
        .zip(["checkpoint a", "checkpoint b", "checkpoint c"])
        .zip(["A", "B", "C"])
    {
        step_of_path(ui, stage, name, title, step);
    }
    if wanted != steps {
        stage.choices.surface.directions = Directions::Checkpoints(wanted);
    }
}

/// The choices of a scope.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Whole,
    Layer(usize),
    Chosen,
}

fn scope(ui: &mut Ui, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    let layout = stage.training.problem.network.layout();
    let mut layers: Vec<usize> = layout.tensors().iter().map(|t| t.layer).collect();
    layers.dedup();
    let before = match &stage.choices.surface.scope {
        Scope::Whole => Of::Whole,
        Scope::Layers(layers) if layers.len() == 1 => Of::Layer(layers[0]),
        _ => Of::Chosen,
    };
    let mut of = before;
    let mut options = vec![Of::Whole];
    options.extend(layers.iter().map(|&l| Of::Layer(l)));
    options.push(Of::Chosen);
    row(ui, texts.get("surface_view.scope"), |ui| {
        choose(ui, "view/scope", &mut of, &options, |of| match of {
            Of::Whole => texts.get("scope.whole").to_owned(),
            Of::Layer(layer) => texts.with("scope.layer", &[("n", &(layer + 1))]),
            Of::Chosen => texts.get("scope.chosen").to_owned(),
        });
    });
    let selected = stage
        .selection
        .selected
        .map(|item| parameters_of(&stage.training.problem.network, item))
        .filter(|p| p.len() > 1);
    if of != before {
        stage.choices.surface.scope = match of {
            Of::Whole => Scope::Whole,
            Of::Layer(layer) => Scope::Layers(vec![layer]),
            Of::Chosen => {
                let first = layers.first().copied().unwrap_or(0);
                let all = Scope::Layers(vec![first]).indices(layout);
                Scope::Parameters(selected.clone().or(all.ok()).unwrap_or_default())
            }
        };
    }
    if of == Of::Chosen {
        chosen_parameters(ui, stage, selected);
    }
}

/// A set of parameters as it is typed, or that of the selected neuron.
fn chosen_parameters(ui: &mut Ui, stage: &mut Stage<'_>, selected: Option<Vec<usize>>) {
    let texts = stage.texts;
    let id = control_id("view/scope text");
    let scope = stage.choices.surface.scope.clone();
    let written = scope.to_string();
    let as_it_is = written.strip_prefix("parameters:").unwrap_or(&written);
    let typed = ui.data(|d| d.get_temp::<String>(id));
    let mut text = typed.clone().unwrap_or_else(|| as_it_is.to_owned());
    let edit = egui::TextEdit::singleline(&mut text)
        .id(id.with("edit"))
        .hint_text("0,5-9")
        .desired_width(f32::INFINITY);
    let response = ui.add(edit).on_hover_text(texts.get("scope.chosen_tip"));
    if response.changed() {
        ui.data_mut(|d| d.insert_temp(id, text.clone()));
    }
    let layout = stage.training.problem.network.layout();
    let with_kind = if text.contains(':') || text == "all" {
        text.trim().to_owned()
    } else {
        format!("parameters:{}", text.trim())
    };
    let read = with_kind
        .parse::<Scope>()
        .ok()
        .filter(|s| s.indices(layout).is_ok_and(|i| i.len() > 1));
    if read.is_none() {
        complaint(ui, &stage.palette, texts.get("scope.unreadable"));
    }
    if response.lost_focus()
        && let Some(read) = read
    {
        ui.data_mut(|d| d.remove_temp::<String>(id));
        stage.choices.surface.scope = read;
    }
    let button = egui::Button::new(texts.get("scope.selected")).small();
    let response = ui.add_enabled(selected.is_some(), button);
    if let Some(selected) = selected
        && response
            .on_hover_text(texts.get("scope.selected_tip"))
            .clicked()
    {
        ui.data_mut(|d| d.remove_temp::<String>(id));
        stage.choices.surface.scope = Scope::Parameters(selected);
    }
}

/// The parameters of what is selected: of a neuron, or a filter, its weights and
/// its bias; of a connection its weight.
fn parameters_of(network: &Network, item: Item) -> Vec<usize> {
    let layout = network.layout();
    let index = super::format::parameter_of(network, item);
    let Some(place) = index.and_then(|i| layout.place(i)) else {
        return Vec::new();
    };
    if let Item::Connection { .. } = item {
        return index.into_iter().collect();
    }
    let Some(weights) = layout.tensor(place.layer, ParamRole::Weight) else {
        return index.into_iter().collect();
    };
    let row: usize = weights.shape[1..].iter().product();
    let first = weights.range.start + place.unit * row;
    (first..first + row).chain(index).collect()
}

/// What the heights are.
fn measure(ui: &mut Ui, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    let problem = &stage.training.problem;
    let classes = problem.data.task.is_classification();
    let view = &mut stage.choices.surface;
    row(ui, texts.get("surface_view.height"), |ui| {
        let all = [
            (Quantity::Loss, None, texts.get("surface_view.loss")),
            (Quantity::Accuracy, None, texts.get("surface_view.accuracy")),
        ];
        let all = if classes { &all[..] } else { &all[..1] };
        let mut quantity = view.measure.quantity;
        if segmented(ui, "view/quantity", &mut quantity, all) {
            view.measure.quantity = quantity;
        }
    });
    row(ui, texts.get("surface_view.over"), |ui| {
        let all = [Over::Train, Over::Validation, Over::Batch];
        let all = all.into_iter();
        let all: Vec<Over> = all
            .filter(|o| *o != Over::Validation || !problem.validation.is_empty())
            .collect();
        choose(ui, "view/over", &mut view.measure.over, &all, |over| {
            let key = match over {
                Over::Train => "surface_view.over_train",
                Over::Validation => "surface_view.over_validation",
                Over::Batch => "surface_view.over_batch",
            };
            texts.get(key).to_owned()
        });
    });
    let penalty = problem.experiment.training.regulariser();
    if view.measure.quantity == Quantity::Loss && (penalty.l1 > 0.0 || penalty.l2 > 0.0) {
        let text = texts.get("surface_view.penalties");
        ui.checkbox(&mut view.measure.penalties, text);
    }
    if view.measure.over == Over::Batch && stage.training.snapshot.batch.is_empty() {
        remark(ui, texts.get("surface_view.no_batch"));
    }
    if view.measure.over == Over::Validation && problem.validation.is_empty() {
        remark(ui, texts.get("surface_view.no_validation"));
    }
    if view.measure.quantity == Quantity::Accuracy && !classes {
        remark(ui, texts.get("surface_view.no_classes"));
    }
}

/// The next thing that heights can be.
pub(super) fn next_measure(view: &mut SurfaceView, training: &Training) {
    let mut all = Vec::new();
    for quantity in [Quantity::Loss, Quantity::Accuracy] {
        for over in [Over::Train, Over::Validation, Over::Batch] {
            let has_classes = training.problem.data.task.is_classification();
            let there = over != Over::Validation || !training.problem.validation.is_empty();
            if there && (quantity == Quantity::Loss || has_classes) {
                all.push((quantity, over));
            }
        }
    }
    let now = (view.measure.quantity, view.measure.over);
    let at = all.iter().position(|m| *m == now);
    let next = all[at.map_or(0, |k| (k + 1) % all.len())];
    (view.measure.quantity, view.measure.over) = next;
}
