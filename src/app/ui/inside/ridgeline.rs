//! Histograms that another program logged, one in front of the other, the newest in front.

use super::super::format::{count, number};
use super::super::stage::Stage;
use crate::app::theme::color32;
use crate::interop::EventHistogram;
use crate::watch::HistogramSeries;
use bevy_egui::egui::{
    self, Align2, Color32, FontId, Mesh, Pos2, Rect, Sense, Shape, Stroke, Ui, pos2, vec2,
};

/// At most so many stand behind one another, over so many bins.
const MOST: usize = 12;
const BINS: usize = 40;
/// Room for steps at the left and for numbers below.
const LEFT: f32 = 40.0;
const BOTTOM: f32 = 16.0;
/// How high the highest ridge is, as a share of the room.
const HIGH: f32 = 0.4;

/// How many numbers lie in each of `BINS` bins over a range; a bin that lies across several is
/// divided evenly.
fn over(histogram: &EventHistogram, [low, high]: [f64; 2]) -> Vec<f64> {
    let mut counts = vec![0.0; BINS];
    let wide = (high - low) / BINS as f64;
    for &[begin, end, count] in &histogram.bins {
        let at = |x: f64| ((x - low) / wide).clamp(0.0, BINS as f64);
        let (from, to) = (at(begin), at(end));
        if to - from <= f64::EPSILON {
            counts[(from as usize).min(BINS - 1)] += count;
            continue;
        }
        for (bin, into) in counts.iter_mut().enumerate().skip(from as usize) {
            let share = (to.min(bin as f64 + 1.0) - from.max(bin as f64)) / (to - from);
            if share <= 0.0 {
                break;
            }
            *into += share * count;
        }
    }
    counts
}

pub(super) fn show(ui: &mut Ui, stage: &Stage<'_>, series: &HistogramSeries, size: egui::Vec2) {
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter_at(rect);
    let n = series.points.len();
    let most = n.min(MOST);
    let chosen = (0..most).map(|k| match most {
        1 => 0,
        _ => k * (n - 1) / (most - 1),
    });
    let rows: Vec<&(i64, EventHistogram)> = chosen.map(|k| &series.points[k]).collect();
    let ranges = rows.iter().filter_map(|(_, h)| h.range());
    let (low, high) = ranges.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), [low, high]| {
        (a.min(low), b.max(high))
    });
    let faint = color32(stage.palette.faint);
    let font = FontId::proportional(11.0);
    if low > high {
        let text = stage.t("inside.nothing");
        painter.text(rect.center(), Align2::CENTER_CENTER, text, font, faint);
        return;
    }
    let (low, high) = if low == high {
        (low - 0.5, high + 0.5)
    } else {
        (low, high)
    };
    let counts: Vec<Vec<f64>> = rows.iter().map(|(_, h)| over(h, [low, high])).collect();
    let top = counts
        .iter()
        .flatten()
        .copied()
        .fold(0.0, f64::max)
        .max(f64::MIN_POSITIVE);
    let plot = Rect::from_min_max(rect.min + vec2(LEFT, 2.0), rect.max - vec2(6.0, BOTTOM));
    let tall = HIGH * plot.height();
    let age = |k: usize| match rows.len() {
        1 => 1.0,
        n => k as f32 / (n - 1) as f32,
    };
    let ground = color32(stage.palette.background);
    let accent = color32(stage.palette.training);
    let mut named = f32::NEG_INFINITY;
    for (k, ((step, _), counts)) in rows.iter().zip(&counts).enumerate() {
        let base = plot.top() + tall + (plot.height() - tall) * age(k);
        let x = |bin: f32| plot.left() + plot.width() * bin / BINS as f32;
        let mut line = vec![pos2(plot.left(), base)];
        line.extend(
            counts
                .iter()
                .enumerate()
                .map(|(bin, &many)| pos2(x(bin as f32 + 0.5), base - tall * (many / top) as f32)),
        );
        line.push(pos2(plot.right(), base));
        painter.add(filled(
            &line,
            base,
            mixed(ground, accent, 0.12 + 0.3 * age(k)),
        ));
        let color = mixed(ground, accent, 0.35 + 0.65 * age(k));
        painter.add(Shape::line(line, Stroke::new(1.4, color)));
        if base - named >= 13.0 {
            named = base;
            let at = pos2(plot.left() - 4.0, base);
            let step = count(u64::try_from(*step).unwrap_or(0));
            painter.text(at, Align2::RIGHT_BOTTOM, step, font.clone(), faint);
        }
    }
    if low < 0.0 && high > 0.0 {
        let x = plot.left() + plot.width() * (-low / (high - low)) as f32;
        let zero = [pos2(x, plot.top()), pos2(x, plot.bottom())];
        painter.line_segment(zero, Stroke::new(1.0, faint.gamma_multiply(0.5)));
    }
    for (x, align, value) in [
        (plot.left(), Align2::LEFT_BOTTOM, low),
        (plot.right(), Align2::RIGHT_BOTTOM, high),
    ] {
        let at = pos2(x, rect.bottom());
        painter.text(at, align, number(value, 3), font.clone(), faint);
    }
    let (first, last) = (rows[0].0, rows[rows.len() - 1].0);
    let total = count(rows[rows.len() - 1].1.total().round() as u64);
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("n", &total), ("from", &first), ("to", &last)];
    response.on_hover_text(stage.texts.with("watch.histogram", &values));
}

/// What lies between a line and its foot.
fn filled(line: &[Pos2], base: f32, color: Color32) -> Shape {
    let mut mesh = Mesh::default();
    for point in line {
        mesh.colored_vertex(*point, color);
        mesh.colored_vertex(pos2(point.x, base), color);
    }
    for k in 1..line.len() as u32 {
        let at = 2 * (k - 1);
        mesh.add_triangle(at, at + 1, at + 2);
        mesh.add_triangle(at + 1, at + 2, at + 3);
    }
    Shape::mesh(mesh)
}

fn mixed(from: Color32, to: Color32, share: f32) -> Color32 {
    from.lerp_to_gamma(to, share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_of_other_widths_are_divided_and_nothing_is_lost() {
        let bins = vec![[0.0, 1.0, 4.0], [1.0, 10.0, 9.0], [10.0, 10.0, 2.0]];
        let counts = over(&EventHistogram { bins }, [0.0, 10.0]);
        assert!((counts.iter().sum::<f64>() - 15.0).abs() < 1e-9);
        // A quarter of a unit each: 1 from the first bin, 0.25 from the second.
        assert!((counts[0] - 1.0).abs() < 1e-9 && (counts[4] - 0.25).abs() < 1e-9);
        assert!((counts[BINS - 1] - 2.25).abs() < 1e-9);
    }
}
