//! Histograms of one layer at several moments, one in front of the other: the first at the
//! back, the newest in front, all over the same bins and heights.

use super::super::format::{count, number};
use super::super::stage::Stage;
use crate::app::theme::color32;
use crate::insight::distributions::{Moment, Spread, on_one_axis};
use crate::insight::histogram::Histogram;
use bevy_egui::egui::{
    self, Align2, Color32, FontId, Mesh, Pos2, Rect, Sense, Shape, Stroke, Ui, pos2, vec2,
};

/// At most so many moments stand behind one another, and at most so many bins.
const MOST: usize = 18;
const BINS: usize = 64;
/// Room for steps at the left, for a title above and for numbers below.
const LEFT: f32 = 48.0;
const TOP: f32 = 22.0;
const BOTTOM: f32 = 18.0;
/// How high the highest ridge is, as a share of the room.
const HIGH: f32 = 0.34;

/// Of so many, about evenly chosen ones, the first and the last among them.
fn chosen(n: usize) -> Vec<usize> {
    let most = n.min(MOST);
    (0..most)
        .map(|k| match most {
            1 => 0,
            _ => k * (n - 1) / (most - 1),
        })
        .collect()
}

pub(super) fn show(
    ui: &mut Ui,
    stage: &Stage<'_>,
    title: &str,
    all: &[(&Moment, &Spread)],
    log: bool,
    size: egui::Vec2,
) {
    let rows: Vec<(&Moment, &Spread)> = chosen(all.len()).into_iter().map(|k| all[k]).collect();
    let spreads: Vec<&Spread> = rows.iter().map(|(_, spread)| *spread).collect();
    let histograms = on_one_axis(&spreads, BINS);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter_at(rect);
    let font = FontId::proportional(12.0);
    let (text, faint) = (color32(stage.palette.text), color32(stage.palette.faint));
    let total = rows.last().map_or(0, |(_, spread)| spread.total);
    let bins = histograms.first().map_or(0, |h| h.counts.len());
    let values: [(&str, &dyn std::fmt::Display); 2] = [("n", &count(total)), ("bins", &bins)];
    let heading = format!("{title}  ·  {}", stage.texts.with("spreads.about", &values));
    painter.text(rect.min, Align2::LEFT_TOP, heading, font.clone(), text);
    let plot = Rect::from_min_max(rect.min + vec2(LEFT, TOP), rect.max - vec2(6.0, BOTTOM));
    let most = histograms
        .iter()
        .flat_map(|h| h.counts.iter().copied())
        .max();
    let most = most.unwrap_or(1).max(1);
    let share = |many: u64| match log {
        true => ((1 + many) as f32).ln() / ((1 + most) as f32).ln(),
        false => many as f32 / most as f32,
    };
    let high = HIGH * plot.height();
    let base = |k: usize| {
        let free = plot.height() - high;
        let down = match rows.len() {
            1 => 1.0,
            n => k as f32 / (n - 1) as f32,
        };
        plot.top() + high + free * down
    };
    let ground = color32(stage.palette.background);
    let accent = color32(stage.palette.training);
    let mut last_named = f32::NEG_INFINITY;
    for (k, ((moment, _), histogram)) in rows.iter().zip(&histograms).enumerate() {
        let age = match rows.len() {
            1 => 1.0,
            n => k as f32 / (n - 1) as f32,
        };
        let color = mixed(ground, accent, 0.35 + 0.65 * age);
        let line = ridge(plot, base(k), high, histogram, share);
        painter.add(filled(
            &line,
            base(k),
            mixed(ground, accent, 0.12 + 0.3 * age),
        ));
        painter.add(Shape::line(line, Stroke::new(1.4, color)));
        // Steps are named where their names do not touch.
        if base(k) - last_named >= 13.0 {
            last_named = base(k);
            let at = pos2(plot.left() - 6.0, base(k));
            let step = count(moment.step);
            painter.text(
                at,
                Align2::RIGHT_BOTTOM,
                step,
                FontId::proportional(11.0),
                faint,
            );
        }
    }
    let Some([low, high_value]) = histograms.first().map(|h| h.range) else {
        return;
    };
    if low < 0.0 && high_value > 0.0 {
        let x = plot.left() + plot.width() * (-low / (high_value - low)) as f32;
        let zero = [pos2(x, plot.top()), pos2(x, plot.bottom())];
        painter.line_segment(zero, Stroke::new(1.0, faint.gamma_multiply(0.5)));
    }
    for (x, align, value) in [
        (plot.left(), Align2::LEFT_BOTTOM, low),
        (plot.right(), Align2::RIGHT_BOTTOM, high_value),
    ] {
        let at = pos2(x, rect.bottom());
        painter.text(at, align, number(value, 3), font.clone(), faint);
    }
    // The ridge whose foot is nearest below the pointer.
    let at = response.hover_pos().filter(|at| plot.contains(*at));
    if let Some((at, below)) =
        at.and_then(|at| Some((at, (0..rows.len()).find(|&k| base(k) >= at.y)?)))
    {
        let histogram = &histograms[below];
        let bin = (at.x - plot.left()) / plot.width() * bins as f32;
        let bin = (bin as usize).min(bins - 1);
        let [from, to] = [bin, bin + 1].map(|k| number(histogram.edge(k), 3));
        let step = count(rows[below].0.step);
        let values: [(&str, &dyn std::fmt::Display); 4] = [
            ("step", &step),
            ("from", &from),
            ("to", &to),
            ("n", &histogram.counts[bin]),
        ];
        response.on_hover_text(stage.texts.with("spreads.bin", &values));
    }
}

fn mixed(a: Color32, b: Color32, share: f32) -> Color32 {
    a.lerp_to_gamma(b, share)
}

/// The line over a histogram, with a step at each edge of a bin: nothing between two
/// counts is made up.
fn ridge(
    plot: Rect,
    base: f32,
    high: f32,
    histogram: &Histogram,
    share: impl Fn(u64) -> f32,
) -> Vec<Pos2> {
    let wide = plot.width() / histogram.counts.len().max(1) as f32;
    let mut line = Vec::with_capacity(2 * histogram.counts.len());
    for (bin, &many) in histogram.counts.iter().enumerate() {
        let y = base - high * share(many);
        let x = plot.left() + wide * bin as f32;
        line.extend([pos2(x, y), pos2(x + wide, y)]);
    }
    line
}

/// What lies between a line and its foot.
fn filled(line: &[Pos2], base: f32, color: Color32) -> Mesh {
    let mut mesh = Mesh::default();
    for (k, at) in line.iter().enumerate() {
        mesh.colored_vertex(*at, color);
        mesh.colored_vertex(pos2(at.x, base), color);
        if k > 0 {
            let v = 2 * k as u32;
            mesh.add_triangle(v - 2, v - 1, v);
            mesh.add_triangle(v - 1, v, v + 1);
        }
    }
    mesh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_newest_moment_are_always_among_those_shown() {
        for n in [1, 2, 5, MOST, 40, 64] {
            let chosen = chosen(n);
            assert_eq!((chosen[0], chosen[chosen.len() - 1]), (0, n - 1));
            assert!(chosen.len() <= MOST && chosen.windows(2).all(|w| w[0] < w[1]));
        }
    }
}
