//! The structure of a network as a flat diagram: a box a layer from top to bottom, with
//! shapes and costs, and lines where one reads another.

use super::Tone;
use super::svg::{Anchor, Svg};
use crate::colormap::Rgb;
use crate::insight::structure::{Row, Structure, bytes, grouped, shape};

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct StructureFigure<'a> {
    /// The network.
    pub structure: &'a Structure,
    /// The heading.
    pub title: String,
    /// Dark or light.
    pub tone: Tone,
}

const WIDTH: f64 = 900.0;
const TOP: f64 = 118.0;
/// From one box to the next, and a box's height.
const STEP: f64 = 74.0;
const BOX: f64 = 50.0;
/// Where boxes begin, and where they end.
const LEFT: f64 = 120.0;
const RIGHT: f64 = 520.0;
/// Where the bars of the costs begin, and how long the longest is.
const BARS: f64 = 560.0;
const LONGEST: f64 = 150.0;
/// From one line that skips layers to the next.
const LANE: f64 = 14.0;

impl StructureFigure<'_> {
    /// The picture as SVG.
    pub fn draw(&self) -> Svg {
        let style = self.tone.style();
        let rows = &self.structure.rows;
        let height = TOP + STEP * rows.len() as f64 + 26.0;
        let mut svg = Svg::new(WIDTH, height, style.background);
        svg.text((40.0, 38.0), 22.0, Anchor::Start, style.text, &self.title);
        let all = self.structure;
        let totals = format!(
            "{} parameters · {} multiply-adds · {} of weights, {} of activations a sample · {}",
            grouped(all.parameters),
            grouped(all.multiply_adds),
            bytes(all.parameter_bytes),
            bytes(all.activation_bytes),
            all.loss
        );
        svg.text((40.0, 64.0), 14.0, Anchor::Start, style.faint, &totals);
        for (x, heading) in [
            (LEFT, "layer"),
            (BARS, "parameters"),
            (BARS + LONGEST + 20.0, "multiply-adds"),
        ] {
            svg.text((x, TOP - 14.0), 13.0, Anchor::Start, style.faint, heading);
        }
        self.connections(&mut svg);
        let most = |of: fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or(0).max(1) as f64;
        let (parameters, arithmetic) = (most(|r| r.parameters), most(|r| r.multiply_adds));
        for (k, row) in rows.iter().enumerate() {
            let y = TOP + STEP * k as f64;
            self.layer(&mut svg, row, y);
            let mut bar = |x: f64, longest: f64, count: usize, most: f64, color: Rgb| {
                if count == 0 {
                    return;
                }
                let long = (longest * count as f64 / most).max(1.5);
                svg.rect(x, y + 28.0, long, 9.0, color);
                let said = grouped(count);
                svg.text((x, y + 21.0), 14.0, Anchor::Start, style.text, &said);
            };
            bar(BARS, LONGEST, row.parameters, parameters, style.training);
            let x = BARS + LONGEST + 20.0;
            bar(x, LONGEST, row.multiply_adds, arithmetic, style.validation);
        }
        svg
    }

    fn layer(&self, svg: &mut Svg, row: &Row, y: f64) {
        let style = self.tone.style();
        let fill = style.background.blend(style.text, 0.06);
        svg.rect(LEFT, y, RIGHT - LEFT, BOX, fill);
        svg.rect(LEFT, y, 6.0, BOX, self.color(row.kind));
        let mut what = row.kind.replace('_', " ");
        if !row.detail.is_empty() {
            what += &format!(" {}", row.detail);
        }
        if !row.activation.is_empty() {
            what += &format!(", {}", row.activation);
        }
        let start = LEFT + 18.0;
        svg.text((start, y + 21.0), 15.0, Anchor::Start, style.text, &what);
        svg.text(
            (start, y + 40.0),
            12.5,
            Anchor::Start,
            style.faint,
            &row.name,
        );
        let out = shape(&row.output);
        svg.text(
            (RIGHT - 14.0, y + 31.0),
            15.0,
            Anchor::End,
            style.text,
            &out,
        );
    }

    /// Lines from each box to those that read it: straight to the next, at the side past
    /// others.
    fn connections(&self, svg: &mut Svg) {
        let style = self.tone.style();
        let line = style.faint;
        let mut lanes: Vec<usize> = Vec::new();
        for (k, row) in self.structure.rows.iter().enumerate() {
            let y = TOP + STEP * k as f64;
            for &from in &row.reads {
                let start = TOP + STEP * from as f64 + BOX;
                let x = 0.5 * (LEFT + RIGHT);
                if from + 1 == k {
                    svg.line((x, start), (x, y), line, 1.6, 1.0);
                    arrow(svg, (x, y), (0.0, 1.0), line);
                    continue;
                }
                // The first lane that is free from there on.
                let lane = lanes.iter().position(|&until| until <= from);
                let lane = lane.unwrap_or_else(|| {
                    lanes.push(0);
                    lanes.len() - 1
                });
                lanes[lane] = k;
                let side = LEFT - 18.0 - LANE * lane as f64;
                let (leaves, arrives) = (start - 0.3 * BOX, y + 0.5 * BOX);
                let way = [
                    (LEFT, leaves),
                    (side, leaves),
                    (side, arrives),
                    (LEFT, arrives),
                ];
                svg.polyline(&way, style.training, 1.8, 1.0, "");
                arrow(svg, (LEFT, arrives), (1.0, 0.0), style.training);
            }
        }
    }

    /// The colour of a kind of layer.
    fn color(&self, kind: &str) -> Rgb {
        let style = self.tone.style();
        match kind {
            "dense" | "conv" => style.training,
            "max_pool" | "avg_pool" | "global_avg_pool" => style.validation,
            "batch_norm" | "layer_norm" => style.path,
            "add" => style.text,
            _ => style.faint,
        }
    }
}

/// An arrowhead at `tip`, in a direction of length 1.
fn arrow(svg: &mut Svg, tip: (f64, f64), (dx, dy): (f64, f64), color: Rgb) {
    let back = (tip.0 - 8.0 * dx, tip.1 - 8.0 * dy);
    for side in [-1.0, 1.0] {
        let end = (back.0 - 4.0 * side * dy, back.1 + 4.0 * side * dx);
        svg.line(end, tip, color, 1.6, 1.0);
    }
}
