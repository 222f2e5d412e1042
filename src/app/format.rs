//! Numbers and places as people read them.

use crate::app::scene::{Connection, connection_parameter};
use crate::app::{Item, Texts};
use crate::nn::{Layer, LayerKind, Network, ParamPlace, ParamRole, Shape, Source};
use crate::train::Problem;
use std::fmt::Display;

/// `v` with `digits` significant digits, in powers of ten only where the plain
/// form would be long; a dash for what is not a number.
pub fn number(v: f64, digits: usize) -> String {
    if v.is_nan() {
        return "–".to_owned();
    }
    if v.is_infinite() {
        return if v > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    if v == 0.0 {
        return "0".to_owned();
    }
    let digits = digits.max(1);
    let scientific = format!("{:.*e}", digits - 1, v);
    // The exponent after rounding: 9.9996 is 10.00 in four digits.
    let exponent: i32 = scientific
        .split_once('e')
        .and_then(|(_, e)| e.parse().ok())
        .unwrap_or(0);
    let text = if (-4..6).contains(&exponent) {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        format!("{v:.decimals$}")
    } else {
        scientific
    };
    text.replace('-', "−")
}

/// `v` with `digits` significant digits, or with fewer where those are all of it:
/// 0.15 and not 0.1500.
pub fn exact(v: f32, digits: usize) -> String {
    let text = number(f64::from(v), digits);
    if !text.contains('.') || text.contains('e') {
        return text;
    }
    let short = text.trim_end_matches('0').trim_end_matches('.');
    let is_all = short.replace('−', "-").parse() == Ok(v);
    if is_all { short.to_owned() } else { text }
}

/// `v` with a sign always in front.
pub fn signed(v: f64, digits: usize) -> String {
    let text = number(v, digits);
    if v > 0.0 { format!("+{text}") } else { text }
}

/// A share as a percentage.
pub fn percent(v: f64) -> String {
    format!("{:.1} %", 100.0 * v)
}

/// A whole number in groups of three.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(c);
    }
    text
}

/// A whole number in three digits that count, with k, M and G for thousands, millions and
/// thousands of millions, from 10,000 on.
pub fn compact(n: u64) -> String {
    let (unit, sign) = match n {
        ..10_000 => return count(n),
        10_000..999_500 => (1e3, "k"),
        999_500..999_500_000 => (1e6, "M"),
        _ => (1e9, "G"),
    };
    format!("{}\u{2009}{sign}", number(n as f64 / unit, 3))
}

/// A parameter in words. Layers and units count from 1, as they are drawn.
pub fn parameter(texts: &Texts, network: &Network, place: ParamPlace) -> String {
    let (layer, to) = (place.layer + 1, place.unit + 1);
    let both: [(&str, &dyn Display); 2] = [("layer", &layer), ("to", &to)];
    let kind = network.layers().get(place.layer).map(Layer::kind);
    match (place.role, place.input, kind) {
        (ParamRole::Weight, Some(tap), Some(LayerKind::Conv(conv))) => {
            let [rows, columns] = conv.kernel;
            let (channel, tap) = (tap / (rows * columns) + 1, tap % (rows * columns));
            let (row, column) = (tap / columns + 1, tap % columns + 1);
            let values: [(&str, &dyn Display); 5] = [
                ("layer", &layer),
                ("to", &to),
                ("channel", &channel),
                ("row", &row),
                ("column", &column),
            ];
            texts.with("param.filter_weight", &values)
        }
        (ParamRole::Weight, Some(from), _) => {
            let from = from + 1;
            texts.with(
                "param.weight",
                &[("layer", &layer), ("from", &from), ("to", &to)],
            )
        }
        (ParamRole::Bias, _, Some(LayerKind::Conv(_))) => texts.with("param.filter_bias", &both),
        (ParamRole::Gain, ..) => texts.with("param.gain", &both),
        (ParamRole::Shift, ..) => texts.with("param.shift", &both),
        (ParamRole::Slope, ..) => texts.with("param.slope", &both),
        (ParamRole::RunningMean | ParamRole::RunningVariance, ..) => {
            texts.with("param.statistic", &both)
        }
        (ParamRole::Weight | ParamRole::Bias, ..) => texts.with("param.bias", &both),
    }
}

/// A unit's place in its layer: its number, or in feature maps its channel, row
/// and column, all from 1.
pub fn place(texts: &Texts, shape: Shape, unit: usize) -> String {
    if shape.is_flat() {
        return (unit + 1).to_string();
    }
    let (channel, pixel) = (unit / shape.pixels() + 1, unit % shape.pixels());
    let (row, column) = (pixel / shape.width + 1, pixel % shape.width + 1);
    texts.with(
        "item.place",
        &[("channel", &channel), ("row", &row), ("column", &column)],
    )
}

/// A kind of layer in words.
pub fn kind_name(texts: &Texts, kind: &str) -> String {
    texts.get(&format!("layer_kind.{kind}")).to_owned()
}

/// A shape: `128`, or feature maps, rows and columns as `6@24×24`.
pub fn shape(shape: Shape) -> String {
    if shape.is_flat() {
        count(shape.channels as u64)
    } else {
        format!("{}@{}×{}", shape.channels, shape.height, shape.width)
    }
}

/// Something in the scene in words.
pub fn item(texts: &Texts, problem: &Problem, item: Item) -> String {
    let network = &problem.network;
    match item {
        Item::Neuron { column: 0, unit } => {
            let name = problem.data.feature_names.get(problem.feature_of(unit));
            texts.with("item.input", &[("name", &name.map_or("?", String::as_str))])
        }
        Item::Neuron { column, unit } => {
            let last = network.layers().len();
            let names = problem.data.task.names();
            if column == last && names.len() == network.outputs() {
                return texts.with("item.output", &[("name", &names[unit])]);
            }
            let Some(layer) = network.layers().get(column - 1) else {
                return String::new();
            };
            let unit = place(texts, layer.output_shape(), unit);
            if let LayerKind::Dense { .. } = layer.kind() {
                return texts.with("item.neuron", &[("layer", &column), ("unit", &unit)]);
            }
            let kind = kind_name(texts, layer.kind().name());
            let values: [(&str, &dyn Display); 3] =
                [("layer", &column), ("kind", &kind), ("unit", &unit)];
            texts.with("item.unit", &values)
        }
        Item::Connection {
            layer,
            source,
            from,
            to,
        } => {
            if let Some(place) = parameter_of(network, item).and_then(|i| network.layout().place(i))
            {
                return parameter(texts, network, place);
            }
            let Some(this) = network.layers().get(layer) else {
                return String::new();
            };
            let before = this.sources().get(source).copied();
            let shape = match before {
                Some(Source::Layer(k)) => network.layers().get(k).map(Layer::output_shape),
                _ => Some(network.input_shape()),
            };
            let from = place(texts, shape.unwrap_or(this.input_shape()), from);
            let to = place(texts, this.output_shape(), to);
            let kind = kind_name(texts, this.kind().name());
            let layer = layer + 1;
            let values: [(&str, &dyn Display); 4] = [
                ("layer", &layer),
                ("kind", &kind),
                ("from", &from),
                ("to", &to),
            ];
            texts.with("item.link", &values)
        }
    }
}

/// The parameter that an item stands for: a connection's weight, a neuron's bias.
pub fn parameter_of(network: &Network, item: Item) -> Option<usize> {
    match item {
        Item::Neuron { column, unit } => network.bias_of(column.checked_sub(1)?, unit),
        Item::Connection {
            layer,
            source,
            from,
            to,
        } => connection_parameter(
            network,
            Connection {
                layer,
                source,
                from,
                to,
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_significant_digits() {
        for (v, text) in [
            (0.0123456, "0.01235"),
            (-3.24159, "−3.242"),
            (9.99996, "10.00"),
            (12345.678, "12346"),
            (1.5e-7, "1.500e−7"),
            (2.5e9, "2.500e9"),
            (0.0, "0"),
            (f64::NAN, "–"),
            (f64::NEG_INFINITY, "−∞"),
        ] {
            assert_eq!(number(v, 4), text);
        }
        for (v, text) in [
            (0.15, "0.15"),
            (-2.0, "−2"),
            (0.300_01, "0.3000"),
            (1e-7, "1.000e−7"),
        ] {
            assert_eq!(exact(v, 4), text);
        }
        assert_eq!(signed(0.5, 2), "+0.50");
        assert_eq!(count(1234567), "1\u{2009}234\u{2009}567");
        assert_eq!(percent(0.9666), "96.7 %");
    }
}
