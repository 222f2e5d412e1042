//! Numbers and places as people read them.

use crate::app::{Item, Texts};
use crate::nn::{Layout, ParamPlace, ParamRole};
use crate::train::Problem;

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

/// A parameter in words. Layers and units count from 1, as they are drawn.
pub fn parameter(texts: &Texts, place: ParamPlace) -> String {
    let (layer, to) = (place.layer + 1, place.unit + 1);
    match (place.role, place.input) {
        (ParamRole::Weight, Some(from)) => {
            let from = from + 1;
            texts.with(
                "param.weight",
                &[("layer", &layer), ("from", &from), ("to", &to)],
            )
        }
        _ => texts.with("param.bias", &[("layer", &layer), ("to", &to)]),
    }
}

/// Something in the scene in words.
pub fn item(texts: &Texts, problem: &Problem, item: Item) -> String {
    match item {
        Item::Neuron { column: 0, unit } => {
            let name = problem.data.feature_names.get(unit);
            texts.with("item.input", &[("name", &name.map_or("?", String::as_str))])
        }
        Item::Neuron { column, unit } => {
            let last = problem.network.layers().len();
            let names = problem.data.task.names();
            if column == last && names.len() == problem.network.outputs() {
                texts.with("item.output", &[("name", &names[unit])])
            } else {
                texts.with("item.neuron", &[("layer", &column), ("unit", &(unit + 1))])
            }
        }
        Item::Connection { layer, from, to } => parameter(
            texts,
            ParamPlace {
                layer,
                role: ParamRole::Weight,
                unit: to,
                input: Some(from),
            },
        ),
    }
}

/// The parameter that an item stands for: a connection's weight, a neuron's bias.
pub fn parameter_of(layout: &Layout, item: Item) -> Option<usize> {
    let place = match item {
        Item::Neuron { column, unit } => ParamPlace {
            layer: column.checked_sub(1)?,
            role: ParamRole::Bias,
            unit,
            input: None,
        },
        Item::Connection { layer, from, to } => ParamPlace {
            layer,
            role: ParamRole::Weight,
            unit: to,
            input: Some(from),
        },
    };
    layout.index(place)
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
        assert_eq!(signed(0.5, 2), "+0.50");
        assert_eq!(count(1234567), "1\u{2009}234\u{2009}567");
        assert_eq!(percent(0.9666), "96.7 %");
    }
}
