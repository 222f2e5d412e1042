//! An iteration event by event: the same numbers as an ordinary step, and the same
//! state on the way back, bit for bit.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::experiment::Experiment;
use gradscape::optim::{OptimizerKind, SolverKind};
use gradscape::train::micro::{Event, Micro, MicroCommand, Of, Sum, check};
use gradscape::train::{Problem, RunState, Session, Snapshot, TrainCommand};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

fn problem(text: &str) -> Arc<Problem> {
    let experiment = Experiment::parse(text, "test").unwrap();
    experiment.validate().unwrap();
    Arc::new(Problem::new(&experiment).unwrap())
}

fn forward(session: &mut Session) -> Snapshot {
    session.command(TrainCommand::Micro(MicroCommand::Forward));
    session.snapshot()
}

fn back(session: &mut Session) -> Snapshot {
    session.command(TrainCommand::Micro(MicroCommand::Back));
    session.snapshot()
}

fn micro(snapshot: &Snapshot) -> &Micro {
    snapshot.micro.as_ref().expect("it is in an iteration")
}

/// Forward until the update has been made.
fn iterate(session: &mut Session) -> Snapshot {
    loop {
        let snapshot = forward(session);
        if micro(&snapshot).last() == Some(Event::Update) {
            return snapshot;
        }
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// Everything that a run is at one moment, but for the count of what happened: a
/// digest of each part, so that what differs can be read.
fn state(session: &mut Session) -> Vec<(&'static str, u64)> {
    let s = session.snapshot();
    let path: Vec<_> = session
        .trajectory()
        .points()
        .iter()
        .map(|p| (p.step, p.epoch, p.loss.to_bits(), bits(&p.params)))
        .collect();
    let micro = s.micro.as_ref().map(|m| (m.done, m.can_go_back));
    let trace = s.micro.as_ref().map(|m| &m.trace);
    vec![
        ("state", digest(&(s.state, s.epoch, s.step))),
        ("batch", digest(&s.batch)),
        ("params", digest(&bits(&s.params))),
        ("gradient", digest(&bits(&s.gradient))),
        ("update", digest(&bits(&s.update))),
        ("loss", digest(&s.batch_loss.to_bits())),
        ("rate", digest(&s.learning_rate.to_bits())),
        ("probe", digest(&s.probe)),
        ("path", digest(&path)),
        ("micro", digest(&micro)),
        ("trace", digest(&trace)),
    ]
}

/// Floating-point numbers are printed so that no two have one text.
fn digest(value: &impl std::fmt::Debug) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    format!("{value:?}").hash(&mut hasher);
    hasher.finish()
}

const DATA: &str = "seed = 5\n[data]\nsource = \"digits\"\nlimit = 60\nvalidation = 0.2\n";

/// Networks that have every kind of layer between them, and every rule that comes
/// between gradient and update.
fn experiments() -> Vec<String> {
    let layers = [
        "{ dense = 7 }, { dense = 5, activation = \"relu\" }",
        "{ conv = 3, kernel = 3, activation = \"relu\" }, { max_pool = 2 }, \
         { conv = 4, kernel = 3, bias = false }, \"batch_norm\", { kind = \"prelu\" }, \
         { avg_pool = 1 }, \"flatten\", { dropout = 0.3 }, { dense = 6 }, \"layer_norm\"",
        "{ dense = 6, name = \"a\" }, { dense = 6, activation = \"linear\" }, { add = \"a\" }, \
         { dense = 6 }",
        "{ conv = 2, kernel = 3 }, \"global_avg_pool\"",
    ];
    let mut all: Vec<String> = layers
        .iter()
        .map(|layers| {
            format!(
                "{DATA}[network]\nlayers = [{layers}]\nloss = \"cross-entropy\"\n[training]\n\
                 batch = 16\nl2 = 0.01\nclip_norm = 0.5\nlabel_smoothing = 0.1\n\
                 optimizer = {{ name = \"adam\", learning_rate = 0.01 }}\n"
            )
        })
        .collect();
    for kind in OptimizerKind::ALL {
        let name = kind.name();
        all.push(format!(
            "{DATA}[network]\nlayers = [{{ dense = 5 }}]\nloss = \"cross-entropy\"\n[training]\n\
             batch = 20\noptimizer = {{ name = \"{name}\", learning_rate = 0.01 }}\n"
        ));
    }
    for kind in SolverKind::ALL {
        let rate = if kind.has_rate() {
            ", learning_rate = 0.01"
        } else {
            ""
        };
        all.push(format!(
            "{DATA}[network]\nlayers = [{{ dense = 3 }}]\nloss = \"mean-squared-error\"\n\
             [training]\nbatch = \"full\"\nl2 = 0.01\noptimizer = {{ name = \"{}\"{rate} }}\n",
            kind.name()
        ));
    }
    all
}

#[test]
fn the_events_of_an_iteration_come_to_one_ordinary_step_to_the_last_bit() {
    for text in experiments() {
        let problem = problem(&text);
        let mut whole = Session::new(Arc::clone(&problem));
        let mut parts = Session::new(problem);
        for step in 1..=7 {
            whole.command(TrainCommand::Step);
            let made = iterate(&mut parts);
            let trace = Arc::clone(&micro(&made).trace);
            assert_eq!(made.step, step, "{text}");
            assert_eq!(bits(&trace.after), bits(&made.params));
            assert_eq!(bits(&trace.gradient), bits(&made.gradient));
            parts.command(TrainCommand::Micro(MicroCommand::Leave));
            assert_eq!(state(&mut parts), state(&mut whole), "{text}, step {step}");
        }
        let (a, b) = (parts.take_outbox(), whole.take_outbox());
        assert_eq!(a.rows, b.rows, "{text}");
    }
}

#[test]
fn half_an_iteration_changes_nothing_of_a_run() {
    let problem = problem(&experiments()[1]);
    let mut whole = Session::new(Arc::clone(&problem));
    let mut parts = Session::new(problem);
    (0..9).for_each(|_| drop(forward(&mut parts)));
    assert_eq!(
        bits(&parts.snapshot().params),
        bits(&whole.snapshot().params)
    );
    for session in [&mut parts, &mut whole] {
        session.command(TrainCommand::Step);
    }
    assert_eq!(state(&mut parts), state(&mut whole));
}

#[test]
fn five_hundred_events_back_restore_every_state_byte_for_byte() {
    // Epochs end and the path is recorded on the way.
    for text in [&experiments()[0], &experiments()[1]] {
        let mut session = Session::new(problem(text));
        session.command(TrainCommand::Micro(MicroCommand::Enter));
        let mut states = vec![state(&mut session)];
        for _ in 0..540 {
            forward(&mut session);
            states.push(state(&mut session));
        }
        let rows = session.take_outbox().rows.len();
        assert!(rows > 2, "{rows}");
        for k in (40..540).rev() {
            back(&mut session);
            assert_eq!(state(&mut session), states[k], "{k} of {text}");
        }
        for expected in &states[41..=540] {
            forward(&mut session);
            assert_eq!(state(&mut session), *expected, "{text}");
        }
        (0..540).for_each(|_| drop(back(&mut session)));
        let start = back(&mut session);
        assert_eq!((start.step, micro(&start).done), (0, 0));
        assert!(!micro(&start).can_go_back);
    }
}

#[test]
fn what_an_event_shows_follows_from_what_was_shown_before_it() {
    // A batch of one, so that the shown sample's gradient is the batch's.
    let text = format!(
        "{DATA}[network]\nlayers = [{{ dense = 7 }}, {{ dense = 5 }}]\nloss = \"cross-entropy\"\n\
         [training]\nbatch = 1\noptimizer = {{ name = \"sgd\", learning_rate = 0.1 }}\n"
    );
    let problem = problem(&text);
    let mut session = Session::new(Arc::clone(&problem));
    let trace = Arc::clone(&micro(&iterate(&mut session)).trace);
    let network = &problem.network;
    let sample = &trace.sample;
    for (layer, events) in [(0, 5), (1, 5), (2, 4)] {
        let of = trace.events.iter().filter(|e| e.layer() == Some(layer));
        assert_eq!(of.count(), events);
        let below = if layer == 0 {
            &sample.input
        } else {
            &sample.a[layer - 1]
        };
        let weights = network.layout().weight(layer).start;
        for (unit, &delta) in sample.delta[layer].iter().enumerate() {
            let mut sum = f64::from(trace.before[network.bias_of(layer, unit).unwrap()]);
            for (input, &x) in below.iter().enumerate() {
                let weight = weights + unit * below.len() + input;
                sum += f64::from(trace.before[weight] * x);
                assert_eq!(trace.data_gradient[weight], delta * x);
                let moved = trace.before[weight] - 0.1 * trace.gradient[weight];
                assert!((trace.after[weight] - moved).abs() <= 1e-7 * moved.abs());
            }
            assert!((sum - f64::from(sample.z[layer][unit])).abs() < 2e-6);
        }
        if layer > 0 {
            for (input, &passed) in sample.passed[layer - 1].iter().enumerate() {
                let back = sample.delta[layer]
                    .iter()
                    .enumerate()
                    .map(|(unit, &delta)| {
                        f64::from(delta * trace.before[weights + unit * below.len() + input])
                    });
                assert!((back.sum::<f64>() - f64::from(passed)).abs() < 1e-6);
            }
        }
    }
    assert_eq!(sample.loss, trace.loss);
}

#[test]
fn the_watched_sample_is_shown_where_the_batch_has_it() {
    use gradscape::train::{Watched, WatchedPart};
    let mut session = Session::new(problem(&experiments()[0]));
    session.command(TrainCommand::Micro(MicroCommand::Enter));
    let before = session.snapshot();
    let trace = &micro(&before).trace;
    let other = trace.rows[3];
    let watched = Watched {
        part: WatchedPart::Train,
        index: other,
    };
    session.command(TrainCommand::Watch(watched));
    let after = session.snapshot();
    assert_eq!(micro(&after).trace.sample.row, other);
    assert_eq!(micro(&after).trace.shown, 3);
    assert_eq!(bits(&micro(&after).trace.after), bits(&trace.after));
    // Behind the update as well, where the weights are others.
    iterate(&mut session);
    let index = trace.rows[5];
    session.command(TrainCommand::Watch(Watched { index, ..watched }));
    let made = session.snapshot();
    assert_eq!((made.step, micro(&made).trace.sample.row), (1, index));
    assert_eq!(bits(&made.params), bits(&trace.after));
}

#[test]
fn any_sample_comes_into_the_batch_when_it_is_chosen() {
    use gradscape::train::{Watched, WatchedPart};
    let text = &experiments()[0];
    let mut session = Session::new(problem(text));
    session.command(TrainCommand::Step);
    // In an iteration that has begun, and before one; of this epoch's samples one that
    // was seen already.
    for (k, events) in [(0, 3), (1, 0)] {
        let seen = session.snapshot().batch[k] as usize;
        for _ in 0..events {
            forward(&mut session);
        }
        session.command(TrainCommand::Watch(Watched {
            part: WatchedPart::Train,
            index: seen,
        }));
        session.command(TrainCommand::Micro(MicroCommand::Enter));
        let snapshot = session.snapshot();
        let now = micro(&snapshot);
        assert_eq!((now.done, now.trace.sample.row), (events, seen));
        assert!(now.trace.rows.contains(&seen));
        let mut rows = now.trace.rows.clone();
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), now.trace.rows.len(), "no sample twice");
        let after = bits(&now.trace.after);
        let made = iterate(&mut session);
        assert_eq!(bits(&made.params), after);
        session.command(TrainCommand::Micro(MicroCommand::Leave));
    }
}

#[test]
fn weights_set_by_hand_keep_the_place_in_the_iteration() {
    let mut session = Session::new(problem(&experiments()[0]));
    for _ in 0..4 {
        forward(&mut session);
    }
    let before = session.snapshot();
    let mut params = before.params.to_vec();
    params[3] += 0.5;
    session.command(TrainCommand::SetParams(params.clone().into()));
    let after = session.snapshot();
    let (old, new) = (micro(&before), micro(&after));
    assert_eq!((new.done, &new.trace.rows), (old.done, &old.trace.rows));
    assert_eq!(bits(&new.trace.before), bits(&params));
    assert_ne!(new.trace.loss, old.trace.loss);
    // What is made of it is the step from there.
    let made = iterate(&mut session);
    assert_eq!(bits(&made.params), bits(&new.trace.after));
    // Behind the update the next iteration begins.
    let moved: Vec<f32> = made.params.iter().map(|p| p * 0.9).collect();
    session.command(TrainCommand::SetParams(moved.clone().into()));
    let next = session.snapshot();
    assert_eq!((micro(&next).done, micro(&next).trace.step), (0, 2));
    assert_eq!(bits(&micro(&next).trace.before), bits(&moved));
}

#[test]
fn another_rate_is_the_rate_of_the_update_to_come() {
    let mut session = Session::new(problem(
        &experiments()[4].replace("learning_rate = 0.01", "learning_rate = 0.5"),
    ));
    forward(&mut session);
    session.command(TrainCommand::SetLearningRate(0.25));
    let made = iterate(&mut session);
    assert_eq!(micro(&made).trace.rate, 0.25);
    assert_eq!(made.state, RunState::Paused);
}

#[test]
fn a_step_that_cannot_be_made_ends_where_an_ordinary_one_does() {
    let text = format!(
        "{DATA}[network]\nlayers = [{{ dense = 5, activation = \"relu\" }}]\n\
         loss = \"mean-squared-error\"\noutput = \"linear\"\n[training]\n\
         optimizer = {{ name = \"sgd\", learning_rate = 1e30 }}\n"
    );
    let problem = problem(&text);
    let mut whole = Session::new(Arc::clone(&problem));
    let mut parts = Session::new(problem);
    while whole.state() != RunState::Diverged {
        whole.command(TrainCommand::Step);
    }
    for _ in 0..100 {
        if forward(&mut parts).state == RunState::Diverged {
            break;
        }
    }
    let (a, b) = (parts.snapshot(), whole.snapshot());
    assert_eq!((a.state, a.divergence), (b.state, b.divergence));
    assert_eq!(bits(&a.params), bits(&b.params));
}

/// The terms add up to the number, of every kind of layer that makes sums.
#[test]
fn terms_add_up_to_what_the_network_computed() {
    let text = format!(
        "{DATA}[network]\nlayers = [{{ conv = 3, kernel = 3, activation = \"relu\" }}, \
         \"flatten\", {{ dense = 6, name = \"a\" }}, {{ dense = 6 }}, {{ add = \"a\" }}]\n\
         loss = \"cross-entropy\"\n[training]\nbatch = 1\n"
    );
    let problem = problem(&text);
    let network = &problem.network;
    let mut session = Session::new(Arc::clone(&problem));
    let trace = Arc::clone(&micro(&iterate(&mut session)).trace);
    let adds_up = |sum: &Sum| {
        let total: f64 = sum.terms.iter().map(|t| t.value).sum();
        let scale: f64 = sum.terms.iter().map(|t| t.value.abs()).sum();
        assert!((total - f64::from(sum.result)).abs() <= 1e-6 * scale.max(1e-3));
        if sum.terms.len() > Sum::IN_ORDER {
            let sizes = sum.terms.windows(2);
            assert!(
                sizes
                    .into_iter()
                    .all(|w| w[0].value.abs() >= w[1].value.abs())
            );
        }
    };
    for layer in 0..network.layers().len() {
        for unit in [0, network.layers()[layer].outputs() - 1] {
            adds_up(&trace.weighted_sum(network, layer, unit).unwrap());
            if layer + 1 < network.layers().len() {
                adds_up(&trace.passed_back(network, layer, unit).unwrap());
            }
        }
    }
    for index in (0..network.layout().trainable()).step_by(7) {
        adds_up(&trace.gradient_terms(network, index).unwrap());
    }
}

#[test]
fn finite_differences_agree_with_every_derivative() {
    let text = format!(
        "{DATA}[network]\nlayers = [{{ dense = 5 }}, {{ dense = 4, activation = \"sigmoid\" }}]\n\
         loss = \"cross-entropy\"\n"
    );
    let problem = problem(&text);
    let mut session = Session::new(Arc::clone(&problem));
    let trace = Arc::clone(&micro(&iterate(&mut session)).trace);
    let mut most: f64 = 0.0;
    let mut seen = 0;
    let mut compare = |of: Of, single: Option<f32>| {
        let check = check(&problem, &trace, of).unwrap();
        assert!(check.agrees(), "{of:?}: {check:?}");
        if let Some(single) = single {
            let close = 1e-5 * check.derivative.abs().max(1e-2);
            assert!(
                (f64::from(single) - check.derivative).abs() < close,
                "{of:?}"
            );
        }
        most = most.max(check.error());
        seen += 1;
    };
    for index in 0..problem.network.layout().trainable() {
        compare(Of::Parameter(index), None);
    }
    for (layer, delta) in trace.sample.delta.iter().enumerate() {
        for (unit, &delta) in delta.iter().enumerate() {
            compare(Of::Sum { layer, unit }, Some(delta));
        }
    }
    for (layer, passed) in trace.sample.passed.iter().enumerate() {
        for (unit, &passed) in passed.iter().enumerate() {
            compare(Of::Activation { layer, unit }, Some(passed));
        }
    }
    assert!(most < 1e-10, "{most}");
    assert!(seen > 400);
    // And it can tell a wrong one.
    let wrong = gradscape::train::micro::Check {
        derivative: 0.1,
        difference: 0.100_01,
        corner: None,
    };
    assert!(!wrong.agrees());
}

#[test]
fn the_ways_of_the_chain_rule_add_up_to_the_derivative_and_the_strongest_is_shown() {
    let mazur = gradscape::lesson::Lesson::find("back-propagation").unwrap();
    let mazur = mazur.experiment_of(0).unwrap();
    let mut session = Session::new(Arc::new(Problem::new(&mazur).unwrap()));
    let snapshot = forward(&mut session);
    let trace = &micro(&snapshot).trace;
    let network = &session.trainer().problem().network;
    // Mazur's w1: through o1 and through o2; that through o1 is the stronger.
    let w1 = network.layer_range(0).start;
    let chain = trace.chain(network, w1).unwrap();
    assert_eq!(chain.ways, 2.0);
    assert_eq!(chain.units, [(2, 0), (1, 0), (0, 0)]);
    // His factors: dE/dout, dout/dnet, w5, dout_h1/dnet_h1, i1.
    let his = [0.741_365_07, 0.186_815_60, 0.4, 0.241_300_71, 0.05];
    assert_eq!(chain.factors.len(), his.len());
    for (factor, his) in chain.factors.iter().zip(his) {
        assert!((factor.value - his).abs() < 1e-7, "{factor:?}");
    }
    // The other way, through o2; both together are all.
    let [(way, product)] = &chain.others[..] else {
        panic!("{:?}", chain.others);
    };
    assert_eq!(way[..], [(2, 1), (1, 0), (0, 0)]);
    assert!((chain.value + product - chain.total).abs() < 1e-9);
    // And his dE/dw1.
    assert!((chain.total - 0.000_438_568).abs() < 1e-9);
}

#[test]
fn the_chain_rule_holds_for_every_kind_of_layer() {
    for text in experiments() {
        let problem = problem(&text);
        let network = &problem.network;
        let mut session = Session::new(Arc::clone(&problem));
        let trace = Arc::clone(&micro(&forward(&mut session)).trace);
        for parameter in (0..network.layout().trainable()).step_by(5) {
            let Some(chain) = trace.chain(network, parameter) else {
                let layer = network.layout().place(parameter).unwrap().layer;
                assert!(!matches!(
                    network.layers()[layer].kind().name(),
                    "dense" | "conv"
                ));
                continue;
            };
            let of_sample = trace.gradient_terms(network, parameter).unwrap();
            let sum: f64 = of_sample.terms.iter().map(|t| t.value).sum();
            assert!((chain.total - sum).abs() <= 1e-6 * sum.abs().max(1e-6));
            let product: f64 = chain.factors.iter().map(|f| f.value).product();
            assert_eq!(product, chain.value);
            // Of one way alone, it is everything.
            if chain.ways == 1.0 {
                let off = (chain.value - chain.total).abs();
                assert!(off <= 1e-5 * chain.total.abs().max(1e-6), "{chain:?}");
            }
        }
    }
}

#[test]
fn all_ways_together_are_the_error_signal() {
    // One way for each of two outputs and three hidden units, summed by hand.
    let text = format!(
        "{DATA}[network]\nlayers = [{{ dense = 4 }}, {{ dense = 3, activation = \"sigmoid\" }}]\n\
         loss = \"mean-squared-error\"\noutput = \"tanh\"\n[training]\nbatch = 4\n"
    );
    let problem = problem(&text);
    let network = &problem.network;
    let mut session = Session::new(Arc::clone(&problem));
    let trace = Arc::clone(&micro(&forward(&mut session)).trace);
    let parameter = network.layer_range(0).start + 3;
    let chain = trace.chain(network, parameter).unwrap();
    let (outputs, hidden) = (network.outputs(), 3);
    assert_eq!(chain.ways, (outputs * hidden) as f64);
    let weight = |layer: usize, to: usize, from: usize| {
        let connections = network.connections(layer).swap_remove(0);
        let link = connections.get(connections.number(from, to).unwrap());
        f64::from(trace.before[link.unwrap().parameter.unwrap()])
    };
    let sample = &trace.sample;
    let place = network.layout().place(parameter).unwrap();
    let (unit, input) = (place.unit, place.input.unwrap());
    let a = |layer: usize, unit: usize| f64::from(sample.a[layer][unit]);
    let mut strongest = 0.0_f64;
    let mut total = 0.0;
    for o in 0..outputs {
        let error = 2.0 * (a(2, o) - f64::from(sample.target[o])) / outputs as f64;
        for h in 0..hidden {
            let way = error
                * (1.0 - a(2, o).powi(2))
                * weight(2, o, h)
                * a(1, h)
                * (1.0 - a(1, h))
                * weight(1, h, unit)
                * (1.0 - a(0, unit).powi(2))
                * f64::from(sample.input[input]);
            total += way;
            if way.abs() > strongest.abs() {
                strongest = way;
            }
        }
    }
    assert!((chain.total - total).abs() <= 1e-5 * total.abs().max(1e-9));
    assert!((chain.value - strongest).abs() <= 1e-5 * strongest.abs().max(1e-9));
}
