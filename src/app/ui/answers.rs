//! What the network answers to the watched sample: a bar for each class, or the values.

use super::format::{number, percent};
use super::stage::Stage;
use super::widgets::fact;
use crate::app::theme::color32;
use crate::train::Encoding;
use bevy_egui::egui::{self, Rect, Sense, Ui, pos2, vec2};

/// Most bars of a chart of classes.
const MOST_BARS: usize = 12;

/// What the network says of the watched sample, beside the truth where there is one.
pub(super) fn show(ui: &mut Ui, stage: &Stage<'_>) {
    let problem = &stage.training.problem;
    let probe = &stage.training.snapshot.probe;
    let Some(output) = probe.a.last().filter(|a| !a.is_empty()) else {
        return;
    };
    let names = problem.data.task.names();
    let has_truth = !probe.target.is_empty();
    let target = ndarray::ArrayView1::from(&probe.target);
    let truth = has_truth.then(|| problem.encoding.class(target)).flatten();
    let shares: Vec<f32> = match problem.encoding {
        Encoding::Binary { low, high } => {
            let share = ((output[0] - low) / (high - low)).clamp(0.0, 1.0);
            vec![1.0 - share, share]
        }
        Encoding::OneHot => output.clone(),
        Encoding::Values => {
            for ((name, &value), &target) in names.iter().zip(output).zip(&probe.target) {
                fact(ui, name, &number(value.into(), 4));
                fact(ui, stage.t("samples.target"), &number(target.into(), 4));
            }
            return;
        }
    };
    let best = (0..shares.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b]));
    // All if they are few, else the likeliest, and always the truth.
    let mut shown: Vec<usize> = (0..shares.len()).collect();
    if shown.len() > MOST_BARS {
        shown.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
        shown.truncate(MOST_BARS - 1);
        shown.extend(truth.filter(|t| !shown.contains(t)));
        shown.sort_unstable();
    }
    ui.spacing_mut().item_spacing.y = 3.0;
    for k in shown {
        let name = names.get(k).map_or("?", String::as_str);
        bar(
            ui,
            stage,
            name,
            shares[k],
            truth == Some(k),
            best == Some(k),
            has_truth,
        );
    }
}

fn bar(
    ui: &mut Ui,
    stage: &Stage<'_>,
    name: &str,
    share: f32,
    truth: bool,
    best: bool,
    judged: bool,
) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 19.0), Sense::hover());
    let (name_width, value_width) = (88.0, 52.0);
    let rail = Rect::from_min_max(
        pos2(rect.left() + name_width, rect.top() + 4.0),
        pos2(rect.right() - value_width, rect.bottom() - 4.0),
    );
    let visuals = ui.visuals();
    let ink = if truth || (best && !judged) {
        visuals.text_color()
    } else {
        visuals.weak_text_color()
    };
    let painter = ui.painter();
    let font = egui::FontId::proportional(13.0);
    let mut job = egui::text::LayoutJob::simple_singleline(name.to_owned(), font.clone(), ink);
    job.wrap = egui::text::TextWrapping::truncate_at_width(name_width - 18.0);
    let galley = painter.layout_job(job);
    let y = rect.center().y;
    if truth {
        painter.circle_filled(
            pos2(rect.left() + 5.0, y),
            3.5,
            color32(stage.palette.accent),
        );
    }
    painter.galley(
        pos2(rect.left() + 14.0, y - galley.size().y / 2.0),
        galley,
        ink,
    );
    painter.rect_filled(rail, 3.0, visuals.extreme_bg_color);
    let right = truth || !best || !judged;
    let color = if right {
        stage.palette.training
    } else {
        stage.palette.warning
    };
    let mut filled = rail;
    filled.set_width(rail.width() * share.clamp(0.0, 1.0));
    painter.rect_filled(filled, 3.0, color32(color));
    painter.text(
        pos2(rect.right(), y),
        egui::Align2::RIGHT_CENTER,
        percent(share.into()),
        font,
        ink,
    );
    if truth {
        response.on_hover_text(stage.t("samples.truth"));
    }
}
