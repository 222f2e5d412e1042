//! The error surface is the surface of the run beside it: same loss, same
//! weights, same path.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::experiment::Experiment;
use gradscape::landscape::{Axis, Directions, Gauge, Slice, evaluate, path_on_plane};
use gradscape::train::{Evaluator, PathPoint, Problem, Session, TrainCommand};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A run to its end.
fn trained(training: &str) -> Session {
    let text = format!(
        "[data]\nsource = \"spiral\"\nsamples = 90\nnoise = 0.1\nvalidation = 0.2\n\
         [network]\nlayers = [{{ dense = 6 }}, {{ dense = 4, activation = \"relu\" }}]\n\
         loss = \"cross-entropy\"\n[training]\n{training}"
    );
    let experiment = Experiment::parse(&text, "spiral.toml").unwrap();
    let mut session = Session::new(Arc::new(Problem::new(&experiment).unwrap()));
    session.command(TrainCommand::Start);
    while session.advance() {}
    session
}

#[test]
fn the_surface_s_origin_is_the_training_loss_to_the_last_bit() {
    for batch in ["\"full\"", "7"] {
        let mut session = trained(&format!("batch = {batch}\nepochs = 10"));
        let row = *session.take_outbox().rows.last().unwrap();
        let trainer = session.trainer();
        let (problem, params) = (trainer.problem(), trainer.params());
        let loss = Evaluator::new(&problem.network).loss(&problem.network, params, &problem.train);
        assert_eq!(loss.to_bits(), row.train_loss.to_bits());
        for directions in [Directions::Weights(3, 20), Directions::Random { seed: 4 }] {
            let plane = directions.plane(problem.network.layout(), params).unwrap();
            let (x, y) = (
                Axis::new(-1.0, 1.0, 21).unwrap(),
                Axis::new(-2.0, 2.0, 11).unwrap(),
            );
            let surface = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .unwrap();
                pool.install(|| {
                    evaluate(
                        &Slice::new(Gauge::training_loss(problem), &plane),
                        x,
                        y,
                        &AtomicBool::new(false),
                        |_| {},
                        |_| {},
                    )
                })
                .unwrap()
            };
            let one = surface(1);
            assert_eq!(one.loss[[5, 10]].to_bits(), loss.to_bits(), "{directions}");
            assert_eq!(one, surface(3), "{directions}");
        }
    }
}

#[test]
fn a_path_within_the_plane_has_no_gap_and_lies_in_it_wholly() {
    let session = trained("batch = 7\nepochs = 5");
    let problem = session.trainer().problem();
    let center = session.trainer().params();
    let (i, j) = (4, 31);
    let plane = Directions::Weights(i, j)
        .plane(problem.network.layout(), center)
        .unwrap();
    let mut evaluator = Evaluator::new(&problem.network);
    let points: Vec<_> = (0..40_u8)
        .map(|step| {
            let mut params = center.to_vec();
            params[i] += 0.07 * f32::from(step) - 1.0;
            params[j] -= 0.05 * f32::from(step);
            PathPoint {
                step: u64::from(step),
                epoch: 0,
                loss: evaluator.loss(&problem.network, &params, &problem.train),
                params: params.into(),
            }
        })
        .collect();
    let path = path_on_plane(
        Gauge::training_loss(problem),
        &plane,
        &points,
        &AtomicBool::new(false),
    )
    .unwrap();
    assert_eq!(path.points.len(), 40);
    assert!(path.largest_gap().unwrap().gap().abs() < 1e-6);
    assert!((path.share_in_plane().unwrap() - 1.0).abs() < 1e-12);
    // The run itself moved in every direction and left the plane.
    let real = path_on_plane(
        Gauge::training_loss(problem),
        &plane,
        session.trajectory().points(),
        &AtomicBool::new(false),
    )
    .unwrap();
    assert!(real.share_in_plane().unwrap() < 0.9);
    assert!(real.largest_gap().unwrap().gap().abs() > 1e-3);
}
