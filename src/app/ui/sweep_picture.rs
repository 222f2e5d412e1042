//! A sweep as a picture: parallel coordinates, a line a run. A line, or a point
//! below, says what it is under the pointer, and a click loads it.

use super::constants::short;
use super::format::{number, percent};
use super::stage::Stage;
use super::sweep_form::Setting;
use super::widgets::remark;
use crate::app::theme::color32;
use crate::figure::{LossAxis, SettingAxis};
use crate::search::{Plan, Row, rank};
use bevy_egui::egui::{
    self, Align2, Color32, FontId, Painter, Pos2, Rect, Sense, Shape, Stroke, Ui, pos2, vec2,
};

/// Lines drawn thicker than the others.
const BEST: usize = 5;
/// Runs beyond which lines are straight.
const SMOOTH: usize = 300;
/// How near the pointer has to be, in points.
pub(super) const NEAR: f32 = 8.0;
/// Room around the parallel axes.
const LEFT: f32 = 78.0;
const RIGHT: f32 = 84.0;
const TOP: f32 = 30.0;
/// Above the loss axis, for runs that are not on it.
const SLOT: f32 = 22.0;
/// Room around a small picture.
const AXIS: f32 = 46.0;

/// A setting as it is drawn.
pub(super) struct Column {
    pub axis: SettingAxis,
    pub title: String,
    setting: Option<Setting>,
}

/// Everything that is drawn.
pub(super) struct Picture<'a> {
    pub columns: Vec<Column>,
    pub loss: LossAxis,
    loss_title: String,
    /// From best to worst.
    pub ranked: Vec<&'a Row>,
    pub rows: &'a [Row],
    /// The text beside what diverged.
    others: String,
    pub text: Color32,
    pub faint: Color32,
    pub ground: Color32,
}

/// What is under the pointer, and the run that was clicked.
pub(super) fn show(ui: &mut Ui, stage: &Stage<'_>, plan: &Plan, rows: &[Row]) -> Option<usize> {
    let tone = stage.theme.tone;
    let Some(loss) = LossAxis::new(rows, tone) else {
        remark(ui, stage.t("sweep.no_rows"));
        return None;
    };
    let picture = Picture::new(ui, stage, plan, rows, loss);
    let room = ui.available_size();
    let panels = picture.columns.len().max(1);
    let free = ui.clip_rect().bottom() - ui.cursor().top() - 40.0;
    let below = (0.42 * free).clamp(140.0, 230.0);
    let height = (free - below).clamp(180.0, 520.0);
    let (whole, upper) = ui.allocate_exact_size(vec2(room.x, height), Sense::click());
    remark(ui, stage.t("sweep.scatter"));
    let (under, lower) = ui.allocate_exact_size(vec2(room.x, below), Sense::click());
    let gap = 14.0;
    let width = (under.width() - AXIS - gap * (panels - 1) as f32) / panels as f32;
    let panel = |i: usize| {
        let left = under.left() + AXIS + (width + gap) * i as f32;
        let corner = pos2(left, under.top() + 18.0);
        Rect::from_min_size(corner, vec2(width, under.height() - 38.0))
    };
    let frame = Rect::from_min_max(whole.min + vec2(LEFT, TOP), whole.max - vec2(RIGHT, 10.0));
    let hovered = match (upper.hover_pos(), lower.hover_pos()) {
        (Some(at), _) => picture.line_at(frame, at),
        (_, Some(at)) => (0..panels).find_map(|i| picture.point_at(panel(i), i, at)),
        _ => None,
    };
    let painter = ui.painter_at(whole.union(under).expand(2.0));
    picture.parallel(&painter, frame, hovered);
    for i in 0..picture.columns.len() {
        picture.scatter(&painter, panel(i), i, hovered);
    }
    let row = hovered.and_then(|run| rows.iter().find(|row| row.run == run))?;
    let clicked = upper.clicked() || lower.clicked();
    let response = if upper.hovered() { upper } else { lower };
    let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
    response.on_hover_ui_at_pointer(|ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        for line in details(stage, plan, row) {
            ui.label(line);
        }
        ui.weak(stage.texts.get("sweep.load_tip"));
    });
    clicked.then_some(row.run)
}

/// A run in words: its settings, then what it came to.
pub(super) fn details(stage: &Stage<'_>, plan: &Plan, row: &Row) -> Vec<String> {
    let texts = stage.texts;
    let settings = plan.vary().iter().zip(&row.values).map(|(vary, value)| {
        let (title, setting) = name(stage, plan, vary.key());
        format!("{title} {}", shown(stage, setting, value, 4))
    });
    let mut lines: Vec<String> = settings.collect();
    let mut fact = |key: &'static str, value: String| {
        lines.push(format!("{} {value}", texts.get(key)));
    };
    if let Some(loss) = row.best_validation_loss {
        fact("figure.validation_loss", number(loss, 4));
    }
    fact("figure.train_loss", number(row.best_train_loss, 4));
    if let Some(accuracy) = row.best_validation_accuracy {
        fact("figure.validation_accuracy", percent(accuracy));
    } else if let Some(accuracy) = row.best_train_accuracy {
        fact("figure.train_accuracy", percent(accuracy));
    }
    lines.push(match row.diverged_step {
        Some(step) => texts.with("sweep.diverged_in", &[("step", &step)]),
        None => texts.with(
            "sweep.best_epoch",
            &[("epoch", &row.best_epoch), ("epochs", &row.epochs)],
        ),
    });
    lines
}

/// A run in a line: its loss, then its settings.
pub(super) fn summary(stage: &Stage<'_>, plan: &Plan, row: &Row) -> String {
    let mut lines = details(stage, plan, row);
    let settings = plan.vary().len().min(lines.len());
    lines.rotate_left(settings);
    // After the loss that runs are compared by, the settings.
    let mut said: Vec<String> = lines.drain(..1).collect();
    said.extend(lines.split_off(lines.len() - settings));
    said.join(" · ")
}

/// A value in the language in use, a number in so many digits.
fn shown(stage: &Stage<'_>, setting: Option<Setting>, value: &str, digits: usize) -> String {
    match (value.parse::<f64>(), setting) {
        (Ok(v), _) => short(format!("{v:.*e}", digits - 1).parse().unwrap_or(v)),
        (_, Some(setting)) => setting.value_title(stage, value),
        _ => value.to_owned(),
    }
}

fn name(stage: &Stage<'_>, plan: &Plan, key: &str) -> (String, Option<Setting>) {
    match Setting::of_key(key, plan.base()) {
        Some(setting) => (setting.title(stage), Some(setting)),
        None => (key.to_owned(), None),
    }
}

/// Where a line is between two axes, `t` of the way from the one to the other.
fn swing(t: f32, smooth: bool) -> f32 {
    if smooth { t * t * (3.0 - 2.0 * t) } else { t }
}

impl<'a> Picture<'a> {
    fn new(ui: &Ui, stage: &Stage<'_>, plan: &Plan, rows: &'a [Row], loss: LossAxis) -> Self {
        let columns = SettingAxis::all(plan).into_iter().map(|axis| {
            let (title, setting) = name(stage, plan, &axis.key);
            Column {
                axis,
                title,
                setting,
            }
        });
        let mut columns: Vec<Column> = columns.collect();
        for column in &mut columns {
            if let Some(setting) = column.setting {
                let ticks = column.axis.ticks.iter_mut();
                ticks.for_each(|(_, label)| *label = shown(stage, Some(setting), label, 3));
            }
        }
        let valid = rows.iter().any(|row| row.best_validation_loss.is_some());
        let key = if valid {
            "figure.validation_loss"
        } else {
            "figure.train_loss"
        };
        let diverged = rows.iter().any(Row::diverged);
        let others = if diverged {
            "sweep.diverged"
        } else {
            "sweep.off_scale"
        };
        Picture {
            columns,
            loss,
            loss_title: stage.texts.get(key).to_owned(),
            ranked: rank(rows),
            rows,
            others: stage.texts.get(others).to_owned(),
            text: ui.visuals().text_color(),
            faint: ui.visuals().weak_text_color(),
            ground: ui.visuals().panel_fill,
        }
    }

    fn is_smooth(&self) -> bool {
        self.ranked.len() <= SMOOTH
    }

    fn x(&self, frame: Rect, i: usize) -> f32 {
        frame.left() + frame.width() * i as f32 / self.columns.len().max(1) as f32
    }

    fn loss_y(&self, frame: Rect, row: &Row) -> f32 {
        match self.loss.place(row) {
            Some(place) => frame.bottom() - self.loss_height(frame) * place as f32,
            None => frame.top(),
        }
    }

    fn loss_height(&self, frame: Rect) -> f32 {
        frame.height() - if self.loss.has_others { SLOT } else { 0.0 }
    }

    /// Where a run crosses the axes.
    fn anchors(&self, frame: Rect, row: &Row) -> Vec<Pos2> {
        let columns = self.columns.iter().zip(&row.values).enumerate();
        let mut points: Vec<Pos2> = columns
            .map(|(i, (column, value))| {
                let share = column.axis.place(value) as f32;
                pos2(self.x(frame, i), frame.bottom() - frame.height() * share)
            })
            .collect();
        let end = self.x(frame, self.columns.len());
        points.push(pos2(end, self.loss_y(frame, row)));
        points
    }

    fn line(&self, frame: Rect, row: &Row) -> Vec<Pos2> {
        let anchors = self.anchors(frame, row);
        if !self.is_smooth() {
            return anchors;
        }
        let mut points: Vec<Pos2> = anchors.first().copied().into_iter().collect();
        for pair in anchors.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            points.extend((1..=20).map(|k| {
                let t = k as f32 / 20.0;
                pos2(a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * swing(t, true))
            }));
        }
        points
    }

    /// The run whose line is nearest; of several alike, the best.
    fn line_at(&self, frame: Rect, at: Pos2) -> Option<usize> {
        if !frame.expand(NEAR).contains(at) {
            return None;
        }
        let x = at.x.clamp(frame.left(), frame.right());
        let height = |row: &Row| {
            let anchors = self.anchors(frame, row);
            let pair = anchors.windows(2).find(|p| x <= p[1].x + 0.01)?;
            let t = ((x - pair[0].x) / (pair[1].x - pair[0].x)).clamp(0.0, 1.0);
            let t = swing(t, self.is_smooth());
            Some(pair[0].y + (pair[1].y - pair[0].y) * t)
        };
        let near = self.ranked.iter().filter_map(|row| {
            let distance = (height(row)? - at.y).abs();
            (distance <= NEAR).then_some((distance.round() as i32, row.run))
        });
        // The first of those equally near is the best.
        near.min_by_key(|(distance, _)| *distance)
            .map(|(_, run)| run)
    }

    fn parallel(&self, painter: &Painter, frame: Rect, hovered: Option<usize>) {
        let n = self.ranked.len();
        let faint = (12.0 / n.max(1) as f32).clamp(0.12, 0.55);
        // The best last, so that they lie on top.
        for (position, row) in self.ranked.iter().enumerate().rev() {
            let Some(place) = self.loss.place(row) else {
                let stroke = Stroke::new(1.0, self.faint.gamma_multiply(0.5));
                painter.extend(Shape::dashed_line(&self.line(frame, row), stroke, 3.0, 4.0));
                continue;
            };
            let color = color32(self.loss.color(place));
            let (width, opacity) = match position {
                0 => (3.6, 1.0),
                p if p < BEST => (2.2, 0.95),
                _ => (1.3, faint + (0.8 - faint) * (1.0 - place as f32).powi(3)),
            };
            let line = self.line(frame, row);
            if position == 0 {
                let halo = Stroke::new(7.0, self.ground);
                painter.line(line.clone(), halo);
            }
            painter.line(line, Stroke::new(width, color.gamma_multiply(opacity)));
        }
        if let Some(row) = self.row(hovered) {
            let line = self.line(frame, row);
            painter.line(line.clone(), Stroke::new(8.0, self.ground));
            painter.line(line, Stroke::new(3.0, self.text));
        }
        for (i, column) in self.columns.iter().enumerate() {
            let x = self.x(frame, i);
            let axis = Stroke::new(1.5, self.faint);
            painter.vline(x, frame.y_range(), axis);
            let title = pos2(x, frame.top() - 8.0);
            self.title(painter, title, &column.title);
            let gap = 18.0 / f64::from(frame.height());
            for (share, label) in column.axis.apart(|_| gap) {
                let y = frame.bottom() - frame.height() * *share as f32;
                painter.hline(x - 4.0..=x + 4.0, y, axis);
                self.label(painter, pos2(x - 9.0, y), Align2::RIGHT_CENTER, label);
            }
        }
        self.loss_axis(painter, frame);
    }

    pub fn row(&self, run: Option<usize>) -> Option<&'a Row> {
        run.and_then(|run| self.rows.iter().find(|row| row.run == run))
    }

    /// A name over an axis, within the picture.
    fn title(&self, painter: &Painter, at: Pos2, text: &str) {
        let galley = painter.layout_no_wrap(text.to_owned(), FontId::proportional(14.0), self.text);
        let clip = painter.clip_rect();
        let left = (at.x - galley.size().x / 2.0)
            .min(clip.right() - galley.size().x - 4.0)
            .max(clip.left() + 2.0);
        painter.galley(pos2(left, at.y - galley.size().y), galley, self.text);
    }

    /// A label on a ground of its own, so that lines do not cross it.
    fn label(&self, painter: &Painter, at: Pos2, align: Align2, text: &str) {
        let galley = painter.layout_no_wrap(text.to_owned(), FontId::proportional(12.5), self.text);
        let rect = align.anchor_size(at, galley.size());
        painter.rect_filled(rect.expand2(vec2(3.0, 0.0)), 3.0, self.ground);
        painter.galley(rect.min, galley, self.text);
    }

    /// The last axis is its own colour bar.
    fn loss_axis(&self, painter: &Painter, frame: Rect) {
        let x = frame.right();
        let (bottom, height) = (frame.bottom(), self.loss_height(frame));
        let bands = 64;
        let band = height / bands as f32;
        for k in 0..bands {
            let place = (k as f64 + 0.5) / f64::from(bands);
            let low = bottom - band * k as f32;
            // A little overlap hides the seams.
            let rect = Rect::from_min_max(pos2(x, low - band - 0.4), pos2(x + 12.0, low));
            painter.rect_filled(rect, 0.0, color32(self.loss.color(place)));
        }
        self.title(painter, pos2(x + 6.0, frame.top() - 8.0), &self.loss_title);
        let mut last = f32::INFINITY;
        for tick in self.loss.ticks() {
            let y = bottom - height * self.loss.scale.share(tick) as f32;
            if last - y < 16.0 {
                continue;
            }
            last = y;
            painter.hline(x + 12.0..=x + 16.0, y, Stroke::new(1.5, self.faint));
            self.label(
                painter,
                pos2(x + 20.0, y),
                Align2::LEFT_CENTER,
                &short(tick),
            );
        }
        if self.loss.has_others {
            let at = pos2(x + 8.0, frame.top());
            let font = FontId::proportional(12.5);
            painter.text(at, Align2::LEFT_CENTER, &self.others, font, self.faint);
        }
    }
}
