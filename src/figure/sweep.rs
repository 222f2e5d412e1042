//! A search as a picture: parallel coordinates (Inselberg 1985), a line a run
//! from setting to setting to its loss, and below, the loss against each setting.

use super::svg::{Anchor, Svg};
use super::sweep_axes::{LossAxis, SettingAxis};
use super::ticks::tick_label;
use super::{FigureError, Style, Tone};
use crate::search::{Plan, Row, rank};

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct SweepFigure<'a> {
    /// The settings and their values.
    pub plan: &'a Plan,
    /// What the runs came to.
    pub rows: &'a [Row],
    /// The heading.
    pub title: String,
    /// Dark or light.
    pub tone: Tone,
}

const LEFT: f64 = 96.0;
const RIGHT: f64 = 116.0;
/// The parallel axes.
const TOP: f64 = 132.0;
const HEIGHT: f64 = 330.0;
const SPACING: f64 = 170.0;
const LEAST_WIDTH: f64 = 960.0;
/// Above the loss axis, for runs that are not on it.
const SLOT: f64 = 34.0;
/// Lines drawn thicker than the others.
const BEST: usize = 5;
/// The panels below.
const PANELS: f64 = 96.0;
const PANEL: f64 = 190.0;
const PANEL_GAP: (f64, f64) = (32.0, 84.0);
const COLUMNS: usize = 3;
const BOTTOM: f64 = 54.0;

/// The place of one panel.
#[derive(Clone, Copy)]
struct Panel {
    left: f64,
    top: f64,
    width: f64,
    first: bool,
}

impl SweepFigure<'_> {
    /// The picture as SVG.
    ///
    /// # Errors
    /// When no run has a finite loss.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let loss = LossAxis::new(self.rows, self.tone).ok_or(FigureError::Empty(
            "no run has a finite loss to draw; try smaller learning rates",
        ))?;
        let axes = SettingAxis::all(self.plan);
        let width = (LEFT + SPACING * axes.len() as f64 + RIGHT).max(LEAST_WIDTH);
        let columns = axes.len().clamp(1, COLUMNS);
        let lines = axes.len().div_ceil(columns) as f64;
        let height = TOP + HEIGHT + PANELS + lines * PANEL + (lines - 1.0) * PANEL_GAP.1 + BOTTOM;
        let mut svg = Svg::new(width, height, style.background);
        let left = 40.0;
        svg.text((left, 40.0), 22.0, Anchor::Start, style.text, &self.title);
        let room = ((width - 2.0 * left) / 7.3) as usize;
        let summary = shortened(&self.summary(&axes), room);
        svg.text((left, 66.0), 14.0, Anchor::Start, style.faint, &summary);
        self.parallel(&mut svg, &axes, &loss, width, &style);
        let below = (LEFT, TOP + HEIGHT + 54.0);
        let what = "Loss against each setting: a point is a run, the line goes through the medians";
        svg.text(below, 14.0, Anchor::Start, style.faint, what);
        let room = width - LEFT - 40.0 - PANEL_GAP.0 * (columns - 1) as f64;
        for (i, axis) in axes.iter().enumerate() {
            let (row, column) = ((i / columns) as f64, i % columns);
            let panel = Panel {
                left: LEFT + column as f64 * (room / columns as f64 + PANEL_GAP.0),
                top: TOP + HEIGHT + PANELS + row * (PANEL + PANEL_GAP.1),
                width: room / columns as f64,
                first: column == 0,
            };
            self.panel(&mut svg, panel, (i, axis), &loss, &style);
        }
        Ok(svg)
    }

    /// The best run in a line.
    fn summary(&self, axes: &[SettingAxis]) -> String {
        let ranked = rank(self.rows);
        let best = ranked.first().map_or(String::new(), |best| {
            let pairs = axes.iter().zip(&best.values);
            let pairs = pairs.map(|(axis, value)| format!("{} {value}", axis.name));
            let settings: Vec<String> = pairs.collect();
            format!(
                "best: loss {:.5} with {}",
                best.score(),
                settings.join(", ")
            )
        });
        match self.rows.iter().filter(|row| row.diverged()).count() {
            0 => best,
            diverged => format!("{best}; {diverged} diverged"),
        }
    }

    fn parallel(
        &self,
        svg: &mut Svg,
        axes: &[SettingAxis],
        loss: &LossAxis,
        width: f64,
        style: &Style,
    ) {
        let step = (width - LEFT - RIGHT) / axes.len().max(1) as f64;
        let bottom = TOP + HEIGHT;
        let x = |i: usize| LEFT + step * i as f64;
        let y = |share: f64| bottom - HEIGHT * share;
        let loss_top = if loss.has_others { TOP + SLOT } else { TOP };
        let loss_y = |place: f64| bottom - (bottom - loss_top) * place;
        let ranked = rank(self.rows);
        let n = ranked.len();
        // The best last, so that they lie on top.
        for (position, row) in ranked.iter().enumerate().rev() {
            let place = loss.place(row);
            let mut points: Vec<(f64, f64)> = axes
                .iter()
                .zip(&row.values)
                .enumerate()
                .map(|(i, (axis, value))| (x(i), y(axis.place(value))))
                .collect();
            points.push((x(axes.len()), place.map_or(TOP, loss_y)));
            let Some(place) = place else {
                svg.swing(&points, style.faint, 1.0, 0.45, "3 4");
                continue;
            };
            // Many lines are drawn fainter than few.
            let faint = (12.0 / n as f64).clamp(0.12, 0.55);
            let (thick, opacity) = match position {
                0 => (4.0, 1.0),
                p if p < BEST => (2.4, 0.95),
                _ => (1.4, faint + (0.8 - faint) * (1.0 - place).powi(3)),
            };
            if position == 0 {
                svg.swing(&points, style.background, 8.0, 0.8, "");
            }
            svg.swing(&points, loss.color(place), thick, opacity, "");
        }
        for (i, axis) in axes.iter().enumerate() {
            let x = x(i);
            svg.line((x, TOP), (x, bottom), style.faint, 1.5, 1.0);
            let middle = (x, TOP - 18.0);
            svg.text(middle, 15.0, Anchor::Middle, style.text, &axis.name);
            for (share, label) in axis.apart(|_| 20.0 / HEIGHT) {
                let y = y(*share);
                svg.line((x - 5.0, y), (x + 5.0, y), style.faint, 1.5, 1.0);
                let colors = (style.text, style.background);
                svg.label((x - 10.0, y + 5.0), 13.0, Anchor::End, colors, label);
            }
        }
        self.loss_axis(svg, loss, (x(axes.len()), loss_top, bottom), style);
    }

    /// The last axis is its own colour bar.
    fn loss_axis(&self, svg: &mut Svg, loss: &LossAxis, at: (f64, f64, f64), style: &Style) {
        let (x, top, bottom) = at;
        let (bands, bar) = (96, 14.0);
        let band = (bottom - top) / f64::from(bands);
        for i in 0..bands {
            let color = loss.color(1.0 - (f64::from(i) + 0.5) / f64::from(bands));
            // A little overlap hides the seams.
            svg.rect(x, top + band * f64::from(i), bar, band + 0.4, color);
        }
        svg.frame(x, top, bar, bottom - top, style.faint);
        let name = (x + bar + 84.0, TOP - 18.0);
        svg.text(name, 15.0, Anchor::End, style.text, &loss.name);
        let mut last = f64::INFINITY;
        for tick in loss.ticks() {
            let y = bottom - (bottom - top) * loss.scale.share(tick);
            if last - y < 18.0 {
                continue;
            }
            last = y;
            svg.line((x + bar, y), (x + bar + 5.0, y), style.faint, 1.5, 1.0);
            let label = tick_label(tick);
            let place = (x + bar + 10.0, y + 5.0);
            svg.text(place, 13.0, Anchor::Start, style.text, &label);
        }
        if loss.has_others {
            let place = (x + 10.0, TOP + 5.0);
            svg.text(place, 13.0, Anchor::Start, style.faint, others(self.rows));
        }
    }

    /// The loss against one setting: a point a run, and their median.
    fn panel(
        &self,
        svg: &mut Svg,
        panel: Panel,
        (index, axis): (usize, &SettingAxis),
        loss: &LossAxis,
        style: &Style,
    ) {
        let Panel {
            left,
            top,
            width,
            first,
        } = panel;
        let bottom = top + PANEL;
        let slot = if loss.has_others { 20.0 } else { 8.0 };
        let x = |share: f64| left + width * (0.05 + 0.9 * share);
        let y = |place: f64| bottom - 10.0 - (PANEL - 10.0 - slot) * place;
        let head = (left, top - 10.0);
        svg.text(head, 14.0, Anchor::Start, style.text, &axis.key);
        for tick in loss.ticks() {
            let y = y(loss.scale.share(tick));
            svg.line((left, y), (left + width, y), style.grid, 1.0, 1.0);
            if first {
                let place = (left - 8.0, y + 5.0);
                svg.text(place, 13.0, Anchor::End, style.text, &tick_label(tick));
            }
        }
        for (share, label) in
            axis.apart(|label| (8.0 * label.chars().count() as f64 + 12.0) / (0.9 * width))
        {
            let x = x(*share);
            svg.line((x, bottom), (x, bottom + 5.0), style.faint, 1.0, 1.0);
            svg.text((x, bottom + 20.0), 13.0, Anchor::Middle, style.text, label);
        }
        svg.frame(left, top, width, PANEL, style.faint);
        let ranked = rank(self.rows);
        let share_of = |row: &Row| axis.place(&row.values[index]);
        let medians: Vec<(f64, f64)> = axis
            .medians(index, self.rows, loss)
            .into_iter()
            .map(|(share, place)| (x(share), y(place)))
            .collect();
        svg.polyline(&medians, style.text, 2.0, 0.9, "");
        for row in ranked.into_iter().rev() {
            let share = share_of(row);
            match loss.place(row) {
                Some(place) => {
                    let color = loss.color(place);
                    svg.circle((x(share), y(place)), 3.6, color, style.background);
                }
                None => {
                    let (x, y) = (x(share), top + 9.0);
                    for d in [-3.0, 3.0] {
                        svg.line((x - 3.0, y - d), (x + 3.0, y + d), style.faint, 1.2, 0.9);
                    }
                }
            }
        }
        if first {
            let place = (left - 62.0, top + PANEL / 2.0);
            svg.text_upwards(place, 13.0, Anchor::Middle, style.text, &loss.name);
        }
    }
}

/// The text, or its beginning and an ellipsis.
pub(super) fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn others(rows: &[Row]) -> &'static str {
    match rows.iter().any(Row::diverged) {
        true => "diverged",
        false => "off scale",
    }
}
