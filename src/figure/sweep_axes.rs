//! The axes of a search's figure: one for each setting, and one for the loss.

use super::Tone;
use super::scale::Scale;
use super::sweep::shortened;
use super::ticks::tick_label;
use crate::colormap::{Rgb, viridis};
use crate::search::{Plan, Row, Vary, value_text};
use std::collections::{BTreeMap, HashMap};
use toml::Value;

/// One setting.
#[derive(Debug, Clone)]
pub struct SettingAxis {
    /// The last part of its key, or more where two keys end alike.
    pub name: String,
    /// The whole key.
    pub key: String,
    /// Shares of the axis with their labels, upwards.
    pub ticks: Vec<(f64, String)>,
    // Where the values are, by their text.
    places: HashMap<String, f64>,
}

/// The loss that runs are compared by.
#[derive(Debug, Clone)]
pub struct LossAxis {
    /// From best to worst.
    pub scale: Scale,
    /// What it is.
    pub name: String,
    /// Whether some runs are not on it.
    pub has_others: bool,
    tone: Tone,
}

/// Ticks on a short axis, and characters of a label.
const TICKS: usize = 6;
const LABEL: usize = 16;

impl SettingAxis {
    /// An axis for each setting of a plan.
    pub fn all(plan: &Plan) -> Vec<Self> {
        let keys: Vec<&str> = plan.vary().iter().map(Vary::key).collect();
        plan.vary()
            .iter()
            .map(|vary| SettingAxis::new(vary, short_name(vary.key(), &keys)))
            .collect()
    }

    fn new(vary: &Vary, name: String) -> Self {
        let values = vary.values();
        let numbers: Option<Vec<f64>> = values.iter().map(number).collect();
        let numbers = numbers.filter(|n| n.len() > 1);
        let scale = numbers.as_ref().map(|numbers| {
            let lo = numbers.iter().copied().fold(f64::INFINITY, f64::min);
            let hi = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            Scale {
                lo,
                hi,
                log: lo > 0.0 && (vary.is_log() || hi / lo > 100.0),
            }
        });
        let share = |index: usize| match (&numbers, scale) {
            (Some(numbers), Some(scale)) => scale.share(numbers[index]),
            _ => (index as f64 + 0.5) / values.len() as f64,
        };
        let places = (0..values.len()).map(|i| (value_text(&values[i]), share(i)));
        let own = || {
            let mut ticks: Vec<(f64, String)> = (0..values.len())
                .map(|i| (share(i), value_label(&values[i])))
                .collect();
            ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
            ticks
        };
        let ticks = match scale {
            Some(scale) if values.len() > TICKS => {
                let round = scale.ticks(TICKS - 1);
                match round.len() {
                    0 | 1 => own(),
                    _ => round
                        .iter()
                        .map(|&v| (scale.share(v), tick_label(v)))
                        .collect(),
                }
            }
            _ => own(),
        };
        SettingAxis {
            name,
            key: vary.key().to_owned(),
            places: places.collect(),
            ticks,
        }
    }

    /// Where a row's value is.
    pub fn place(&self, value: &str) -> f64 {
        self.places.get(value).copied().unwrap_or(0.5)
    }

    /// For each value of this setting, which is the one at `index`, its share of
    /// the axis and the median place of its runs, where half of them have one.
    pub fn medians(&self, index: usize, rows: &[Row], loss: &LossAxis) -> Vec<(f64, f64)> {
        let mut groups: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for row in rows {
            let Some(value) = row.values.get(index) else {
                continue;
            };
            // Shares are not negative, so their bits are in their order.
            let group = groups.entry(self.place(value).to_bits()).or_default();
            group.push(loss.place(row).unwrap_or(f64::INFINITY));
        }
        groups
            .into_iter()
            .map(|(bits, mut places)| (f64::from_bits(bits), median(&mut places)))
            .filter(|(_, place)| place.is_finite())
            .collect()
    }

    /// As many of its ticks, evenly chosen, as stand at least `gap` (a share, by
    /// label) apart.
    pub fn apart(&self, gap: impl Fn(&str) -> f64) -> Vec<&(f64, String)> {
        let free = |a: &(f64, String), b: &(f64, String)| {
            b.0 - a.0 >= 0.5 * (gap(&a.1) + gap(&b.1)) - 1e-9
        };
        for every in 1..=self.ticks.len().div_ceil(2) {
            let ticks: Vec<&(f64, String)> = self.ticks.iter().step_by(every).collect();
            if ticks.windows(2).all(|pair| free(pair[0], pair[1])) {
                return ticks;
            }
        }
        // Unevenly spaced: whatever is free, one after the other.
        let mut ticks: Vec<&(f64, String)> = Vec::new();
        for tick in &self.ticks {
            if ticks.last().is_none_or(|last| free(last, tick)) {
                ticks.push(tick);
            }
        }
        ticks
    }
}

impl LossAxis {
    /// An axis over the losses of the rows that did not diverge. `None` when
    /// there are none. Losses a hundred times the median are left off it, so
    /// that one wild run does not press all others together.
    pub fn new(rows: &[Row], tone: Tone) -> Option<Self> {
        let mut losses: Vec<f64> = rows
            .iter()
            .filter(|row| !row.diverged())
            .map(Row::score)
            .filter(|loss| loss.is_finite())
            .collect();
        losses.sort_by(f64::total_cmp);
        let (&lo, median) = (losses.first()?, losses[losses.len() / 2]);
        let &hi = losses
            .iter()
            .rfind(|&&loss| median <= 0.0 || loss <= 100.0 * median)?;
        let log = lo > 0.0 && hi / lo > 5.0;
        let scale = Scale { lo, hi, log };
        let part = match rows.iter().any(|row| row.best_validation_loss.is_some()) {
            true => "validation",
            false => "training",
        };
        Some(LossAxis {
            scale,
            name: format!("best {part} loss{}", if log { " (log)" } else { "" }),
            has_others: rows.iter().any(|row| row.diverged() || row.score() > hi),
            tone,
        })
    }

    /// Where a row is, 0 the best; `None` when it diverged or is off the axis.
    pub fn place(&self, row: &Row) -> Option<f64> {
        let loss = row.score();
        let on = !row.diverged() && loss <= self.scale.hi;
        on.then(|| self.scale.share(loss))
    }

    /// Round losses on it, or its ends where there are none.
    pub fn ticks(&self) -> Vec<f64> {
        let ticks = self.scale.ticks(5);
        match ticks.len() {
            0 | 1 if self.scale.lo < self.scale.hi => vec![self.scale.lo, self.scale.hi],
            0 => vec![self.scale.lo],
            _ => ticks,
        }
    }

    /// The colour of a place: viridis, with its end that stands out at the best.
    pub fn color(&self, place: f64) -> Rgb {
        let t = 0.88 * place as f32;
        match self.tone {
            Tone::Dark => viridis(1.0 - t),
            Tone::Light => viridis(t),
        }
    }
}

/// The middle value; of an even number the upper one, so that a setting with
/// which half the runs diverged has none.
fn median(places: &mut [f64]) -> f64 {
    places.sort_by(f64::total_cmp);
    places.get(places.len() / 2).copied().unwrap_or(f64::NAN)
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(v) => Some(*v as f64),
        Value::Float(v) => Some(*v),
        _ => None,
    }
}

/// The end of `key` that no other key has.
fn short_name(key: &str, keys: &[&str]) -> String {
    let others: Vec<&&str> = keys.iter().filter(|k| **k != key).collect();
    let starts = key.rmatch_indices('.').map(|(i, _)| i + 1);
    starts
        .map(|start| &key[start..])
        .find(|end| others.iter().all(|k| !k.ends_with(end)))
        .unwrap_or(key)
        .to_owned()
}

/// A value in few characters: numbers as on an axis, lists and tables without
/// their punctuation.
fn value_label(value: &Value) -> String {
    let text = match (number(value), value) {
        (Some(number), _) => tick_label(number),
        (None, Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(value_label).collect();
            match items.is_empty() {
                true => "none".to_owned(),
                false => items.join("-"),
            }
        }
        (None, Value::Table(table)) => {
            let items: Vec<String> = table.values().map(value_label).collect();
            items.join(" ")
        }
        _ => value_text(value),
    };
    shortened(&text, LABEL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(text: &str) -> SettingAxis {
        let vary: Vary = text.parse().unwrap();
        SettingAxis::new(&vary, String::new())
    }

    #[test]
    fn values_are_where_their_scale_puts_them() {
        let rate = axis("a=1e-4..1:log:5");
        assert!((rate.place("0.01") - 0.5).abs() < 1e-9);
        let batch = axis("a=0..10:5");
        assert_eq!(
            [batch.place("0"), batch.place("5"), batch.place("10")],
            [0.0, 0.5, 1.0]
        );
        // More than two decades: by the logarithm.
        let wide = axis("a=1,10,1000");
        assert!((wide.place("10") - 1.0 / 3.0).abs() < 1e-9);
        let words = axis("a=sgd,adam");
        assert_eq!([words.place("sgd"), words.place("adam")], [0.25, 0.75]);
    }

    #[test]
    fn labels_of_layers_are_short() {
        let layers = axis("a=[{dense=8},{dense=4}],[]");
        let labels: Vec<&str> = layers.ticks.iter().map(|t| t.1.as_str()).collect();
        assert_eq!(labels, ["8-4", "none"]);
    }

    #[test]
    fn names_are_as_short_as_they_stay_apart() {
        let keys = [
            "training.batch",
            "network.layers[0].dense",
            "network.layers[1].dense",
        ];
        assert_eq!(short_name(keys[0], &keys), "batch");
        assert_eq!(short_name(keys[1], &keys), "layers[0].dense");
    }
}
