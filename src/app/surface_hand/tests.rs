//! The hand on a surface that is computed and laid out, without a window or a GPU.

use super::super::training::{FrameGate, TrainingPlugin};
use super::super::{replay, state, surface};
use super::*;
use crate::app::scene::{Ball, SurfaceScenePlugin, SurfaceStanding, height_over};
use crate::app::{Command, Drive, ErrorSurface, ReplayWish, SurfaceView, Training};
use crate::experiment::Experiment;
use crate::landscape::Directions;
use crate::train::{Evaluator, Problem, TrainCommand};
use bevy::state::app::StatesPlugin;
use std::sync::Arc;

fn app() -> App {
    let text = "[data]\nsource = \"xor\"\nsamples = 40\n[network]\n\
                layers = [{ dense = 3 }]\nloss = \"cross-entropy\"\n[training]\nbatch = 5\n";
    let experiment = Experiment::parse(text, "test").unwrap();
    let problem = Arc::new(Problem::new(&experiment).unwrap());
    let drive = Drive::Frame { steps: 1 };
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, StatesPlugin, state::plugin));
    use GradscapeSystems as Set;
    app.configure_sets(
        Update,
        (
            Set::Input,
            Set::Receive,
            Set::Layout,
            Set::Scene,
            Set::Render,
        )
            .chain(),
    );
    app.add_plugins((
        TrainingPlugin { problem, drive },
        replay::plugin,
        surface::plugin,
        SurfaceScenePlugin,
        HandPlugin,
    ));
    app.insert_resource(SurfaceView {
        grid: 17,
        directions: Directions::Random { seed: 1 },
        ..default()
    });
    app.insert_resource(FrameGate(true));
    (0..3).for_each(|_| app.update());
    app
}

/// Points at coordinates of the plane, straight from above.
fn point_at(app: &mut App, x: f64, y: f64, buttons: (bool, bool)) {
    let frame = app
        .world()
        .resource::<SurfaceStanding>()
        .frame
        .clone()
        .unwrap();
    let from = Vec3::new(frame.across(x), 9.0, frame.along(y));
    app.insert_resource(SurfacePointer {
        ray: Some(Ray3d::new(from, Dir3::NEG_Y)),
        at: Vec2::new(100.0 * x as f32, 100.0 * y as f32),
        occupied: false,
        pressed: buttons.0,
        released: buttons.1,
    });
    app.update();
    let mut pointer = app.world_mut().resource_mut::<SurfacePointer>();
    (pointer.pressed, pointer.released) = (false, false);
}

fn params(app: &App) -> Vec<f32> {
    app.world().resource::<Training>().snapshot.params.to_vec()
}

fn newest(app: &App) -> (f64, f64) {
    let point = *app.world().resource::<ErrorSurface>().newest().unwrap();
    (point.x, point.y)
}

fn ball(app: &mut App) -> Vec3 {
    let mut balls = app.world_mut().query::<(&Ball, &Transform)>();
    let found = balls.iter(app.world()).find(|(b, _)| **b == Ball::Newest);
    found.unwrap().1.translation
}

#[test]
fn what_is_pointed_at_has_the_loss_and_slope_of_the_network_there() {
    let mut app = app();
    point_at(&mut app, 0.4, -0.6, (false, false));
    let touch = app.world().resource::<Touched>().surface.unwrap();
    assert!((touch.x - 0.4).abs() < 1e-5 && (touch.y + 0.6).abs() < 1e-5);
    let exact = touch.exact.unwrap();
    let shown = app.world().resource::<ErrorSurface>();
    let (plane, problem) = (shown.plane.clone().unwrap(), shown.problem.clone().unwrap());
    let mut evaluator = Evaluator::new(&problem.network);
    let mut loss =
        |x: f64, y: f64| evaluator.loss(&problem.network, &plane.point(x, y), &problem.train);
    assert!((exact.loss - loss(touch.x, touch.y)).abs() < 1e-6);
    let h = 1e-2;
    let slope = (loss(touch.x + h, touch.y) - loss(touch.x - h, touch.y)) / (2.0 * h);
    assert!((exact.gradient[0] - slope).abs() < 1e-3 * slope.abs().max(0.1));
    // Between the computed points the surface is drawn almost where it is.
    assert!((touch.drawn - exact.loss).abs() < 0.02 * exact.loss);
}

#[test]
fn a_click_gives_the_network_the_weights_of_the_point_and_undo_takes_them_back() {
    let mut app = app();
    let before = params(&app);
    let plane = app
        .world()
        .resource::<ErrorSurface>()
        .plane
        .clone()
        .unwrap();
    point_at(&mut app, 0.5, 0.25, (true, false));
    point_at(&mut app, 0.5, 0.25, (false, true));
    app.update();
    let after = params(&app);
    let wanted = plane.project(&after);
    assert!((wanted.x - 0.5).abs() < 1e-4 && (wanted.y - 0.25).abs() < 1e-4);
    assert!(wanted.residual_squared < 1e-9);
    app.world_mut().write_message(WeightsWish::Undo);
    (0..2).for_each(|_| app.update());
    assert_eq!(params(&app), before);
    // Nothing is left to be undone.
    app.world_mut().write_message(WeightsWish::Undo);
    (0..2).for_each(|_| app.update());
    assert_eq!(params(&app), before);
}

#[test]
fn a_press_that_is_moved_before_it_ends_is_no_click() {
    let mut app = app();
    let before = params(&app);
    point_at(&mut app, 0.5, 0.25, (true, false));
    point_at(&mut app, 0.8, 0.25, (false, true));
    app.update();
    assert_eq!(params(&app), before);
}

#[test]
fn the_ball_goes_with_the_hand_and_what_is_off_the_plane_stays_off_it() {
    let mut app = app();
    // Off the plane: train while the plane stays.
    app.world_mut().resource_mut::<SurfaceView>().follow = false;
    app.update();
    app.world_mut().write_message(Command(TrainCommand::Epoch));
    (0..3).for_each(|_| app.update());
    let plane = app
        .world()
        .resource::<ErrorSurface>()
        .plane
        .clone()
        .unwrap();
    app.world_mut().resource_mut::<SurfaceView>().follow = true;
    app.world_mut().resource_mut::<SurfaceView>().follow = false;
    let before = params(&app);
    let (x, y) = newest(&app);
    point_at(&mut app, x, y, (true, false));
    assert!(app.world().resource::<Drag>().is_held());
    for k in 1..=4 {
        let t = f64::from(k) / 4.0;
        point_at(&mut app, x + 0.3 * t, y - 0.2 * t, (false, false));
        app.update();
        app.update();
        let moved = plane.project(&params(&app));
        let start = plane.project(&before);
        assert!((moved.x - start.x - 0.3 * t).abs() < 1e-3, "{k}: {moved:?}");
        assert!((moved.y - start.y + 0.2 * t).abs() < 1e-3, "{k}: {moved:?}");
        let off = (moved.residual_squared, start.residual_squared);
        assert!(off.1 > 0.0 && (off.0 / off.1 - 1.0).abs() < 1e-3, "{off:?}");
        let (bx, by) = newest(&app);
        assert!((bx - moved.x).abs() < 1e-6 && (by - moved.y).abs() < 1e-6);
        let frame = app
            .world()
            .resource::<SurfaceStanding>()
            .frame
            .clone()
            .unwrap();
        assert!((ball(&mut app).x - frame.across(bx)).abs() < 1e-4);
    }
    point_at(&mut app, x + 0.3, y - 0.2, (false, true));
    assert!(!app.world().resource::<Drag>().is_held());
    app.world_mut().write_message(WeightsWish::Undo);
    (0..2).for_each(|_| app.update());
    assert_eq!(params(&app), before);
}

#[test]
fn training_rests_while_the_ball_is_held_and_goes_on_afterwards() {
    let mut app = app();
    app.world_mut().write_message(Command(TrainCommand::Start));
    (0..3).for_each(|_| app.update());
    let (x, y) = newest(&app);
    point_at(&mut app, x, y, (true, false));
    (0..2).for_each(|_| app.update());
    let step = app.world().resource::<Training>().snapshot.step;
    point_at(&mut app, x + 0.2, y, (false, false));
    (0..3).for_each(|_| app.update());
    assert_eq!(app.world().resource::<Training>().snapshot.step, step);
    point_at(&mut app, x + 0.2, y, (false, true));
    (0..3).for_each(|_| app.update());
    assert!(app.world().resource::<Training>().snapshot.step > step);
}

#[test]
fn in_a_replay_path_and_ball_end_at_the_step_shown_and_the_surface_waits_to_be_asked() {
    let mut app = app();
    app.world_mut().write_message(Command(TrainCommand::Epoch));
    (0..2).for_each(|_| app.update());
    let now = params(&app);
    let step = app.world().resource::<Training>().snapshot.step;
    let point = app.world().resource::<Training>().path.points()[2].clone();
    assert!(point.step > 0 && point.params[..] != now[..]);
    let center = |app: &App| {
        let plane = app
            .world()
            .resource::<ErrorSurface>()
            .plane
            .clone()
            .unwrap();
        plane.center().to_vec()
    };
    assert_eq!(center(&app), now);
    app.world_mut().write_message(ReplayWish::Show {
        step: point.step,
        playing: false,
    });
    app.update();
    assert_eq!(params(&app), point.params[..]);
    let path = &app.world().resource::<ErrorSurface>().path;
    assert_eq!(path.points.last().unwrap().step, point.step);
    assert_eq!(path.points.last().unwrap().true_loss, point.loss);
    assert_eq!(center(&app), now, "the surface stays");
    app.world_mut().resource_mut::<SurfaceView>().replay_surface = true;
    app.update();
    assert_eq!(center(&app), point.params[..], "the surface of then");
    app.world_mut().write_message(ReplayWish::GoOn);
    (0..4).for_each(|_| app.update());
    let training = app.world().resource::<Training>();
    assert!(!training.shows_past());
    assert_eq!(training.snapshot.params, point.params);
    assert_eq!(training.snapshot.step, step, "the steps are counted on");
    app.world_mut().write_message(WeightsWish::Undo);
    (0..2).for_each(|_| app.update());
    assert_eq!(params(&app), now);
}

#[test]
fn the_mark_lies_on_the_surface_and_goes_with_the_pointer() {
    use crate::app::scene::{Relief, StrokeKind, Strokes};
    let mut app = app();
    let lines = |app: &mut App| {
        let mut all = app.world_mut().query::<(&StrokeKind, &Strokes)>();
        let found = all
            .iter(app.world())
            .find(|(k, _)| **k == StrokeKind::Hover);
        found.unwrap().1.0.clone()
    };
    assert!(lines(&mut app).is_empty());
    point_at(&mut app, 0.5, 0.5, (false, false));
    let dot = *lines(&mut app).last().unwrap();
    let relief = app
        .world_mut()
        .query::<&Relief>()
        .single(app.world())
        .unwrap()
        .clone();
    let height = height_over(&relief, dot.from.x, dot.from.z).unwrap();
    assert!(dot.from == dot.to && (dot.from.y - height).abs() < 0.05);
    app.insert_resource(SurfacePointer::default());
    app.update();
    assert!(lines(&mut app).is_empty());
}
