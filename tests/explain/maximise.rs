//! Activation maximisation.

use crate::trained;
use gradscape::insight::explain::readout_of;
use gradscape::insight::maximise::{Ascent, Maximised, Plan, Space, maximise};
use gradscape::insight::model::Model;
use gradscape::insight::nearest::{Likeness, nearest, strongest};
use gradscape::nn::{Readout, Stage};
use gradscape::train::Problem;
use ndarray::ArrayView1;
use std::ops::ControlFlow;

fn climb(problem: &Problem, params: &[f64], readout: &Readout, seed: u64) -> Maximised<f64> {
    let space = Space::of(problem);
    let plan = Plan::fitting(&space, seed);
    let model = Model::new(&problem.network, params);
    let ascent = Ascent::new(model, readout.clone(), space, plan);
    maximise(ascent, |_| ControlFlow::Continue(()))
}

fn best_real(problem: &Problem, params: &[f64], readout: &Readout) -> f64 {
    let mut model = Model::new(&problem.network, params);
    let of = |model: &mut Model<'_, f64>, x: &ndarray::Array2<f32>| {
        strongest(model, readout, x.mapv(f64::from).view(), 1)
            .first()
            .map_or(f64::MIN, |s| s.1)
    };
    of(&mut model, &problem.train.x).max(of(&mut model, &problem.validation.x))
}

#[test]
fn what_is_found_for_a_class_beats_every_real_sample() {
    for (name, epochs) in [
        ("digits-conv", 6),
        ("digits", 6),
        ("iris", 30),
        ("spiral", 30),
    ] {
        let (problem, params) = trained(name, epochs);
        for class in 0..problem.data.n_targets() {
            let readout = readout_of(&problem.network, problem.encoding, class).unwrap();
            let found = climb(&problem, &params, &readout, 7);
            let real = best_real(&problem, &params, &readout);
            assert!(
                found.value > real,
                "{name} {class}: {} for {real}",
                found.value
            );
            let mut model = Model::new(&problem.network, &params);
            let x = ArrayView1::from(&found.input);
            assert_eq!(found.value, model.value(&readout, x));
            assert_eq!(found.values.len(), 512);
        }
    }
}

#[test]
fn the_same_seed_finds_the_same_and_nothing_leaves_the_datas_range() {
    let (problem, params) = trained("digits-conv", 2);
    let network = &problem.network;
    for readout in [
        Readout::logit(network, 4).unwrap(),
        Readout::channel(network, 2, 3, Stage::Activation).unwrap(),
        Readout::unit(network, 0, 30, Stage::Sum).unwrap(),
    ] {
        let found = climb(&problem, &params, &readout, 3);
        assert_eq!(found, climb(&problem, &params, &readout, 3));
        assert_ne!(found.input, climb(&problem, &params, &readout, 4).input);
        assert!(found.input.iter().all(|v| (0.0..=1.0).contains(v)));
        let rises = found.values.last() > found.values.first();
        assert!(rises, "{:?}", [found.values.first(), found.values.last()]);
    }
}

#[test]
fn a_point_is_moved_in_its_plane_and_its_features_follow() {
    let text = "[data]\nsource = \"xor\"\nfeatures = [\"x1\", \"x2\", \"x1*x2\", \"sin(x1)\"]\n\
                [network]\nlayers = []\nloss = \"cross-entropy\"\n";
    let experiment = gradscape::experiment::Experiment::parse(text, "xor").unwrap();
    let problem = Problem::new(&experiment).unwrap();
    // 0.1 x1 + x1 x2: greatest in a corner of the square from -6 to 6.
    let params = [0.1, 0.0, 1.0, 0.0, 0.0];
    let readout = Readout::logit(&problem.network, 0).unwrap();
    let found = climb(&problem, &params, &readout, 1);
    let [x1, x2] = found.raw[..] else {
        panic!("{:?}", found.raw)
    };
    assert!(x1.abs() > 5.99 && (x1 - x2).abs() < 1e-9, "{x1} {x2}");
    let mapped = problem.data.map_point(x1 as f32, x2 as f32).unwrap();
    for (ours, theirs) in found.input.iter().zip(mapped) {
        assert!((ours - f64::from(theirs)).abs() < 1e-4);
    }
}

#[test]
fn it_can_be_watched_and_ended() {
    let (problem, params) = trained("digits", 1);
    let readout = Readout::logit(&problem.network, 1).unwrap();
    let space = Space::of(&problem);
    let plan = Plan::fitting(&space, 7);
    let model = Model::new(&problem.network, &params);
    let ascent = Ascent::new(model, readout, space, plan);
    let mut seen = Vec::new();
    let found = maximise(ascent, |ascent| {
        seen.push((ascent.steps(), ascent.input().len()));
        if ascent.steps() == 5 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(found.cancelled);
    assert_eq!(seen, (1..=5).map(|k| (k, 64)).collect::<Vec<_>>());
}

#[test]
fn a_sample_is_nearest_to_itself_by_either_likeness() {
    let (problem, params) = trained("digits", 1);
    let x = problem.train.x.mapv(f64::from);
    for likeness in [Likeness::Distance, Likeness::Correlation] {
        let near = nearest(x.view(), x.row(17), likeness, 4);
        assert_eq!(near[0].row, 17, "{likeness:?}");
        assert!(near[0].far.abs() < 1e-12 && near.is_sorted_by(|a, b| a.far <= b.far));
    }
    let faint = x.row(17).mapv(|v| 0.1 * v);
    assert_eq!(
        nearest(x.view(), faint.view(), Likeness::Correlation, 1)[0].row,
        17
    );
    let readout = Readout::logit(&problem.network, 2).unwrap();
    let mut model = Model::new(&problem.network, &params);
    let strong = strongest(&mut model, &readout, x.view(), 3);
    assert!(strong.is_sorted_by(|a, b| a.1 >= b.1));
    assert_eq!(strong[0].1, model.value(&readout, x.row(strong[0].0)));
}
