//! What the network and the error surface show, and which two parameters are the
//! surface's axes.

use super::format::{self, number};
use super::stage::Stage;
use super::widgets::{choose, row, segmented, slide};
use crate::app::scene::few_enough;
use crate::app::{ConnectionValue, HeatView, NeuronValue, SurfaceView, Texts, Training};
use crate::figure::HeatColors;
use crate::landscape::Directions;
use crate::nn::{ParamPlace, ParamRole};
use bevy_egui::egui::{self, DragValue, Slider, Ui};

pub(super) fn network(ui: &mut Ui, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    let view = &mut stage.choices.network;
    row(ui, texts.get("network_view.neurons"), |ui| {
        let all = [
            NeuronValue::Activation,
            NeuronValue::Bias,
            NeuronValue::ErrorSignal,
        ];
        choose(ui, "view/neurons", &mut view.neurons, &all, |v| {
            let key = match v {
                NeuronValue::Activation => "network_view.activation",
                NeuronValue::Bias => "network_view.bias",
                NeuronValue::ErrorSignal => "network_view.error_signal",
            };
            texts.get(key).to_owned()
        });
    });
    row(ui, texts.get("network_view.connections"), |ui| {
        let all = [
            ConnectionValue::Weight,
            ConnectionValue::Gradient,
            ConnectionValue::LastChange,
        ];
        choose(ui, "view/connections", &mut view.connections, &all, |v| {
            let key = match v {
                ConnectionValue::Weight => "network_view.weight",
                ConnectionValue::Gradient => "network_view.gradient",
                ConnectionValue::LastChange => "network_view.change",
            };
            texts.get(key).to_owned()
        });
    });
    row(ui, texts.get("network_view.budget"), |ui| {
        let slider = Slider::new(&mut view.connection_budget, 50..=200_000).logarithmic(true);
        slide(ui, slider.clamping(egui::SliderClamping::Never));
    });
    let maps = ui.checkbox(&mut view.maps, texts.get("network_view.maps"));
    maps.on_hover_text(texts.get("network_view.maps_tip"));
    if view.maps {
        heat(ui, texts, "view/map", &mut view.heat);
    }
    let problem = &stage.training.problem;
    if problem.data.is_plane() {
        let (few, text) = (few_enough(problem), texts.get("network_view.fields"));
        let fields = egui::Checkbox::new(&mut view.fields, text);
        ui.add_enabled(few, fields)
            .on_hover_text(texts.get("network_view.fields_tip"))
            .on_disabled_hover_text(texts.get("network_view.fields_many"));
    }
}

/// How matrices become colours: the same in the scene and in the panel of the inside.
pub(super) fn heat(ui: &mut Ui, texts: &Texts, name: &str, heat: &mut HeatView) {
    ui.horizontal_wrapped(|ui| {
        let maps = [
            (HeatColors::Diverging, None, texts.get("inside.diverging")),
            (HeatColors::Sequential, None, texts.get("inside.sequential")),
            (HeatColors::Hot, None, texts.get("inside.hot")),
        ];
        segmented(ui, name, &mut heat.colors, &maps);
        ui.checkbox(&mut heat.own_scale, texts.get("inside.own_scale"));
    });
}

pub(super) fn surface(ui: &mut Ui, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    let view = &mut stage.choices.surface;
    row(ui, texts.get("surface_view.range"), |ui| {
        let slider = Slider::new(&mut view.range, 0.05..=20.0)
            .logarithmic(true)
            .custom_formatter(|v, _| format!("±{}", number(v, 2)))
            .custom_parser(|t| t.trim_start_matches('±').trim().parse().ok());
        slide(ui, slider);
    });
    row(ui, texts.get("surface_view.grid"), |ui| {
        let sizes = [17, 33, 49, 65, 97, 129];
        choose(ui, "view/grid", &mut view.grid, &sizes, |n| {
            format!("{n} × {n}")
        });
    });
    row(ui, texts.get("surface_view.levels"), |ui| {
        let counts = SurfaceView::LEVELS;
        choose(ui, "view/levels", &mut view.levels, &counts, |n| {
            texts.with("surface_view.about", &[("n", &n)])
        });
    });
    for (key, on) in [
        ("surface_view.log_height", &mut view.log_height),
        ("surface_view.follow", &mut view.follow),
        ("surface_view.camera_follows", &mut view.camera_follows),
        ("surface_view.contours", &mut view.contours),
        ("surface_view.level_names", &mut view.level_names),
        ("surface_view.floor_levels", &mut view.floor_levels),
        ("surface_view.path", &mut view.path),
        ("surface_view.gaps", &mut view.gaps),
    ] {
        ui.checkbox(on, texts.get(key));
    }
}

/// The two parameters that the loss depends on most: those with the largest
/// gradients, and before the first step the largest weights. Of digits the first
/// weights of all belong to pixels that are never black.
pub(super) fn telling_two(training: &Training) -> Directions {
    let network = &training.problem.network;
    let snapshot = &training.snapshot;
    let trainable = network.layout().trainable();
    let two = |values: &[f32]| {
        let mut best = [(0.0, 0), (0.0, 0)];
        for (index, value) in values.iter().take(trainable).enumerate() {
            let size = value.abs();
            if size > best[0].0 {
                best = [(size, index), best[0]];
            } else if size > best[1].0 {
                best[1] = (size, index);
            }
        }
        (best[1].0 > 0.0).then(|| Directions::Weights(best[0].1, best[1].1))
    };
    two(&snapshot.gradient)
        .or_else(|| two(&snapshot.params))
        .unwrap_or(Directions::Weights(0, usize::from(trainable > 1)))
}

/// Chooses one parameter: by layer, unit and input, or from the selection.
pub(super) fn axis(ui: &mut Ui, stage: &Stage<'_>, name: &str, index: &mut usize, other: usize) {
    let texts = stage.texts;
    let layout = stage.training.problem.network.layout();
    let place = layout.place(*index).unwrap_or(ParamPlace {
        layer: 0,
        role: ParamRole::Weight,
        unit: 0,
        input: Some(0),
    });
    let title = format!(
        "{}  {}",
        name.to_uppercase(),
        format::parameter(texts, &stage.training.problem.network, place)
    );
    ui.label(title);
    let layers = layout
        .tensors()
        .iter()
        .map(|t| t.layer + 1)
        .max()
        .unwrap_or(1);
    let shape = |layer: usize| {
        let tensor = layout.tensor(layer, ParamRole::Weight);
        tensor.map_or((1, 1), |t| (t.shape[0], t.shape[1..].iter().product()))
    };
    // Counted from 1 here; input 0 is the bias.
    let mut layer = place.layer + 1;
    let mut unit = place.unit + 1;
    let mut input = place.input.map_or(0, |i| i + 1);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.spacing_mut().interact_size.x = 34.0;
        let field = |ui: &mut Ui, key: &'static str, value: &mut usize, from: usize, to: usize| {
            let drag = DragValue::new(value).range(from..=to).speed(0.05);
            ui.add(drag).on_hover_text(texts.get(key));
        };
        field(ui, "surface_view.layer", &mut layer, 1, layers);
        // Layers without weights are passed over.
        let up = layer > place.layer;
        let has = |layer: &usize| layout.tensor(*layer - 1, ParamRole::Weight).is_some();
        let next = if up {
            (layer..=layers).find(has)
        } else {
            (1..=layer).rev().find(has)
        };
        layer = next.unwrap_or(place.layer + 1);
        let (units, inputs) = shape(layer - 1);
        field(ui, "surface_view.unit", &mut unit, 1, units);
        field(ui, "surface_view.input", &mut input, 0, inputs);
        let (unit, input) = (unit.clamp(1, units), input.min(inputs));
        let wanted = layout.index(ParamPlace {
            layer: layer - 1,
            role: if input == 0 {
                ParamRole::Bias
            } else {
                ParamRole::Weight
            },
            unit: unit - 1,
            input: input.checked_sub(1),
        });
        if let Some(wanted) = wanted.filter(|w| *w != other) {
            *index = wanted;
        }
        let selected = stage
            .selection
            .selected
            .and_then(|item| format::parameter_of(&stage.training.problem.network, item))
            .filter(|w| *w != other);
        let button = egui::Button::new(texts.get("surface_view.use_selected")).small();
        let response = ui.add_enabled(selected.is_some(), button);
        if let Some(selected) = selected
            && response
                .on_hover_text(texts.get("surface_view.use_selected_tip"))
                .clicked()
        {
            *index = selected;
        }
    });
}
