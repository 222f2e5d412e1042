//! What lies below certain shares of one layer's numbers, over the steps: the median as a
//! line, and around it what lies within one and two standard deviations of a normal
//! distribution, and the least and the greatest.

use super::super::format::{count, number};
use super::super::stage::Stage;
use crate::app::theme::color32;
use crate::insight::distributions::{Moment, Spread};
use crate::insight::histogram::Bands;
use bevy_egui::egui::{
    self, Align2, FontId, Mesh, Pos2, Rect, Sense, Shape, Stroke, Ui, pos2, vec2,
};

/// Room for values at the left, for a title above and for steps below.
const LEFT: f32 = 54.0;
const TOP: f32 = 22.0;
const BOTTOM: f32 = 18.0;
/// How much of the colour the bands have, from the widest to the narrowest.
const STRENGTH: [f32; 4] = [0.16, 0.3, 0.46, 0.66];

pub(super) fn show(
    ui: &mut Ui,
    stage: &Stage<'_>,
    title: &str,
    all: &[(&Moment, &Spread)],
    size: egui::Vec2,
) {
    let rows: Vec<(u64, Bands)> = all
        .iter()
        .filter_map(|(moment, spread)| Some((moment.step, spread.bands?)))
        .collect();
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter_at(rect);
    let font = FontId::proportional(12.0);
    let (text, faint) = (color32(stage.palette.text), color32(stage.palette.faint));
    let total = all.last().map_or(0, |(_, spread)| spread.total);
    let heading = format!("{title}  ·  {}", count(total));
    painter.text(rect.min, Align2::LEFT_TOP, heading, font.clone(), text);
    let (Some(&(first, _)), Some(&(last, _))) = (rows.first(), rows.last()) else {
        return;
    };
    let plot = Rect::from_min_max(rect.min + vec2(LEFT, TOP), rect.max - vec2(6.0, BOTTOM));
    let ends = rows.iter().map(|(_, Bands(b))| (b[0], b[8]));
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), (low, high)| {
        (a.min(low), b.max(high))
    });
    let span = (high - low).max(f64::MIN_POSITIVE);
    let x = |step: u64| {
        let all = (last - first).max(1) as f32;
        plot.left() + plot.width() * (step - first) as f32 / all
    };
    let y = |value: f64| plot.bottom() - plot.height() * ((value - low) / span) as f32;
    let (ground, accent) = (
        color32(stage.palette.background),
        color32(stage.palette.training),
    );
    // A single moment has no width of its own.
    let at = |step: u64| match rows.len() {
        1 => [plot.left(), plot.right()],
        _ => [x(step); 2],
    };
    for (band, strength) in STRENGTH.into_iter().enumerate() {
        let mut mesh = Mesh::default();
        let color = ground.lerp_to_gamma(accent, strength);
        for (step, Bands(b)) in &rows {
            let ends = at(*step);
            for x in &ends[..if rows.len() == 1 { 2 } else { 1 }] {
                mesh.colored_vertex(pos2(*x, y(b[8 - band])), color);
                mesh.colored_vertex(pos2(*x, y(b[band])), color);
                let v = mesh.vertices.len() as u32;
                if v >= 4 {
                    mesh.add_triangle(v - 4, v - 3, v - 2);
                    mesh.add_triangle(v - 3, v - 2, v - 1);
                }
            }
        }
        painter.add(mesh);
    }
    let median = rows
        .iter()
        .map(|(step, Bands(b))| pos2(at(*step)[0], y(b[4])));
    let mut median: Vec<Pos2> = median.collect();
    if let [one] = median[..] {
        median.push(pos2(plot.right(), one.y));
    }
    painter.add(Shape::line(median, Stroke::new(1.8, text)));
    if low < 0.0 && high > 0.0 {
        let zero = [pos2(plot.left(), y(0.0)), pos2(plot.right(), y(0.0))];
        painter.line_segment(zero, Stroke::new(1.0, faint.gamma_multiply(0.6)));
    }
    for (value, align) in [(high, Align2::RIGHT_TOP), (low, Align2::RIGHT_BOTTOM)] {
        let at = pos2(plot.left() - 6.0, y(value));
        painter.text(at, align, number(value, 3), font.clone(), faint);
    }
    for (step, align) in [(first, Align2::LEFT_BOTTOM), (last, Align2::RIGHT_BOTTOM)] {
        let at = pos2(x(step).min(plot.right()), rect.bottom());
        painter.text(at, align, count(step), font.clone(), faint);
    }
    let pointed = response.hover_pos().filter(|at| plot.contains(*at));
    let nearest = pointed.and_then(|at| {
        let apart = |row: &&(u64, Bands)| (x(row.0) - at.x).abs();
        rows.iter().min_by(|a, b| apart(a).total_cmp(&apart(b)))
    });
    if let Some((step, Bands(b))) = nearest {
        let line = [pos2(x(*step), plot.top()), pos2(x(*step), plot.bottom())];
        painter.line_segment(line, Stroke::new(1.0, faint));
        let [least, lower, middle, upper, most] = [0, 2, 4, 6, 8].map(|k| number(b[k], 3));
        let step = count(*step);
        let values: [(&str, &dyn std::fmt::Display); 6] = [
            ("step", &step),
            ("least", &least),
            ("lower", &lower),
            ("median", &middle),
            ("upper", &upper),
            ("most", &most),
        ];
        response.on_hover_text(stage.texts.with("spreads.moment", &values));
    }
}
