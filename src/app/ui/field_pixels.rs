//! Colours over the plane of inputs: the network's answer, or one neuron's activation.

use super::stage::Stage;
use crate::app::Item;
use crate::app::scene::{FieldScale, few_enough};
use crate::app::theme::color32;
use crate::insight::field::{Answer, decision_field};
use crate::insight::neuron_field::neuron_fields;
use bevy_egui::egui::Color32;

/// What of a full colour is left of the ground: paler than the points, so that these
/// stand out.
const PALE: f32 = 0.62;

/// The network's answer, row by row from the least x2.
pub(super) fn pixels_of_answer(
    stage: &Stage<'_>,
    params: &[f32],
    resolution: usize,
) -> Option<Vec<Color32>> {
    let problem = &stage.training.problem;
    let field = decision_field(problem, params, resolution)?;
    let palette = &stage.palette;
    let ground = palette.background;
    let classes = problem.network.outputs();
    let colors = field.answers.iter().map(|answer| match *answer {
        Answer::Signed(v) => ground.blend(palette.diverging.at(v), PALE),
        Answer::Class { class, margin } => {
            let strength = 0.2 + 0.4 * margin.clamp(0.0, 1.0);
            ground.blend(palette.class(class, classes), strength)
        }
    });
    Some(colors.map(color32).collect())
}

/// One neuron's activation, row by row from the least x2.
pub(super) fn pixels_of_neuron(
    stage: &Stage<'_>,
    params: &[f32],
    resolution: usize,
    [column, unit]: [usize; 2],
) -> Option<Vec<Color32>> {
    let problem = &stage.training.problem;
    let fields = neuron_fields(problem, params, resolution)?;
    let scale = FieldScale::of(problem, &fields, column);
    let palette = &stage.palette;
    let values = fields.of(column, unit)?.iter();
    let colors = values.map(|&a| {
        let color = palette.diverging.at(scale.share(a));
        palette.background.blend(color, PALE)
    });
    Some(colors.map(color32).collect())
}

/// The neuron whose field is shown large while neurons show theirs: the one under the
/// pointer, else the selected one.
pub(super) fn shown_neuron(stage: &Stage<'_>) -> Option<[usize; 2]> {
    let is_on = stage.choices.network.fields && few_enough(&stage.training.problem);
    let item = stage.selection.hovered.or(stage.selection.selected);
    match item.filter(|_| is_on) {
        Some(Item::Neuron { column, unit }) => Some([column, unit]),
        _ => None,
    }
}
