//! Error surfaces of whole experiments: what must hold between a surface, the
//! training loss, and the path across it.
#![allow(clippy::unwrap_used)]

use gradscape::experiment::Experiment;
use gradscape::landscape::{
    Axis, Directions, Gauge, Plane, Slice, Surface, evaluate, path_on_plane,
};
use gradscape::train::{PathPoint, Problem, Session, TrainCommand};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// One experiment for each loss: two classes, many classes, and both squared
/// errors.
const LOSSES: [(&str, &str); 4] = [
    ("spiral", "cross-entropy"),
    ("iris", "cross-entropy"),
    ("sine", "half-squared-error"),
    ("moons", "mean-squared-error"),
];

fn problem(source: &str, loss: &str) -> Arc<Problem> {
    let text = format!(
        "seed = 11\n[data]\nsource = \"{source}\"\nvalidation = 0.3\n[network]\n\
         layers = [{{ dense = 5 }}, {{ dense = 4, activation = \"sigmoid\" }}]\nloss = \"{loss}\"\n\
         [training]\nbatch = 16\n"
    );
    Arc::new(Problem::new(&Experiment::parse(&text, "surface").unwrap()).unwrap())
}

fn surface(problem: &Problem, plane: &Plane, n: usize) -> Surface {
    let axis = Axis::new(-1.0, 1.0, n).unwrap();
    let go = AtomicBool::new(false);
    let slice = Slice::new(Gauge::training_loss(problem), plane);
    evaluate(&slice, axis, axis, &go, |_| {}, |_| {}).unwrap()
}

fn bits(surface: &Surface) -> Vec<u64> {
    surface.loss.iter().map(|l| l.to_bits()).collect()
}

#[test]
fn the_value_at_the_origin_is_the_training_loss_to_the_last_bit() {
    for (source, loss) in LOSSES {
        let problem = problem(source, loss);
        let mut session = Session::new(Arc::clone(&problem));
        session.command(TrainCommand::Epoch);
        session.command(TrainCommand::Epoch);
        let params = session.snapshot().params;
        let row = session.take_outbox().rows.pop().unwrap();
        for directions in [Directions::Random { seed: 2 }, Directions::Weights(1, 20)] {
            let plane = directions.plane(problem.network.layout(), &params).unwrap();
            let surface = surface(&problem, &plane, 9);
            assert_eq!(
                surface.loss[[4, 4]],
                row.train_loss,
                "{source} {loss} {directions}"
            );
        }
    }
}

#[test]
fn a_path_that_moves_only_the_two_parameters_lies_on_their_surface() {
    for (source, loss) in LOSSES {
        let problem = problem(source, loss);
        let (i, j) = (2, 17);
        let start = problem.initial_params();
        let layout = problem.network.layout();
        let plane = Directions::Weights(i, j).plane(layout, &start).unwrap();
        let mut evaluator = gradscape::train::Evaluator::new(&problem.network);
        let points: Vec<PathPoint> = (0..30)
            .map(|k| {
                let mut params = start.clone();
                params[i] += (0.3 * k as f32).sin();
                params[j] -= 0.05 * k as f32;
                PathPoint {
                    step: k,
                    epoch: 0,
                    loss: evaluator.loss(&problem.network, &params, &problem.train),
                    params: params.into(),
                }
            })
            .collect();
        let go = AtomicBool::new(false);
        let path = path_on_plane(Gauge::training_loss(&problem), &plane, &points, &go).unwrap();
        for point in &path.points {
            let rounding = 1e-6 * point.true_loss;
            assert!(
                point.gap().abs() <= rounding,
                "{source}: gap {} at step {}",
                point.gap(),
                point.step
            );
        }
        assert!(path.share_in_plane().unwrap() > 1.0 - 1e-9);
    }
}

#[test]
fn training_all_parameters_leaves_the_plane_of_two_and_the_gap_shows_it() {
    let problem = problem("spiral", "cross-entropy");
    let mut session = Session::new(Arc::clone(&problem));
    let start = session.snapshot().params;
    (0..5).for_each(|_| session.command(TrainCommand::Epoch));
    let points = session.take_outbox().points;
    let plane = Directions::Weights(0, 1)
        .plane(problem.network.layout(), &start)
        .unwrap();
    let go = AtomicBool::new(false);
    let path = path_on_plane(Gauge::training_loss(&problem), &plane, &points, &go).unwrap();
    assert!(path.share_in_plane().unwrap() < 0.9);
    assert!(path.largest_gap().unwrap().gap().abs() > 1e-3);
    assert_eq!(path.points[0].gap(), 0.0, "the path begins at the centre");
}

#[test]
fn a_surface_is_the_same_to_the_last_bit_with_any_number_of_threads() {
    let problem = problem("iris", "cross-entropy");
    let plane = Directions::Random { seed: 4 }
        .plane(problem.network.layout(), &problem.initial_params())
        .unwrap();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| bits(&surface(&problem, &plane, 21)))
    };
    assert_eq!(with(1), with(2));
    assert_eq!(with(1), with(5));
}

#[test]
fn coarse_levels_are_parts_of_the_last_and_every_point_is_computed_once() {
    let problem = problem("moons", "mean-squared-error");
    let plane = Directions::Random { seed: 4 }
        .plane(problem.network.layout(), &problem.initial_params())
        .unwrap();
    let (x, y) = (
        Axis::new(-1.0, 1.0, 50).unwrap(),
        Axis::new(-0.5, 2.0, 33).unwrap(),
    );
    let (go, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut levels = Vec::new();
    let last = evaluate(
        &Slice::new(Gauge::training_loss(&problem), &plane),
        x,
        y,
        &go,
        |n| {
            count.fetch_add(n, Ordering::Relaxed);
        },
        |level| levels.push(level),
    )
    .unwrap();
    assert_eq!(count.into_inner(), 50 * 33);
    assert!(levels.len() >= 3);
    assert_eq!(levels.last(), Some(&last));
    for level in &levels {
        for (j, y) in level.y.iter().enumerate() {
            for (i, x) in level.x.iter().enumerate() {
                let column = last.x.iter().position(|v| v == x).unwrap();
                let row = last.y.iter().position(|v| v == y).unwrap();
                assert_eq!(level.loss[[j, i]], last.loss[[row, column]]);
            }
        }
    }
}

#[test]
fn a_cancelled_surface_is_none() {
    let problem = problem("moons", "mean-squared-error");
    let plane = Directions::Random { seed: 4 }
        .plane(problem.network.layout(), &problem.initial_params())
        .unwrap();
    let axis = Axis::new(-1.0, 1.0, 33).unwrap();
    let go = AtomicBool::new(false);
    // As somebody would who has seen enough after the first level.
    let result = evaluate(
        &Slice::new(Gauge::training_loss(&problem), &plane),
        axis,
        axis,
        &go,
        |_| {},
        |_| go.store(true, Ordering::Relaxed),
    );
    assert_eq!(result, None);
}

#[cfg(feature = "app")]
mod scene {
    //! A hand-made error surface as entities, without a GPU.

    use bevy::prelude::*;
    use gradscape::app::scene::{Ball, Relief, StrokeKind, Strokes, SurfaceScenePlugin};
    use gradscape::app::{ErrorSurface, Label, SceneView, SurfaceView};
    use gradscape::landscape::{PathOnPlane, PlanePoint, Surface};
    use ndarray::Array2;
    use std::sync::Arc;

    /// A round bowl, 0 at the middle and 2 at the corners, and a path of two
    /// points, the newest with a true loss of 1 over a slice of 0.5.
    fn app() -> App {
        let axis: Vec<f64> = (0..17).map(|i| -1.0 + f64::from(i) / 8.0).collect();
        let loss = Array2::from_shape_fn((17, 17), |(j, i)| axis[i].powi(2) + axis[j].powi(2));
        let point = |step, x: f64, true_loss| PlanePoint {
            step,
            x,
            y: 0.5,
            recorded_loss: 0.0,
            true_loss,
            slice_loss: x * x + 0.25,
            residual_squared: 1.0,
            distance_squared: 2.0,
        };
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, SurfaceScenePlugin));
        app.insert_resource(ErrorSurface {
            revision: 1,
            surface: Some(Arc::new(Surface {
                x: axis.clone(),
                y: axis,
                loss,
            })),
            path: PathOnPlane {
                points: vec![point(0, -0.75, 1.5), point(9, 0.5, 1.0)],
            },
            ..default()
        });
        app.update();
        app.update();
        app
    }

    fn relief(app: &mut App) -> Relief {
        let world = app.world_mut();
        world.query::<&Relief>().single(world).unwrap().clone()
    }

    fn strokes(app: &mut App, wanted: StrokeKind) -> usize {
        let world = app.world_mut();
        let mut all = world.query::<(&StrokeKind, &Strokes)>();
        let of_kind = all.iter(world).find(|(kind, _)| **kind == wanted);
        of_kind.map_or(0, |(_, strokes)| strokes.0.len())
    }

    fn texts(app: &mut App) -> Vec<String> {
        let world = app.world_mut();
        let mut all = world.query::<(&Label, &Visibility)>();
        let shown = all.iter(world).filter(|(l, v)| {
            assert_eq!(l.view, SceneView::Surface);
            **v != Visibility::Hidden
        });
        shown.map(|(label, _)| label.text.clone()).collect()
    }

    #[test]
    fn the_ball_stands_at_the_true_loss_above_its_projection() {
        let mut app = app();
        let world = app.world_mut();
        let mut balls = world.query::<(&Ball, &Transform, &Visibility)>();
        let (_, at, visibility) = balls
            .iter(world)
            .find(|(ball, ..)| **ball == Ball::Newest)
            .unwrap();
        assert_ne!(*visibility, Visibility::Hidden);
        let rests_on = at.translation - Vec3::Y * at.scale.y;
        // x = 0.5, y = 0.5 away from the reader, half of the height.
        assert!(
            rests_on.abs_diff_eq(Vec3::new(2.5, 2.0, -2.5), 1e-4),
            "{rests_on}"
        );
    }

    #[test]
    fn the_relief_is_the_surface_and_is_not_touched_until_there_is_another() {
        let mut app = app();
        let before = relief(&mut app);
        let heights = before.positions.iter().map(|p| p[1]);
        assert!((heights.fold(0.0, f32::max) - 4.0).abs() < 1e-5);
        app.world_mut().clear_trackers();
        app.update();
        let world = app.world_mut();
        assert_eq!(
            world
                .query_filtered::<(), Changed<Relief>>()
                .iter(world)
                .count(),
            0
        );
        let mut shown = app.world_mut().resource_mut::<ErrorSurface>();
        let half = shown.surface.as_ref().unwrap().loss.mapv(|l| 1.0 + l);
        let axis = shown.surface.as_ref().unwrap().x.clone();
        shown.surface = Some(Arc::new(Surface {
            x: axis.clone(),
            y: axis,
            loss: half,
        }));
        shown.revision += 1;
        app.update();
        assert_ne!(relief(&mut app).positions, before.positions);
    }

    #[test]
    fn path_and_gaps_can_be_left_out_and_figures_are_printed_beside_the_ball() {
        let mut app = app();
        let all = strokes(&mut app, StrokeKind::Path);
        let shown = texts(&mut app);
        assert!(
            shown.iter().any(|t| t.contains("0.5") && t.contains('1')),
            "{shown:?}"
        );
        assert!(shown.iter().any(|t| t.contains("50 %")), "{shown:?}");
        app.world_mut().resource_mut::<SurfaceView>().gaps = false;
        app.update();
        let without_gaps = strokes(&mut app, StrokeKind::Path);
        assert_eq!(all - without_gaps, 2);
        app.world_mut().resource_mut::<SurfaceView>().path = false;
        app.update();
        assert_eq!(strokes(&mut app, StrokeKind::Path), 0);
        assert!(texts(&mut app).len() < shown.len());
        let world = app.world_mut();
        let mut balls = world.query_filtered::<&Visibility, With<Ball>>();
        assert!(balls.iter(world).all(|v| *v == Visibility::Hidden));
    }

    #[test]
    fn a_logarithmic_height_lifts_the_valley_and_no_surface_is_an_empty_stage() {
        let mut app = app();
        let linear = relief(&mut app);
        app.world_mut().resource_mut::<SurfaceView>().log_height = true;
        app.update();
        let log = relief(&mut app);
        // The same point between valley and rim stands higher on a log scale.
        let k = linear.columns * (linear.columns / 2) + linear.columns / 4;
        assert!(log.positions[k][1] > linear.positions[k][1] + 0.5);
        app.insert_resource(ErrorSurface {
            revision: 9,
            ..default()
        });
        app.update();
        assert!(texts(&mut app).is_empty());
        assert_eq!(strokes(&mut app, StrokeKind::Axes), 0);
    }
}
