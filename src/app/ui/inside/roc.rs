//! Two pictures of how right a network is: ROC curves of a classification, and answers and
//! residuals over targets of a regression.

use super::super::format::number;
use super::super::stage::Stage;
use crate::app::theme::color32;
use crate::insight::scores::Roc;
use bevy_egui::egui::{
    Align2, FontId, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Ui, pos2, vec2,
};

/// Room for numbers at the left and below, and for a title above, in points.
const LEFT: f32 = 46.0;
const TOP: f32 = 20.0;
const BOTTOM: f32 = 32.0;
/// No more points than this are drawn.
const MOST: usize = 2000;

/// A frame with its ticks.
struct Plot {
    place: Rect,
    x: [f64; 2],
    y: [f64; 2],
}

impl Plot {
    fn at(&self, x: f64, y: f64) -> Pos2 {
        let share = |[low, high]: [f64; 2], v: f64| ((v - low) / (high - low)) as f32;
        pos2(
            self.place.left() + self.place.width() * share(self.x, x),
            self.place.bottom() - self.place.height() * share(self.y, y),
        )
    }

    /// The plane of a square picture with a title and names of both axes.
    fn draw(ui: &mut Ui, stage: &Stage<'_>, words: [&str; 3], x: [f64; 2], y: [f64; 2]) -> Self {
        let side = (ui.available_height() - 8.0).clamp(120.0, 340.0);
        let size = vec2(side + LEFT - BOTTOM, side);
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        let place = Rect::from_min_max(rect.min + vec2(LEFT, TOP), rect.max - vec2(4.0, BOTTOM));
        let painter = ui.painter();
        let (text, faint) = (color32(stage.palette.text), color32(stage.palette.faint));
        let small = FontId::proportional(12.0);
        let line = Stroke::new(1.0, faint);
        painter.rect_stroke(place, 0.0, line, StrokeKind::Inside);
        let [title, below, left] = words;
        painter.text(
            pos2(place.left(), rect.top()),
            Align2::LEFT_TOP,
            title,
            small.clone(),
            text,
        );
        let at = pos2(place.center().x, rect.bottom());
        painter.text(at, Align2::CENTER_BOTTOM, below, small.clone(), faint);
        for (v, align) in [(x[0], Align2::LEFT_TOP), (x[1], Align2::RIGHT_TOP)] {
            let share = ((v - x[0]) / (x[1] - x[0])) as f32;
            let at = pos2(place.left() + place.width() * share, place.bottom() + 2.0);
            painter.text(at, align, number(v, 2), small.clone(), faint);
        }
        for (at, align, v) in [
            (place.left_top(), Align2::RIGHT_TOP, y[1]),
            (place.left_bottom(), Align2::RIGHT_BOTTOM, y[0]),
        ] {
            painter.text(
                at - vec2(4.0, 0.0),
                align,
                number(v, 2),
                small.clone(),
                faint,
            );
        }
        let at = pos2(place.left() - 4.0, place.center().y);
        painter.text(at, Align2::RIGHT_CENTER, left, small, faint);
        Plot { place, x, y }
    }
}

/// The curve of each class against all others. The colours are those of the classes in the
/// picture of the data.
pub(super) fn curves(ui: &mut Ui, stage: &Stage<'_>, curves: &[(usize, Roc)], names: &[String]) {
    let words = [stage.t("inside.roc"), stage.t("inside.false_positives"), ""];
    let plot = Plot::draw(ui, stage, words, [0.0, 1.0], [0.0, 1.0]);
    let painter = ui.painter();
    let faint = color32(stage.palette.faint);
    let chance = [plot.at(0.0, 0.0), plot.at(1.0, 1.0)];
    painter.add(Shape::dashed_line(
        &chance,
        Stroke::new(1.0, faint),
        5.0,
        4.0,
    ));
    for (class, roc) in curves {
        let points: Vec<Pos2> = roc.points.iter().map(|[x, y]| plot.at(*x, *y)).collect();
        let color = color32(stage.palette.racer(*class));
        painter.add(Shape::line(points, Stroke::new(1.8, color)));
    }
    // The legend stands where curves of use do not go.
    let font = FontId::proportional(11.5);
    let mut at = plot.place.right_bottom() - vec2(8.0, 6.0);
    for (class, _) in curves.iter().rev() {
        let name = names.get(*class).map_or("?", String::as_str);
        let color = color32(stage.palette.racer(*class));
        let used = painter.text(at, Align2::RIGHT_BOTTOM, name, font.clone(), color);
        at.y = used.top();
    }
}

/// Answers over targets, and what they miss by: pairs of target and answer.
pub(super) fn residuals(ui: &mut Ui, stage: &Stage<'_>, pairs: &[[f64; 2]]) {
    let finite = || pairs.iter().filter(|p| p.iter().all(|v| v.is_finite()));
    let ends = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
            (a.min(v), b.max(v))
        });
        match high > low {
            true => [low, high],
            false => [low - 0.5, low + 0.5],
        }
    };
    if finite().next().is_none() {
        return;
    }
    let both = ends(&mut finite().flatten().copied());
    let targets = ends(&mut finite().map(|[target, _]| *target));
    let misses = ends(&mut finite().map(|[target, answer]| answer - target));
    let most = misses[0].abs().max(misses[1].abs()).max(f64::MIN_POSITIVE);
    let stride = pairs.len().div_ceil(MOST).max(1);
    let (training, warning) = (stage.palette.training, stage.palette.validation);
    let faint = color32(stage.palette.faint);
    let words = [stage.t("inside.answers"), stage.t("inside.target"), ""];
    let plot = Plot::draw(ui, stage, words, both, both);
    let right = [plot.at(both[0], both[0]), plot.at(both[1], both[1])];
    ui.painter().add(Shape::dashed_line(
        &right,
        Stroke::new(1.0, faint),
        5.0,
        4.0,
    ));
    for [target, answer] in finite().step_by(stride) {
        let color = color32(training).gamma_multiply(0.75);
        ui.painter()
            .circle_filled(plot.at(*target, *answer), 2.2, color);
    }
    ui.add_space(18.0);
    let words = [stage.t("inside.residuals"), stage.t("inside.target"), ""];
    let plot = Plot::draw(ui, stage, words, targets, [-most, most]);
    let zero = [plot.at(targets[0], 0.0), plot.at(targets[1], 0.0)];
    ui.painter()
        .add(Shape::dashed_line(&zero, Stroke::new(1.0, faint), 5.0, 4.0));
    for [target, answer] in finite().step_by(stride) {
        let color = color32(warning).gamma_multiply(0.75);
        let at = plot.at(*target, answer - target);
        ui.painter().circle_filled(at, 2.2, color);
    }
}
