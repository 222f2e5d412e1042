//! A maximised input that is no picture: its values beside those of real samples, each
//! within the range of the data.

use super::super::super::format::number;
use super::super::super::stage::Stage;
use super::ascent::{Growth, Real};
use crate::app::theme::color32;
use crate::colormap::Rgb;
use crate::train::Problem;
use bevy_egui::egui::{self, Align2, FontId, Rect, Sense, Ui, pos2, vec2};

/// A line's height, the room of a name, and that of a column at least and at most, in
/// points.
const LINE: f32 = 20.0;
const NAME: f32 = 132.0;
const COLUMN: [f32; 2] = [104.0, 140.0];
/// Of a column the room of its number.
const NUMBER: f32 = 56.0;
/// Real samples of each kind.
const REAL: usize = 2;
/// At most so many samples are looked through for the range of a column.
const SAMPLES: usize = 2000;

/// A column of the table.
struct Column {
    title: String,
    values: Vec<f64>,
    value: f64,
    color: Rgb,
}

pub(super) fn show(ui: &mut Ui, stage: &Stage<'_>, growth: &Growth) {
    let problem = &stage.training.problem;
    let names = names(problem);
    let real = |key: &str, real: &Real| {
        let class = problem.encoding.class(problem.train.y.row(real.row));
        let class = class.and_then(|k| problem.data.task.names().get(k));
        let title = stage.texts.get(key).to_owned();
        Column {
            title: class.map_or(title.clone(), |class| format!("{title}: {class}")),
            values: of_row(problem, real.row),
            value: real.value,
            color: stage.palette.faint,
        }
    };
    let grown = Column {
        title: stage.t("climb.maximised").to_owned(),
        values: readable(problem, growth),
        value: growth.value,
        color: stage.palette.accent,
    };
    let near = growth.near.iter().take(REAL);
    let strong = growth.strong.iter().take(REAL);
    let columns: Vec<Column> = [grown]
        .into_iter()
        .chain(near.map(|r| real("climb.near_short", r)))
        .chain(strong.map(|r| real("climb.strong_short", r)))
        .collect();
    let ranges: Vec<[f64; 2]> = (0..names.len()).map(|k| range(problem, k)).collect();
    let room = (ui.available_width() - NAME - 4.0) / columns.len() as f32;
    let room = room.clamp(COLUMN[0], COLUMN[1]);
    let wide = NAME + room * columns.len() as f32;
    let size = vec2(wide, LINE * (names.len() + 2) as f32);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter();
    let font = FontId::proportional(12.5);
    let (text, faint) = (color32(stage.palette.text), color32(stage.palette.faint));
    let cut = |said: &str, wide: f32, color| {
        let mut job = egui::text::LayoutJob::simple_singleline(said.into(), font.clone(), color);
        job.wrap = egui::text::TextWrapping::truncate_at_width(wide);
        painter.layout_job(job)
    };
    let line = |k: usize| rect.top() + LINE * k as f32;
    let answer = cut(stage.t("climb.answers"), NAME - 8.0, faint);
    painter.galley(pos2(rect.left(), line(1) + 2.0), answer, faint);
    for (k, name) in names.iter().enumerate() {
        let at = pos2(rect.left(), line(k + 2) + 2.0);
        painter.galley(at, cut(name, NAME - 8.0, text), text);
    }
    for (c, column) in columns.iter().enumerate() {
        let left = rect.left() + NAME + room * c as f32;
        let title = cut(&column.title, room - 10.0, text);
        painter.galley(pos2(left, line(0) + 2.0), title, text);
        let at = pos2(left, line(1) + 0.5 * LINE);
        let value = number(column.value, 4);
        painter.text(at, Align2::LEFT_CENTER, value, font.clone(), text);
        for (k, (&value, [low, high])) in column.values.iter().zip(&ranges).enumerate() {
            let y = line(k + 2);
            let at = pos2(left, y + 0.5 * LINE);
            let said = number(value, 3);
            painter.text(at, Align2::LEFT_CENTER, said, font.clone(), text);
            let rail = Rect::from_min_max(
                pos2(left + NUMBER, y + 5.0),
                pos2(left + room - 14.0, y + LINE - 5.0),
            );
            painter.rect_filled(rail, 2.0, ui.visuals().extreme_bg_color);
            let share = if high > low {
                (value - low) / (high - low)
            } else {
                0.5
            };
            let share = share.clamp(0.0, 1.0) as f32;
            let bar = Rect::from_min_size(rail.min, vec2(rail.width() * share, rail.height()));
            painter.rect_filled(bar, 2.0, color32(column.color));
        }
    }
}

/// What the values are called: of points their coordinates.
fn names(problem: &Problem) -> Vec<String> {
    let data = &problem.data;
    match (&data.points, &data.line) {
        (Some(_), _) => vec!["x1".to_owned(), "x2".to_owned()],
        (None, Some(_)) => vec!["x".to_owned()],
        _ => {
            let inputs = 0..problem.network.inputs();
            let name = |unit| data.feature_names.get(problem.feature_of(unit));
            inputs
                .map(|unit| name(unit).cloned().unwrap_or_default())
                .collect()
        }
    }
}

/// The values in the data's own units.
fn readable(problem: &Problem, growth: &Growth) -> Vec<f64> {
    if problem.data.input_features.is_some() {
        return growth.raw.clone();
    }
    let values = growth.input.iter().enumerate();
    values
        .map(|(unit, &v)| own(problem, unit, v as f32))
        .collect()
}

fn own(problem: &Problem, unit: usize, value: f32) -> f64 {
    let feature = problem.feature_of(unit);
    f64::from(problem.data.scaler.unscaled(feature, value))
}

/// The same of a training sample.
fn of_row(problem: &Problem, row: usize) -> Vec<f64> {
    let data = &problem.data;
    let place = data.train.rows.get(row).copied().unwrap_or(0);
    match (&data.points, &data.line) {
        (Some(points), _) => points.row(place).iter().map(|&v| v.into()).collect(),
        (None, Some(line)) => vec![f64::from(line[place])],
        _ => {
            let x = problem.train.x.row(row);
            let x = x.iter().enumerate();
            x.map(|(unit, &v)| own(problem, unit, v)).collect()
        }
    }
}

/// The range of a value in the data.
fn range(problem: &Problem, k: usize) -> [f64; 2] {
    let data = &problem.data;
    if let Some(domain) = data.domain() {
        return domain[k].map(f64::from);
    }
    if let Some(domain) = data.line_domain() {
        return domain.map(f64::from);
    }
    let column = problem.train.x.column(k);
    let values = column.iter().take(SAMPLES).map(|&v| own(problem, k, v));
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| {
        [low.min(v), high.max(v)]
    })
}
