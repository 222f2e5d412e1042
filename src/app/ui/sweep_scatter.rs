//! The loss of a sweep against each setting: a point a run, a line through the
//! medians.

use super::constants::short;
use super::sweep_picture::{NEAR, Picture};
use crate::app::theme::color32;
use crate::search::Row;
use bevy_egui::egui::{self, Align2, FontId, Painter, Pos2, Rect, Stroke, pos2, vec2};

impl Picture<'_> {
    /// Where a run is in the small picture of setting `i`.
    fn spot(&self, panel: Rect, i: usize, row: &Row) -> Pos2 {
        let share = row
            .values
            .get(i)
            .map_or(0.5, |v| self.columns[i].axis.place(v)) as f32;
        let x = panel.left() + panel.width() * (0.06 + 0.88 * share);
        pos2(x, self.height(panel, self.loss.place(row)))
    }

    fn height(&self, panel: Rect, place: Option<f64>) -> f32 {
        let slot = if self.loss.has_others { 20.0 } else { 8.0 };
        match place {
            Some(place) => panel.bottom() - 8.0 - (panel.height() - 8.0 - slot) * place as f32,
            None => panel.top() + 9.0,
        }
    }

    pub fn point_at(&self, panel: Rect, i: usize, at: Pos2) -> Option<usize> {
        if i >= self.columns.len() || !panel.contains(at) {
            return None;
        }
        let near = self.ranked.iter().filter_map(|row| {
            let distance = self.spot(panel, i, row).distance(at);
            (distance <= NEAR).then_some((distance.round() as i32, row.run))
        });
        near.min_by_key(|(distance, _)| *distance)
            .map(|(_, run)| run)
    }

    pub fn scatter(&self, painter: &Painter, panel: Rect, i: usize, hovered: Option<usize>) {
        let column = &self.columns[i];
        let grid = Stroke::new(1.0, self.faint.gamma_multiply(0.25));
        let font = FontId::proportional(12.5);
        let mut last = f32::INFINITY;
        for tick in self.loss.ticks() {
            let y = self.height(panel, Some(self.loss.scale.share(tick)));
            if last - y < 14.0 {
                continue;
            }
            last = y;
            painter.hline(panel.x_range(), y, grid);
            if i == 0 {
                let at = pos2(panel.left() - 6.0, y);
                let text = short(tick);
                painter.text(at, Align2::RIGHT_CENTER, text, font.clone(), self.text);
            }
        }
        painter.rect_stroke(
            panel,
            0.0,
            Stroke::new(1.0, self.faint.gamma_multiply(0.6)),
            egui::StrokeKind::Middle,
        );
        let title = panel.left_top() - vec2(0.0, 3.0);
        painter.text(
            title,
            Align2::LEFT_BOTTOM,
            &column.title,
            font.clone(),
            self.text,
        );
        let room = f64::from(panel.width()) * 0.88;
        let wide = |label: &str| {
            let galley = painter.layout_no_wrap(label.to_owned(), font.clone(), self.text);
            (f64::from(galley.size().x) + 10.0) / room
        };
        for (share, label) in column.axis.apart(wide) {
            let x = panel.left() + panel.width() * (0.06 + 0.88 * *share as f32);
            let stroke = Stroke::new(1.0, self.faint);
            painter.vline(x, panel.bottom()..=panel.bottom() + 4.0, stroke);
            let at = pos2(x, panel.bottom() + 4.0);
            painter.text(at, Align2::CENTER_TOP, label, font.clone(), self.text);
        }
        let medians = column.axis.medians(i, self.rows, &self.loss);
        let line = medians.into_iter().map(|(share, place)| {
            let x = panel.left() + panel.width() * (0.06 + 0.88 * share as f32);
            pos2(x, self.height(panel, Some(place)))
        });
        painter.line(
            line.collect(),
            Stroke::new(1.8, self.text.gamma_multiply(0.8)),
        );
        for row in self.ranked.iter().rev() {
            let at = self.spot(panel, i, row);
            let Some(place) = self.loss.place(row) else {
                for d in [-3.0, 3.0] {
                    let ends = [at + vec2(-3.0, -d), at + vec2(3.0, d)];
                    painter.line_segment(ends, Stroke::new(1.2, self.faint));
                }
                continue;
            };
            let color = color32(self.loss.color(place));
            painter.circle(at, 3.6, color, Stroke::new(0.8, self.ground));
        }
        if let Some(row) = self.row(hovered) {
            let at = self.spot(panel, i, row);
            painter.circle_stroke(at, 6.0, Stroke::new(2.0, self.text));
        }
    }
}
