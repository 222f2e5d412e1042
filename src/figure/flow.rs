//! The flow of gradients through all layers over time in one picture: a row for each
//! layer, a column for each measurement, a block for each quantity.

use super::matrices::three;
use super::plot::sheet;
use super::svg::{Anchor, Svg};
use super::ticks::{nice_ticks, tick_label};
use super::{FigureError, Style, Tone};
use crate::colormap::{Rgb, viridis};
use crate::insight::health::{Health, LayerHealth};

/// What to draw, and how.
#[derive(Debug, Clone)]
pub struct FlowFigure<'a> {
    /// Measurements, oldest first.
    pub records: &'a [Health],
    /// What each layer is called.
    pub names: &'a [String],
    /// The heading.
    pub title: String,
    /// A line below the heading.
    pub subtitle: String,
    /// Dark or light.
    pub tone: Tone,
}

const WIDTH: f64 = 960.0;
const TOP: f64 = 104.0;
/// Where rows begin and end, and how wide the colour bar is.
const LEFT: f64 = 170.0;
const RIGHT: f64 = 700.0;
const BAR: (f64, f64) = (800.0, 14.0);
const ROW: f64 = 26.0;
/// Above a block for its title, and below the last one for the axis.
const HEAD: f64 = 30.0;
const GAP: f64 = 28.0;

/// A block of rows.
struct Block {
    title: &'static str,
    value: fn(&LayerHealth) -> Option<f64>,
    /// Amounts by their logarithm, or shares from 0 to 1.
    log: bool,
}

const BLOCKS: [Block; 4] = [
    Block {
        title: "RMS of the loss's gradient by the weights",
        value: |layer| layer.gradient,
        log: true,
    },
    Block {
        title: "RMS of the last step's update over RMS of the weights",
        value: |layer| layer.update_ratio(),
        log: true,
    },
    Block {
        title: "Share of ReLU units that are 0 for every sample",
        value: |layer| layer.dead,
        log: false,
    },
    Block {
        title: "Share of activations in the flat parts of sigmoid or tanh",
        value: |layer| layer.saturated,
        log: false,
    },
];

impl FlowFigure<'_> {
    /// The picture as SVG.
    ///
    /// # Errors
    /// When there is no measurement, or no layer with weights.
    pub fn draw(&self) -> Result<Svg, FigureError> {
        let style = self.tone.style();
        let layers = self.records.first().map_or(0, |r| r.layers.len());
        let blocks: Vec<(&Block, Vec<usize>)> = BLOCKS
            .iter()
            .map(|block| {
                let has = |layer: &usize| {
                    let mut values = self
                        .records
                        .iter()
                        .map(|r| (block.value)(&r.layers[*layer]));
                    values.any(|value| value.is_some())
                };
                (block, (0..layers).filter(has).collect::<Vec<usize>>())
            })
            .filter(|(_, rows)| !rows.is_empty())
            .collect();
        if blocks.is_empty() {
            return Err(FigureError::Empty(
                "no layer of this network has a gradient to show",
            ));
        }
        let rows: usize = blocks.iter().map(|(_, rows)| rows.len()).sum();
        let height = TOP + (HEAD + GAP) * blocks.len() as f64 + ROW * rows as f64 + 34.0;
        let mut svg = sheet((WIDTH, height), self.tone, &self.title, &self.subtitle);
        let at = (RIGHT + 8.0, TOP - 14.0);
        svg.text(at, 12.5, Anchor::Start, style.faint, "at the end");
        let mut top = TOP;
        for (block, rows) in &blocks {
            let at = (LEFT, top + 17.0);
            svg.text(at, 15.0, Anchor::Start, style.text, block.title);
            self.block(&mut svg, block, rows, top + HEAD, &style);
            top += HEAD + ROW * rows.len() as f64 + GAP;
        }
        self.axis(&mut svg, top - GAP, &style);
        Ok(svg)
    }

    /// Where the column of record `k` begins and ends: half way to its neighbours.
    fn column(&self, k: usize) -> (f64, f64) {
        let epoch = |k: usize| self.records[k].epoch as f64;
        let last = self.records.len() - 1;
        let between = |a: usize| 0.5 * (epoch(a) + epoch(a + 1));
        let from = if k == 0 { epoch(0) } else { between(k - 1) };
        let to = if k == last { epoch(last) } else { between(k) };
        (self.x(from), self.x(to))
    }

    fn x(&self, epoch: f64) -> f64 {
        let (first, last) = self.span();
        match last > first {
            true => LEFT + (RIGHT - LEFT) * (epoch - first) / (last - first),
            // One measurement takes the whole width.
            false if epoch > first => RIGHT,
            false => LEFT,
        }
    }

    fn span(&self) -> (f64, f64) {
        let epoch = |record: Option<&Health>| record.map_or(0.0, |r| r.epoch as f64);
        (epoch(self.records.first()), epoch(self.records.last()))
    }

    fn block(&self, svg: &mut Svg, block: &Block, rows: &[usize], top: f64, style: &Style) {
        let values = self.records.iter().flat_map(|record| {
            let layers = rows.iter().map(|&layer| &record.layers[layer]);
            layers.filter_map(|layer| (block.value)(layer))
        });
        let (low, high) = match block.log {
            true => decades(values),
            false => (0.0, 1.0),
        };
        let color = |value: f64| -> Rgb {
            if !value.is_finite() || block.log && value <= 0.0 {
                return style.grid;
            }
            let raw = if block.log { value.log10() } else { value };
            viridis(((raw - low) / (high - low)) as f32)
        };
        for (place, &layer) in rows.iter().enumerate() {
            let y = top + ROW * place as f64;
            let middle = y + 0.5 * ROW + 4.0;
            let name = self.names.get(layer).map_or("", String::as_str);
            let at = (LEFT - 10.0, middle);
            svg.text(at, 13.0, Anchor::End, style.text, name);
            for (k, record) in self.records.iter().enumerate() {
                let Some(value) = (block.value)(&record.layers[layer]) else {
                    continue;
                };
                let (from, to) = match self.records.len() {
                    1 => (LEFT, RIGHT),
                    _ => self.column(k),
                };
                // A little wider, so that no seam shows.
                let wide = (to - from + 0.4).min(RIGHT - from);
                svg.rect(from, y, wide, ROW - 2.0, color(value));
            }
            let last = self.records.last();
            if let Some(value) = last.and_then(|r| (block.value)(&r.layers[layer])) {
                let said = match block.log {
                    true => three(value),
                    false => format!("{:.0} %", 100.0 * value),
                };
                let at = (RIGHT + 8.0, middle);
                svg.text(at, 13.0, Anchor::Start, style.text, &said);
            }
        }
        bar(svg, style, (top, ROW * rows.len() as f64), |t| {
            let raw = low + t * (high - low);
            let value = if block.log { 10f64.powf(raw) } else { raw };
            (
                color(value),
                match block.log {
                    true => tick_label(10f64.powf(raw)),
                    false => format!("{:.0} %", 100.0 * value),
                },
            )
        });
    }

    fn axis(&self, svg: &mut Svg, bottom: f64, style: &Style) {
        let (first, last) = self.span();
        let ticks = match last > first {
            true => nice_ticks(first, last, 8),
            false => vec![first],
        };
        for tick in ticks.into_iter().filter(|tick| tick.fract() == 0.0) {
            let x = self.x(tick);
            svg.line((x, bottom), (x, bottom + 5.0), style.faint, 1.0, 1.0);
            let at = (x, bottom + 20.0);
            svg.text(at, 13.0, Anchor::Middle, style.text, &tick_label(tick));
        }
        let at = (0.5 * (LEFT + RIGHT), bottom + 42.0);
        svg.text(at, 14.0, Anchor::Middle, style.text, "epoch");
    }
}

/// Whole powers of ten about all `values` that are above 0: at least one decade.
fn decades(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let logs = values.filter(|v| v.is_finite() && *v > 0.0).map(f64::log10);
    let (low, high) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
        (a.min(v), b.max(v))
    });
    if low > high {
        return (-1.0, 0.0);
    }
    (low.floor(), high.ceil().max(low.floor() + 1.0))
}

/// A colour bar from the bottom (0) to the top (1), with the numbers at its ends.
fn bar(svg: &mut Svg, style: &Style, (top, height): (f64, f64), at: impl Fn(f64) -> (Rgb, String)) {
    const STEPS: usize = 48;
    let (x, width) = BAR;
    let height = height - 2.0;
    for k in 0..STEPS {
        let t = 1.0 - (k as f64 + 0.5) / STEPS as f64;
        let step = height / STEPS as f64;
        let y = top + step * k as f64;
        svg.rect(x, y, width, (step + 0.4).min(top + height - y), at(t).0);
    }
    svg.frame(x, top, width, height, style.faint);
    for (t, y) in [(1.0, top + 10.0), (0.0, top + height)] {
        let place = (x + width + 8.0, y);
        svg.text(place, 12.5, Anchor::Start, style.text, &at(t).1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(epoch: usize) -> Health {
        let layer = |gradient: f64| LayerHealth {
            gradient: Some(gradient),
            weight: Some(0.5),
            natural: None,
            update: (epoch > 0).then_some(0.001),
            activation: 1.0,
            delta: 1.0,
            dead: Some(0.25),
            saturated: None,
            identical: None,
        };
        Health {
            epoch,
            step: epoch as u64,
            samples: 10,
            loss: 1.0,
            layers: vec![layer(1e-4), layer(0.0)],
        }
    }

    fn text(records: &[Health]) -> String {
        let names = ["dense 1", "dense 2"].map(str::to_owned);
        let figure = FlowFigure {
            records,
            names: &names,
            title: String::new(),
            subtitle: String::new(),
            tone: Tone::Dark,
        };
        figure.draw().unwrap().finish()
    }

    #[test]
    fn what_no_layer_has_is_left_out_and_zero_has_no_logarithm() {
        let records: Vec<Health> = [0, 1, 2, 4].map(record).into();
        let all = text(&records);
        assert!(all.contains("gradient by the weights") && all.contains("over RMS"));
        assert!(all.contains("25 %") && !all.contains("tanh"));
        assert!(!all.contains("NaN") && !all.contains("inf"));
        // Before the first step there is no update.
        let first = text(&records[..1]);
        assert!(!first.contains("over RMS") && !first.contains("NaN"));
    }

    #[test]
    fn a_scale_spans_a_decade_at_least() {
        assert_eq!(decades([0.02, 0.03].into_iter()), (-2.0, -1.0));
        assert_eq!(decades([1e-5, 3.0].into_iter()), (-5.0, 1.0));
        assert_eq!(decades([0.0].into_iter()), (-1.0, 0.0));
    }
}
