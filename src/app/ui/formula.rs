//! The formula of an event for one neuron or one weight: in symbols, with this
//! network's numbers, and what comes out.

mod chain;
mod rules;

use super::format::{exact, number};
use super::math::{Math, relation, row, sign, text, var};
use super::stage::Stage;
use crate::app::Item;
use crate::app::chain::parameter_of;
use crate::app::theme::color32;
use crate::nn::{Network, Source};
use crate::train::micro::{Chain, Event, Factor, Micro, Of, Origin, Sum, Term};

/// Significant digits of the numbers in a formula.
const DIGITS: usize = 4;
/// So many terms are written out, the first that fit; the others are summed.
pub const TERMS: [usize; 5] = [Sum::IN_ORDER, 4, 3, 2, 1];

/// A formula with its numbers.
pub struct Formula {
    /// In symbols.
    pub symbols: Math,
    /// The same with numbers, up to the result.
    pub numbers: Option<Math>,
    /// Whether symbols and numbers are equal; of a rule (`w ← …`) they are not.
    pub is_equality: bool,
    /// Where the numbers come from, by the numbers of the links.
    pub links: Vec<Item>,
    /// By what the loss is differentiated, where it is.
    pub derivative: Option<Of>,
    /// Names of the optimiser's vectors with their values before and after.
    pub moments: Vec<(&'static str, f32, f32)>,
}

impl Formula {
    /// An equality without links.
    fn new(symbols: Math, numbers: impl Into<Option<Math>>) -> Self {
        Formula {
            symbols,
            numbers: numbers.into(),
            is_equality: true,
            links: Vec::new(),
            derivative: None,
            moments: Vec::new(),
        }
    }
}

/// A number in digits, with its power of ten as in print: 8.557 · 10⁻⁵.
fn numeral(digits: &str) -> Math {
    match digits.split_once('e') {
        Some((factor, power)) => row([text(factor), sign("·"), text("10").sup(text(power))]),
        None => text(digits),
    }
}

/// A number, with a real minus sign.
fn figure(value: f64) -> Math {
    numeral(&number(value, DIGITS))
}

/// A number in single precision, with no more digits than it has.
fn figure32(value: f32) -> Math {
    numeral(&exact(value, DIGITS))
}

/// A name of a quantity of a layer, with the layer above and a unit below:
/// layers and units are counted from 1.
fn of_layer(name: &str, layer: usize, unit: Math) -> Math {
    var(name).sub(unit).sup(text(format!("({})", layer + 1)))
}

/// What a unit gives out: `x` for an input, `a` for a layer's.
fn output_of(source: Source, unit: Math) -> Math {
    match source {
        Source::Input => var("x").sub(unit),
        Source::Layer(layer) => of_layer("a", layer, unit),
    }
}

/// A unit's number.
fn index(unit: usize) -> Math {
    text((unit + 1).to_string())
}

/// The equals sign.
fn equals() -> Math {
    relation("=")
}

/// The derivative of the loss by something.
fn derivative_by(by: Math) -> Math {
    row([var("∂"), var("E")]).over(row([var("∂"), by]))
}

/// Builds a formula's numbers and keeps where they come from.
struct Writer<'a> {
    stage: &'a Stage<'a>,
    network: &'a Network,
    links: Vec<Item>,
    most: usize,
}

impl Writer<'_> {
    /// What is said with numbers in it; these are set as everywhere in a formula.
    fn said(&self, key: &str, values: &[(&str, String)]) -> Math {
        // At first each number is a letter that no language has.
        let places: Vec<char> = ('\u{e000}'..='\u{f8ff}').take(values.len()).collect();
        let named = values.iter().zip(&places);
        let named: Vec<(&str, &dyn std::fmt::Display)> = named
            .map(|((name, _), place)| (*name, place as &dyn std::fmt::Display))
            .collect();
        let (mut pieces, mut words) = (Vec::new(), String::new());
        for letter in self.stage.texts.with(key, &named).chars() {
            match places.iter().position(|&place| place == letter) {
                Some(k) => {
                    pieces.extend([text(std::mem::take(&mut words)), numeral(&values[k].1)]);
                }
                None => words.push(letter),
            }
        }
        pieces.push(text(words));
        row(pieces)
    }

    /// A factor of a term, as a link to its place; behind others a negative one is in
    /// parentheses.
    fn factor(&mut self, factor: &Factor, is_first: bool) -> Math {
        let value = f64::from(factor.value);
        let shown = figure32(if is_first {
            factor.value.abs()
        } else {
            factor.value
        });
        let shown = match factor.origin {
            Origin::Parameter(_) => {
                let side = &self.stage.palette.diverging;
                let color = if value < 0.0 {
                    side.negative
                } else {
                    side.positive
                };
                Math::Tinted(color32(color), shown.into())
            }
            _ => shown,
        };
        let shown = match item_of(self.network, factor.origin) {
            Some(item) => {
                self.links.push(item);
                shown.link(self.links.len() - 1)
            }
            None => shown,
        };
        if !is_first && value < 0.0 {
            shown.fenced()
        } else {
            shown
        }
    }

    /// A term behind others, with its sign.
    fn term(&mut self, term: &Term, is_first: bool) -> Math {
        let mut pieces = Vec::new();
        let negative = term.factors.first().is_some_and(|f| f.value < 0.0);
        match (is_first, negative) {
            (true, true) => pieces.push(text("−")),
            (true, false) => {}
            (false, true) => pieces.push(sign("−")),
            (false, false) => pieces.push(sign("+")),
        }
        for (k, factor) in term.factors.iter().enumerate() {
            if k > 0 {
                pieces.push(sign("·"));
            }
            pieces.push(self.factor(factor, k == 0));
        }
        row(pieces)
    }

    /// The terms of a sum; those that are too many as one number.
    fn terms(&mut self, sum: &Sum) -> Math {
        // One that is left over is written out as well.
        let shown = if sum.terms.len() <= self.most + 1 {
            sum.terms.len()
        } else {
            self.most
        };
        let mut pieces: Vec<Math> = (0..shown)
            .map(|k| self.term(&sum.terms[k], k == 0))
            .collect();
        let rest = &sum.terms[shown..];
        if !rest.is_empty() {
            let total: f64 = rest.iter().map(|t| t.value).sum();
            let (n, sum) = (rest.len().to_string(), number(total.abs(), DIGITS));
            pieces.push(sign(if total < 0.0 { "−" } else { "+" }));
            pieces.push(self.said("micro.rest", &[("n", n), ("sum", sum)]));
        }
        row(pieces)
    }
}

/// What a number's place is in the scene.
fn item_of(network: &Network, origin: Origin) -> Option<Item> {
    match origin {
        Origin::Value { column, unit } | Origin::Signal { column, unit } => {
            Some(Item::Neuron { column, unit })
        }
        Origin::Parameter(parameter) => weight_item(network, parameter),
    }
}

/// The first connection that a weight belongs to, or the first unit of a bias.
pub fn weight_item(network: &Network, parameter: usize) -> Option<Item> {
    let layer = network.layout().place(parameter)?.layer;
    for (source, connections) in network.connections(layer).into_iter().enumerate() {
        let links = (0..connections.len()).filter_map(|i| connections.get(i));
        if let Some(link) = links.into_iter().find(|l| l.parameter == Some(parameter)) {
            return Some(Item::Connection {
                layer,
                source,
                from: link.from,
                to: link.to,
            });
        }
    }
    let units = network.layers().get(layer)?.outputs();
    let unit = (0..units).find(|&unit| network.bias_of(layer, unit) == Some(parameter))?;
    let column = layer + 1;
    Some(Item::Neuron { column, unit })
}

/// The unit of `layer` that is explained: the selected one, or the one that the
/// selected connection ends in, else the first.
pub fn unit_of(selected: Option<Item>, layer: usize) -> usize {
    match selected {
        Some(Item::Neuron { column, unit }) if column == layer + 1 => unit,
        Some(Item::Connection { layer: at, to, .. }) if at == layer => to,
        Some(Item::Connection {
            layer: at, from, ..
        }) if at == layer + 1 => from,
        _ => 0,
    }
}

/// The chain rule along the way that is shown.
pub fn of_chain(stage: &Stage<'_>, chain: &Chain) -> Formula {
    let mut writer = Writer {
        stage,
        network: &stage.training.problem.network,
        links: Vec::new(),
        most: 0,
    };
    let mut formula = chain::of(&mut writer, chain);
    formula.links = writer.links;
    formula
}

/// The formula of what happened last, with at most so many terms written out.
pub fn of_event(stage: &Stage<'_>, micro: &Micro, event: Event, most: usize) -> Option<Formula> {
    let problem = &stage.training.problem;
    let network = &problem.network;
    let mut writer = Writer {
        stage,
        network,
        links: Vec::new(),
        most,
    };
    let selected = stage.selection.selected;
    let mut formula = match event {
        Event::Sum { layer } => rules::sum(&mut writer, micro, layer, unit_of(selected, layer)),
        Event::Activation { layer } => {
            let unit = unit_of(selected, layer);
            rules::activation(micro, network.layers()[layer].activation(), layer, unit)
        }
        Event::Loss => rules::loss(micro, network),
        Event::PassBack { layer } => {
            rules::pass_back(&mut writer, micro, layer, unit_of(selected, layer))
        }
        Event::Signal { layer } => rules::signal(micro, network, layer, unit_of(selected, layer)),
        Event::Gradient { layer } => {
            let parameter = parameter_of(network, micro, selected, Some(layer))?;
            rules::gradient(&mut writer, micro, parameter)
        }
        Event::Adjust => rules::adjust(
            problem,
            micro,
            parameter_of(network, micro, selected, None)?,
        ),
        Event::Update => rules::update(
            problem,
            micro,
            parameter_of(network, micro, selected, None)?,
        ),
    };
    formula.links = writer.links;
    Some(formula)
}
