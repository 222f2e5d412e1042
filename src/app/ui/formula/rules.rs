//! What each kind of event computes, in symbols and in numbers.

use super::{Formula, Writer, derivative_by, equals, figure, figure32, index, of_layer, output_of};
use crate::app::ui::format::number;
use crate::app::ui::math::{Math, row, sign, text, var};
use crate::nn::{Activation, Loss, Network, Source};
use crate::optim::{Method, OptimizerKind};
use crate::train::Problem;
use crate::train::micro::{Micro, Of};

/// `z = sum w x + b`.
pub(super) fn sum(writer: &mut Writer<'_>, micro: &Micro, layer: usize, unit: usize) -> Formula {
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
pub(super) fn activation(micro: &Micro, kind: Activation, layer: usize, unit: usize) -> Formula {
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
pub(super) fn loss(micro: &Micro, network: &Network) -> Formula {
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
pub(super) fn pass_back(
    writer: &mut Writer<'_>,
    micro: &Micro,
    layer: usize,
    unit: usize,
) -> Formula {
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
pub(super) fn signal(micro: &Micro, network: &Network, layer: usize, unit: usize) -> Formula {
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
pub(super) fn gradient(writer: &mut Writer<'_>, micro: &Micro, parameter: usize) -> Formula {
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
pub(super) fn adjust(problem: &Problem, micro: &Micro, parameter: usize) -> Formula {
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
pub(super) fn update(problem: &Problem, micro: &Micro, parameter: usize) -> Formula {
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
