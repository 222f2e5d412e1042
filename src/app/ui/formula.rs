//! The formula of an event for one neuron or one weight: in symbols, with this
//! network's numbers, and what comes out.

use super::format::{exact, number};
use super::math::{Math, row, sign, text, var};
use super::stage::Stage;
use crate::app::Item;
use crate::app::theme::color32;
use crate::nn::{Activation, Loss, Network, Source};
use crate::optim::{Method, OptimizerKind};
use crate::train::Problem;
use crate::train::micro::{Event, Factor, Micro, Of, Origin, Sum, Term};

/// Significant digits of the numbers in a formula.
const DIGITS: usize = 4;
/// So many terms are written out, the first that fit; the others are summed.
pub const TERMS: [usize; 4] = [Sum::IN_ORDER, 4, 3, 2];

/// A formula with its numbers.
pub struct Formula {
    /// In symbols.
    pub symbols: Math,
    /// The same with numbers, up to the result.
    pub numbers: Option<Math>,
    /// Where the numbers come from, by the numbers of the links.
    pub links: Vec<Item>,
    /// By what the loss is differentiated, where it is.
    pub derivative: Option<Of>,
    /// Names of the optimiser's vectors with their values before and after.
    pub moments: Vec<(&'static str, f32, f32)>,
}

impl Formula {
    fn new(symbols: Math, numbers: impl Into<Option<Math>>) -> Self {
        Formula {
            symbols,
            numbers: numbers.into(),
            links: Vec::new(),
            derivative: None,
            moments: Vec::new(),
        }
    }
}

/// A number, with a real minus sign.
fn figure(value: f64) -> Math {
    text(number(value, DIGITS))
}

fn figure32(value: f32) -> Math {
    text(exact(value, DIGITS))
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

fn index(unit: usize) -> Math {
    text((unit + 1).to_string())
}

fn equals() -> Math {
    sign("=")
}

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
            let values: [(&str, &dyn std::fmt::Display); 2] = [("n", &n), ("sum", &sum)];
            pieces.push(sign(if total < 0.0 { "−" } else { "+" }));
            pieces.push(text(self.stage.texts.with("micro.rest", &values)));
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

/// The parameter of `layer` that is explained: the selected connection's weight,
/// else the one with the largest gradient.
pub fn parameter_of(
    problem: &Problem,
    micro: &Micro,
    selected: Option<Item>,
    layer: Option<usize>,
) -> Option<usize> {
    let network = &problem.network;
    let chosen = match selected {
        Some(Item::Connection {
            layer: at,
            source,
            from,
            to,
        }) if layer.is_none_or(|layer| layer == at) => {
            let connections = network.connections(at).into_iter().nth(source)?;
            connections.get(connections.number(from, to)?)?.parameter
        }
        Some(Item::Neuron { column, unit }) if layer.is_none_or(|l| l + 1 == column) => {
            column.checked_sub(1).and_then(|l| network.bias_of(l, unit))
        }
        _ => None,
    };
    let range = match layer {
        Some(layer) => network.layer_range(layer),
        None => 0..network.layout().trainable(),
    };
    let gradient = &micro.trace.gradient;
    chosen.or_else(|| range.max_by(|&a, &b| gradient[a].abs().total_cmp(&gradient[b].abs())))
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
        Event::Sum { layer } => sum(&mut writer, micro, layer, unit_of(selected, layer)),
        Event::Activation { layer } => {
            let unit = unit_of(selected, layer);
            activation(micro, network.layers()[layer].activation(), layer, unit)
        }
        Event::Loss => loss(micro, network),
        Event::PassBack { layer } => pass_back(&mut writer, micro, layer, unit_of(selected, layer)),
        Event::Signal { layer } => signal(micro, network, layer, unit_of(selected, layer)),
        Event::Gradient { layer } => {
            let parameter = parameter_of(problem, micro, selected, Some(layer))?;
            gradient(&mut writer, micro, parameter)
        }
        Event::Adjust => adjust(
            problem,
            micro,
            parameter_of(problem, micro, selected, None)?,
        ),
        Event::Update => update(
            problem,
            micro,
            parameter_of(problem, micro, selected, None)?,
        ),
    };
    formula.links = writer.links;
    Some(formula)
}

/// `z = sum w x + b`.
fn sum(writer: &mut Writer<'_>, micro: &Micro, layer: usize, unit: usize) -> Formula {
    let this = &writer.network.layers()[layer];
    let z = of_layer("z", layer, index(unit));
    let trace = &micro.trace;
    let Some(sum) = trace.weighted_sum(writer.network, layer, unit) else {
        // A maximum, a normalisation: the kind's own rule, and what it gives.
        let name = this.kind().name();
        let symbols = row([
            z,
            equals(),
            text(name),
            output_of(this.sources()[0], var("i")).fenced(),
        ]);
        return Formula::new(symbols, figure32(trace.sample.z[layer][unit]));
    };
    let has_weights = sum.terms.iter().any(|t| t.factors.len() > 1);
    let source = this.sources()[0];
    let mut symbols = vec![z, equals(), Math::Sum(Some(var("i").into()), None)];
    if has_weights {
        let pair = row([index(unit), var("i")]);
        symbols.extend([of_layer("w", layer, pair), Math::Space(0.1)]);
    }
    symbols.push(output_of(source, var("i")));
    if writer.network.bias_of(layer, unit).is_some() {
        symbols.extend([sign("+"), of_layer("b", layer, index(unit))]);
    }
    let numbers = [writer.terms(&sum), equals(), figure32(sum.result)];
    Formula::new(row(symbols), row(numbers))
}

/// `a = f(z)`.
fn activation(micro: &Micro, kind: Activation, layer: usize, unit: usize) -> Formula {
    let sample = &micro.trace.sample;
    let (z, a) = (sample.z[layer][unit], sample.a[layer][unit]);
    let of_z = |z: Math| match kind {
        Activation::Sigmoid => {
            let power = var("e").sup(row([text("−"), z]));
            text("1").over(row([text("1"), sign("+"), power]))
        }
        Activation::Tanh => row([text("tanh"), z.fenced()]),
        Activation::Relu => row([text("max"), row([text("0, "), z]).fenced()]),
        Activation::Softmax => {
            let all = row([
                Math::Sum(Some(var("k").into()), None),
                var("e").sup(var("z").sub(var("k"))),
            ]);
            var("e").sup(z).over(all)
        }
        other => row([text(other.name()), z.fenced()]),
    };
    let symbols = row([
        of_layer("a", layer, index(unit)),
        equals(),
        of_z(of_layer("z", layer, index(unit))),
    ]);
    let inner = figure32(z);
    let inner = if z < 0.0 && kind == Activation::Sigmoid {
        inner.fenced()
    } else {
        inner
    };
    Formula::new(symbols, row([of_z(inner), equals(), figure32(a)]))
}

/// `E` of the shown sample.
fn loss(micro: &Micro, network: &Network) -> Formula {
    let sample = &micro.trace.sample;
    let last = network.layers().len() - 1;
    let (a, t) = (&sample.a[last], &sample.target);
    let k = || Math::Sum(Some(var("k").into()), None);
    let difference = |a: Math, t: Math| row([a, sign("−"), t]).fenced().sup(text("2"));
    let (a_k, t_k) = (of_layer("a", last, var("k")), var("t").sub(var("k")));
    let shown = a.len().min(3);
    let more = (a.len() > shown).then(|| row([sign("+"), text("⋯")]));
    let squares = || {
        let pairs = a.iter().zip(t).take(shown).enumerate();
        let all = pairs.flat_map(|(k, (&a, &t))| {
            let plus = (k > 0).then(|| sign("+"));
            plus.into_iter()
                .chain([difference(figure32(a), figure32(t))])
        });
        row(all.chain(more.clone()))
    };
    let result = || [equals(), figure(sample.loss)];
    let (symbols, numbers) = match network.loss_kind() {
        Loss::HalfSquaredError => (
            row([text("1").over(text("2")), k(), difference(a_k, t_k)]),
            row([text("1").over(text("2")), squares().fenced()]
                .into_iter()
                .chain(result())),
        ),
        Loss::MeanSquaredError => (
            row([text("1").over(var("K")), k(), difference(a_k, t_k)]),
            row([
                text("1").over(text(a.len().to_string())),
                squares().fenced(),
            ]
            .into_iter()
            .chain(result())),
        ),
        Loss::SoftmaxCrossEntropy => {
            let terms = a.iter().zip(t).filter(|(_, t)| **t != 0.0).take(3);
            let all = terms.flat_map(|(&a, &t)| {
                let factor = (t != 1.0).then(|| row([figure32(t), sign("·")]));
                [text("−")]
                    .into_iter()
                    .chain(factor)
                    .chain([text("ln "), figure32(a)])
            });
            (
                row([text("−"), k(), t_k, text(" ln "), a_k]),
                row(all.chain(result())),
            )
        }
        Loss::BinaryCrossEntropy => {
            let (a1, t1) = (of_layer("a", last, text("1")), var("t").sub(text("1")));
            let rest = |one: Math| row([text("1"), sign("−"), one]).fenced();
            let symbols = row([
                text("−"),
                t1.clone(),
                text(" ln "),
                a1.clone(),
                sign("−"),
                rest(t1),
                text(" ln "),
                rest(a1),
            ]);
            let (a, t) = (a[0], t[0]);
            let shown = if t == 1.0 {
                row([text("−ln "), figure32(a)])
            } else if t == 0.0 {
                row([
                    text("−ln "),
                    row([text("1"), sign("−"), figure32(a)]).fenced(),
                ])
            } else {
                row([
                    text("−"),
                    figure32(t),
                    text(" ln "),
                    figure32(a),
                    sign("−"),
                    figure32(1.0 - t),
                    text(" ln "),
                    figure32(1.0 - a),
                ])
            };
            (symbols, row([shown].into_iter().chain(result())))
        }
    };
    Formula::new(row([var("E"), equals(), symbols]), numbers)
}

/// `dE/da = sum w delta`.
fn pass_back(writer: &mut Writer<'_>, micro: &Micro, layer: usize, unit: usize) -> Formula {
    let by = derivative_by(of_layer("a", layer, index(unit)));
    let trace = &micro.trace;
    let readers = writer.network.layers().iter().enumerate();
    let reader = readers
        .filter(|(_, l)| l.sources().contains(&Source::Layer(layer)))
        .map(|(reader, _)| reader)
        .next()
        .unwrap_or(layer + 1);
    let passed = trace.sample.passed[layer][unit];
    let Some(sum) = trace.passed_back(writer.network, layer, unit) else {
        return Formula::new(by, figure32(passed));
    };
    let has_weights = sum.terms.iter().any(|t| t.factors.len() > 1);
    let mut symbols = vec![by, equals(), Math::Sum(Some(var("j").into()), None)];
    if has_weights {
        let pair = row([var("j"), index(unit)]);
        symbols.extend([of_layer("w", reader, pair), Math::Space(0.1)]);
    }
    symbols.push(of_layer("δ", reader, var("j")));
    let numbers = row([writer.terms(&sum), equals(), figure32(sum.result)]);
    Formula {
        derivative: Some(Of::Activation { layer, unit }),
        ..Formula::new(row(symbols), numbers)
    }
}

/// `f'(z)` in symbols and in numbers.
fn slope(kind: Activation, layer: usize, unit: usize, z: f32, a: f32) -> [Math; 2] {
    let one = of_layer("a", layer, index(unit));
    let rest = |a: Math| row([text("1"), sign("−"), a]).fenced();
    let value = kind.slope(z, a);
    match kind {
        Activation::Sigmoid => [
            row([one.clone(), Math::Space(0.1), rest(one)]),
            row([figure32(a), sign("·"), rest(figure32(a))]),
        ],
        Activation::Tanh => [
            row([text("1"), sign("−"), one.fenced().sup(text("2"))]).fenced(),
            row([text("1"), sign("−"), figure32(a).fenced().sup(text("2"))]).fenced(),
        ],
        _ => [
            row([
                var("f"),
                text("′"),
                of_layer("z", layer, index(unit)).fenced(),
            ]),
            figure32(value),
        ],
    }
}

/// `delta`, of the output from the loss, else `dE/da f'(z)`.
fn signal(micro: &Micro, network: &Network, layer: usize, unit: usize) -> Formula {
    let sample = &micro.trace.sample;
    let (z, a) = (sample.z[layer][unit], sample.a[layer][unit]);
    let delta = sample.delta[layer][unit];
    let kind = network.layers()[layer].activation();
    let [f, f_numbers] = slope(kind, layer, unit, z, a);
    let name = of_layer("δ", layer, index(unit));
    let by = derivative_by(of_layer("z", layer, index(unit)));
    let dot = || sign("·");
    let result = || [equals(), figure32(delta)];
    let is_output = layer + 1 == network.layers().len();
    let (symbols, numbers) = if is_output {
        let target = var("t").sub(index(unit));
        let error = row([of_layer("a", layer, index(unit)), sign("−"), target]).fenced();
        let (a_n, t_n) = (figure32(a), figure32(sample.target[unit]));
        let t_n = if sample.target[unit] < 0.0 {
            t_n.fenced()
        } else {
            t_n
        };
        let error_n = row([a_n, sign("−"), t_n]).fenced();
        let outputs = sample.a[layer].len();
        match (network.loss_kind(), kind) {
            (Loss::SoftmaxCrossEntropy | Loss::BinaryCrossEntropy, _) => (error, error_n),
            (Loss::HalfSquaredError, Activation::Linear) => (error, error_n),
            (Loss::HalfSquaredError, _) => (row([error, f]), row([error_n, dot(), f_numbers])),
            (Loss::MeanSquaredError, _) => {
                let two = |below: Math| text("2").over(below);
                let mut symbols = vec![two(var("K")), error];
                let mut numbers = vec![two(text(outputs.to_string())), error_n];
                if kind != Activation::Linear {
                    symbols.push(f);
                    numbers.extend([dot(), f_numbers]);
                }
                (row(symbols), row(numbers))
            }
        }
    } else {
        let passed = sample.passed[layer][unit];
        (
            row([derivative_by(of_layer("a", layer, index(unit))), f]),
            row([figure32(passed), dot(), f_numbers]),
        )
    };
    Formula {
        derivative: Some(Of::Sum { layer, unit }),
        ..Formula::new(
            row([name, equals(), by, equals(), symbols]),
            row([numbers].into_iter().chain(result())),
        )
    }
}

/// A parameter's name: `w` with the units where it ends and begins, or `b`.
fn parameter_name(network: &Network, parameter: usize) -> Math {
    match network.layout().place(parameter) {
        Some(place) => match place.input {
            Some(input) => {
                let small = place.unit < 9 && input < 9;
                let comma = text(if small { "" } else { "," });
                let pair = row([index(place.unit), comma, index(input)]);
                of_layer("w", place.layer, pair)
            }
            None => of_layer("b", place.layer, index(place.unit)),
        },
        None => var("w"),
    }
}

/// `dE/dw = delta a`, the mean over the batch.
fn gradient(writer: &mut Writer<'_>, micro: &Micro, parameter: usize) -> Formula {
    let network = writer.network;
    let name = parameter_name(network, parameter);
    let trace = &micro.trace;
    let batch = trace.rows.len();
    let by = derivative_by(name);
    let result = figure32(trace.data_gradient[parameter]);
    let place = network.layout().place(parameter);
    let sum = trace.gradient_terms(network, parameter);
    let (Some(place), Some(sum)) = (place, sum) else {
        return Formula::new(by, result);
    };
    let source = network.layers()[place.layer].sources()[0];
    let is_weight = sum.terms[0].factors.len() > 1;
    let mut product = vec![of_layer("δ", place.layer, index(place.unit))];
    if is_weight && sum.terms.len() == 1 {
        let from = place.input.unwrap_or(0);
        product.extend([Math::Space(0.12), output_of(source, index(from))]);
    } else if is_weight {
        product = vec![
            Math::Sum(Some(text("x, y").into()), None),
            of_layer("δ", place.layer, text("x, y")),
            Math::Space(0.12),
            output_of(source, text("x, y")),
        ];
    }
    let mut symbols = vec![by, equals()];
    if batch > 1 {
        symbols.extend([
            text("1").over(text(batch.to_string())),
            Math::Sum(Some(var("s").into()), None),
        ]);
    }
    symbols.extend(product);
    let terms = writer.terms(&sum);
    let numbers = if batch > 1 {
        let of_sample: f64 = sum.terms.iter().map(|t| t.value).sum();
        let texts = writer.stage.texts;
        row([
            text(texts.get("micro.this_sample")),
            Math::Space(0.3),
            terms,
            equals(),
            figure(of_sample),
            Math::Space(0.9),
            text(texts.get("micro.batch_mean")),
            Math::Space(0.3),
            result,
        ])
    } else {
        row([terms, equals(), result])
    };
    Formula {
        derivative: Some(Of::Parameter(parameter)),
        ..Formula::new(row(symbols), numbers)
    }
}

/// What penalties and bounds make of the gradient.
fn adjust(problem: &Problem, micro: &Micro, parameter: usize) -> Formula {
    let training = &problem.experiment.training;
    let (penalty, clip) = (training.regulariser(), training.clip());
    let trace = &micro.trace;
    let name = || parameter_name(&problem.network, parameter);
    let mut symbols = vec![var("g"), sign("←"), derivative_by(name())];
    let mut numbers = vec![figure32(trace.data_gradient[parameter])];
    let place = problem.network.layout().place(parameter);
    if place.is_some_and(|place| place.input.is_some()) {
        let w = f64::from(trace.before[parameter]);
        if penalty.l2 > 0.0 {
            symbols.extend([sign("+"), var("λ").sub(text("2")), name()]);
            numbers.extend([sign("+"), figure(penalty.l2), sign("·"), figure(w)]);
        }
        if penalty.l1 > 0.0 {
            symbols.extend([sign("+"), var("λ").sub(text("1")), text("sgn "), name()]);
            numbers.extend([sign("+"), figure(penalty.l1 * w.signum())]);
        }
    }
    if clip.norm.is_some() || clip.value.is_some() {
        symbols.extend([text(",  "), text("clip"), var("g").fenced()]);
        numbers.push(sign("→"));
    } else {
        numbers.push(equals());
    }
    numbers.push(figure32(trace.gradient[parameter]));
    Formula::new(row(symbols), row(numbers))
}

/// The optimiser's rule, and where it takes the weight.
fn update(problem: &Problem, micro: &Micro, parameter: usize) -> Formula {
    let trace = &micro.trace;
    let (before, after) = (trace.before[parameter], trace.after[parameter]);
    let name = || parameter_name(&problem.network, parameter);
    let eta_g = || row([var("η"), Math::Space(0.08), var("g")]);
    let hat = |name: &str| Math::Hat(var(name).into());
    let eps = || row([sign("+"), var("ε")]);
    let method = problem.experiment.training.optimizer.kind();
    let rule = match method {
        Method::FirstOrder(OptimizerKind::Sgd) => Some(eta_g()),
        Method::FirstOrder(OptimizerKind::Momentum { .. }) => {
            Some(row([var("η"), Math::Space(0.08), var("v")]))
        }
        Method::FirstOrder(OptimizerKind::Nesterov { .. }) => {
            let ahead = row([var("g"), sign("+"), var("μ"), var("v")]);
            Some(row([var("η"), ahead.fenced()]))
        }
        Method::FirstOrder(OptimizerKind::AdaGrad { .. } | OptimizerKind::RmsProp { .. }) => {
            Some(eta_g().over(row([Math::Root(var("s").into()), eps()])))
        }
        Method::FirstOrder(OptimizerKind::Adam { .. } | OptimizerKind::AdamW { .. }) => {
            let above = row([var("η"), Math::Space(0.08), hat("m")]);
            Some(above.over(row([Math::Root(hat("v").into()), eps()])))
        }
        _ => None,
    };
    let change = f64::from(after) - f64::from(before);
    let symbols = match rule {
        Some(rule) => row([name(), sign("←"), name(), sign("−"), rule]),
        None => row([name(), sign("←"), name(), sign("+"), text("Δ"), var("w")]),
    };
    let is_plain = matches!(method, Method::FirstOrder(OptimizerKind::Sgd));
    let step = if is_plain {
        let g = figure32(trace.gradient[parameter]);
        let g = if trace.gradient[parameter] < 0.0 {
            g.fenced()
        } else {
            g
        };
        row([sign("−"), figure32(trace.rate as f32), sign("·"), g])
    } else {
        row([
            sign(if change < 0.0 { "−" } else { "+" }),
            figure(change.abs()),
        ])
    };
    let numbers = row([
        figure32(before),
        step,
        equals(),
        text(number(f64::from(after), 6)),
    ]);
    let at = |values: &[f32]| values.get(parameter).copied();
    let moments = trace
        .moments
        .iter()
        .filter_map(|moment| Some((moment.name, at(&moment.before)?, at(&moment.after)?)));
    Formula {
        moments: moments.collect(),
        ..Formula::new(symbols, numbers)
    }
}
