//! The chain rule along one way, in symbols and in numbers.

use super::rules::parameter_name;
use super::{
    DIGITS, Formula, Writer, derivative_by, equals, figure, figure32, index, of_layer, output_of,
};
use crate::app::Item;
use crate::app::ui::format::{count, number};
use crate::app::ui::math::{Math, row, sign, text, var};
use crate::nn::Source;
use crate::train::micro::{Chain, Derivative};

/// A way of more factors than this has only its first and its last ones written out.
const MOST_FACTORS: usize = 9;
/// See [`MOST_FACTORS`].
const FIRST_FACTORS: usize = 4;
/// See [`MOST_FACTORS`].
const LAST_FACTORS: usize = 3;

/// The chain rule from the loss to a parameter: every factor as a derivative, and in
/// numbers.
pub(super) fn of(writer: &mut Writer<'_>, chain: &Chain) -> Formula {
    let network = writer.network;
    let d = |above: Math, below: Math| row([var("∂"), above]).over(row([var("∂"), below]));
    let name = parameter_name(network, chain.parameter);
    let out = |column: usize, unit: usize| match column.checked_sub(1) {
        None => output_of(Source::Input, index(unit)),
        Some(layer) => of_layer("a", layer, index(unit)),
    };
    let z = |column: usize, unit: usize| of_layer("z", column - 1, index(unit));
    let mut symbols = vec![derivative_by(name.clone()), equals()];
    let mut numbers = Vec::new();
    // Of a long way both ends are written out; the scene has the rest.
    let n = chain.factors.len();
    let left_out = if n > MOST_FACTORS {
        FIRST_FACTORS..n - LAST_FACTORS
    } else {
        0..0
    };
    for (k, factor) in chain.factors.iter().enumerate() {
        if left_out.contains(&k) {
            if k == left_out.start {
                let rest = &chain.factors[left_out.clone()];
                let product: f64 = rest.iter().map(|f| f.value).product();
                let values = [
                    ("n", count(rest.len() as u64)),
                    ("sum", number(product, DIGITS)),
                ];
                symbols.extend([sign("·"), text("⋯")]);
                numbers.extend([sign("·"), writer.said("micro.rest", &values)]);
            }
            continue;
        }
        let (symbol, item) = match factor.of {
            Derivative::LossByActivation { column, unit } => (
                derivative_by(out(column, unit)),
                Some(Item::Neuron { column, unit }),
            ),
            Derivative::LossBySum { column, unit } => (
                derivative_by(z(column, unit)),
                Some(Item::Neuron { column, unit }),
            ),
            Derivative::Slope { column, unit } => (
                d(out(column, unit), z(column, unit)),
                Some(Item::Neuron { column, unit }),
            ),
            Derivative::Connection {
                layer,
                source,
                from,
                to,
            } => {
                let column = network.layers()[layer].sources()[source].column();
                let item = Item::Connection {
                    layer,
                    source,
                    from,
                    to,
                };
                (d(z(layer + 1, to), out(column, from)), Some(item))
            }
            Derivative::Value { column, unit } => {
                let (layer, to) = chain.units[chain.units.len() - 2];
                let item = Item::Neuron { column, unit };
                (d(z(layer, to), name.clone()), Some(item))
            }
            Derivative::One => {
                let &(layer, to) = chain.units.last().unwrap_or(&(1, 0));
                (d(z(layer, to), name.clone()), None)
            }
        };
        if k > 0 {
            symbols.push(sign("·"));
            numbers.push(sign("·"));
        }
        symbols.push(symbol);
        let shown = figure32(factor.value as f32);
        let shown = match item {
            Some(item) => {
                writer.links.push(item);
                shown.link(writer.links.len() - 1)
            }
            None => shown,
        };
        numbers.push(if k > 0 && factor.value < 0.0 {
            shown.fenced()
        } else {
            shown
        });
    }
    numbers.extend([equals(), figure(chain.value)]);
    if chain.ways > 1.0 {
        symbols.extend([sign("+"), text("⋯")]);
        let others = match chain.ways < 1e9 {
            true => count(chain.ways as u64 - 1),
            false => number(chain.ways, 3),
        };
        let (rest, all) = (chain.total - chain.value, number(chain.total, DIGITS));
        let rest = number(rest, DIGITS);
        let values = [("n", others), ("rest", rest), ("total", all)];
        let said = writer.said("micro.other_ways", &values);
        numbers.extend([Math::Space(0.9), said]);
    }
    Formula {
        // The numbers are those of one way.
        is_equality: chain.ways <= 1.0,
        ..Formula::new(row(symbols), row(numbers))
    }
}
