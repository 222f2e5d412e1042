//! A point that climbs over the plane of the data: the samples, where it has been, and
//! where it is.

use super::super::super::stage::Stage;
use super::ascent::Growth;
use crate::app::theme::color32;
use bevy_egui::egui::{self, Pos2, Sense, Stroke, Ui, pos2, vec2};

/// The greatest side, in points.
const SIDE: f32 = 320.0;
/// Samples that are drawn, at most.
const SAMPLES: usize = 1500;

pub(super) fn show(ui: &mut Ui, stage: &Stage<'_>, trail: &[[f64; 2]], growth: &Growth) {
    let problem = &stage.training.problem;
    let data = &problem.data;
    let (Some([xs, ys]), Some(points)) = (data.domain(), &data.points) else {
        return;
    };
    let side = (ui.available_height() - 8.0).clamp(110.0, SIDE);
    let (rect, _) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 3.0, ui.visuals().extreme_bg_color);
    let at = |x: f32, y: f32| -> Pos2 {
        let share = |v: f32, [low, high]: [f32; 2]| (v - low) / (high - low);
        pos2(
            rect.left() + side * share(x, xs),
            rect.bottom() - side * share(y, ys),
        )
    };
    let names = data.task.names().len();
    for (row, &place) in data.train.rows.iter().enumerate().take(SAMPLES) {
        let class = problem.encoding.class(problem.train.y.row(row));
        let color = class.map_or(stage.palette.faint, |k| stage.palette.class(k, names));
        let color = color32(color).gamma_multiply(0.75);
        painter.circle_filled(at(points[[place, 0]], points[[place, 1]]), 2.2, color);
    }
    let accent = color32(stage.palette.accent);
    let way: Vec<Pos2> = trail.iter().map(|&[x, y]| at(x as f32, y as f32)).collect();
    painter.add(egui::Shape::line(way, Stroke::new(2.0, accent)));
    if let [x, y] = growth.raw[..] {
        let here = at(x as f32, y as f32);
        painter.circle(
            here,
            6.0,
            accent,
            Stroke::new(2.0, color32(stage.palette.text)),
        );
    }
}
