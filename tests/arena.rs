//! Functions, races and a pinned surface as entities, without a GPU.

#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)] // a test fails by panicking

use bevy::prelude::*;
use gradscape::app::scene::{
    PinnedRelief, PinnedRoot, RacerBall, Relief, Stroke, StrokeKind, Strokes, SurfaceScenePlugin,
    TagKind, Tags,
};
use gradscape::app::{
    Arena, ArenaPlugin, ArenaView, ErrorSurface, Ground, Label, Lane, Notices, PinCommand, Pinned,
    RaceCommand, SurfaceClicked, Theme, Training,
};
use gradscape::experiment::{Experiment, OptimizerConfig, OptimizerName};
use gradscape::landscape::{
    Analytic, Axis, Builtin, Directions, Gauge, Plane, Slice, Surface, evaluate,
};
use gradscape::train::Problem;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const XOR: &str = "seed = 5\n[data]\nsource = \"xor\"\nsamples = 40\n[network]\n\
                   layers = [{ dense = 3 }]\nloss = \"cross-entropy\"\n[training]\nbatch = 8\n";

fn app() -> App {
    let experiment = Experiment::parse(XOR, "test").unwrap();
    let problem = Arc::new(Problem::new(&experiment).unwrap());
    let mut app = App::new();
    app.add_plugins(MinimalPlugins)
        .insert_resource(Training::at_start(problem))
        .init_resource::<Notices>()
        .add_plugins((SurfaceScenePlugin, ArenaPlugin));
    app
}

/// The network's surface over two of its parameters, as the surface thread would show it.
fn show_network(app: &mut App) -> Arc<Plane> {
    let training = app.world().resource::<Training>().clone();
    let problem = training.problem;
    let layout = problem.network.layout();
    let plane = Directions::Weights(0, 3)
        .plane(layout, &training.snapshot.params)
        .unwrap();
    let axis = Axis::new(-2.0, 2.0, 9).unwrap();
    let slice = Slice::new(Gauge::training_loss(&problem), &plane);
    let go = AtomicBool::new(false);
    let surface = evaluate(&slice, axis, axis, &go, |_| {}, |_| {}).unwrap();
    let plane = Arc::new(plane);
    *app.world_mut().resource_mut::<ErrorSurface>() = ErrorSurface {
        revision: 1,
        problem: Some(problem),
        plane: Some(Arc::clone(&plane)),
        surface: Some(Arc::new(surface)),
        center_loss: 0.75,
        ..ErrorSurface::default()
    };
    plane
}

fn until(app: &mut App, what: impl Fn(&World) -> bool) {
    for _ in 0..4000 {
        app.update();
        if what(app.world()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("it did not come");
}

fn arena(app: &App) -> &Arena {
    app.world().resource::<Arena>()
}

fn choose(app: &mut App, change: impl FnOnce(&mut ArenaView)) {
    change(&mut app.world_mut().resource_mut::<ArenaView>());
}

fn is_whole(world: &World, side: usize) -> bool {
    let shown = world.resource::<ErrorSurface>();
    let surface = shown.surface.as_ref();
    shown.function.is_some() && surface.is_some_and(|s| s.x.len() == side)
}

fn labels(app: &mut App) -> Vec<String> {
    let world = app.world_mut();
    let mut all = world.query::<(&Label, &Visibility)>();
    let seen = all.iter(world).filter(|(_, v)| **v != Visibility::Hidden);
    seen.map(|(label, _)| label.text.clone()).collect()
}

#[test]
fn a_function_stands_in_for_the_network_and_the_networks_surface_comes_back() {
    let mut app = app();
    show_network(&mut app);
    app.update();
    choose(&mut app, |a| a.choose_builtin(Builtin::Himmelblau));
    until(&mut app, |w| is_whole(w, 129));
    let shown = app.world().resource::<ErrorSurface>();
    let surface = Arc::clone(shown.surface.as_ref().unwrap());
    let himmelblau = Analytic::from(Builtin::Himmelblau);
    for (i, j) in [(0, 0), (128, 5), (64, 64), (17, 99)] {
        let value = himmelblau.value(surface.x[i], surface.y[j]);
        assert_eq!(surface.loss[[j, i]], value);
    }
    assert!(shown.problem.is_none() && shown.plane.is_none() && shown.newest().is_none());
    app.update();
    let words = labels(&mut app);
    for title in ["x", "y"] {
        assert!(words.iter().any(|w| w == title), "{words:?}");
    }
    // Its four minima are marked.
    let tags = &app.world().resource::<Tags>().all;
    assert_eq!(
        tags.iter().filter(|t| t.kind == TagKind::Minimum).count(),
        4
    );
    choose(&mut app, |a| a.ground = Ground::Network);
    app.update();
    let shown = app.world().resource::<ErrorSurface>();
    assert!(shown.function.is_none() && shown.problem.is_some());
    assert_eq!(shown.center_loss, 0.75);
}

/// A race of these on the ravine, its first steps known.
fn race(racers: &[(OptimizerName, f64)]) -> App {
    let mut app = app();
    let racers = racers.iter().map(|&(n, r)| OptimizerConfig::new(n, r));
    let racers: Vec<_> = racers.collect();
    choose(&mut app, |a| {
        a.choose_builtin(Builtin::Ravine);
        (a.racing, a.racers, a.steps) = (true, racers, 400);
    });
    until(&mut app, |w| {
        is_whole(w, 129) && w.resource::<Arena>().computed >= 20
    });
    app
}

fn seek(app: &mut App, step: u64) {
    app.world_mut().write_message(RaceCommand::Seek(step));
    until(app, move |w| {
        let arena = w.resource::<Arena>();
        arena.at == step && (arena.computed >= step || arena.is_over)
    });
    app.update();
}

#[test]
fn balls_stand_where_the_racers_are_and_paths_lead_there_in_their_colours() {
    let mut app = race(&[(OptimizerName::Sgd, 0.9), (OptimizerName::Adam, 0.5)]);
    seek(&mut app, 7);
    let standings = arena(&app).standings();
    // 0.05 x^2 + y^2 under steepest descent with rate 0.9, in closed form.
    let (x, y) = (-9.0 * 0.91_f64.powi(7), 2.5 * (-0.8_f64).powi(7));
    assert!((standings[0].lap.x - x).abs() < 1e-12 && (standings[0].lap.y - y).abs() < 1e-12);
    let world = app.world_mut();
    let mut balls = world.query::<(&RacerBall, &Transform, &Visibility)>();
    let mut seen = 0;
    for (RacerBall(index), place, visibility) in balls.iter(world) {
        assert_eq!(*visibility != Visibility::Hidden, *index < 2);
        if *index < 2 {
            let lap = standings[*index].lap;
            let at = place.translation;
            // The box is 10 wide over -10 to 10, and 10 deep over -3 to 3.
            assert!((at.x - lap.x as f32 / 2.0).abs() < 1e-4, "{at}");
            assert!((at.z + lap.y as f32 * 10.0 / 6.0).abs() < 1e-4, "{at}");
            seen += 1;
        }
    }
    assert_eq!(seen, 2);
    let palette = Theme::default().palette();
    let mut strokes = world.query::<(&Strokes, &StrokeKind)>();
    let (paths, _) = strokes
        .iter(world)
        .find(|(_, kind)| **kind == StrokeKind::Racers)
        .unwrap();
    for racer in 0..2 {
        let own = |s: &&Stroke| s.color == palette.racer(racer) && s.from != s.to;
        assert_eq!(paths.0.iter().filter(own).count(), 7);
    }
    let tags = &world.resource::<Tags>().all;
    let words: Vec<&str> = tags.iter().map(|t| t.text.as_str()).collect();
    assert!(words.iter().any(|w| w.starts_with("A  SGD")), "{words:?}");
    assert!(words.iter().any(|w| w.starts_with("B  Adam")), "{words:?}");
}

#[test]
fn all_racers_go_back_together_and_forward_again_to_the_same_places() {
    let mut app = race(&[(OptimizerName::Momentum, 0.1), (OptimizerName::Adam, 0.5)]);
    seek(&mut app, 30);
    let there = arena(&app).standings();
    app.world_mut().write_message(RaceCommand::Step(-12));
    app.update();
    let back = arena(&app).standings();
    assert!(back.iter().all(|s| s.steps == 18));
    app.world_mut().write_message(RaceCommand::Restart);
    app.update();
    assert!(arena(&app).standings().iter().all(|s| s.lap.x == -9.0));
    seek(&mut app, 30);
    assert_eq!(arena(&app).standings(), there);
}

#[test]
fn momentum_of_nothing_and_steepest_descent_coincide_to_the_last_bit() {
    let mut app = race(&[(OptimizerName::Sgd, 0.5), (OptimizerName::Momentum, 0.5)]);
    choose(&mut app, |a| a.racers[1].momentum = Some(0.0));
    app.update();
    seek(&mut app, 200);
    let lanes = &arena(&app).lanes;
    assert_eq!(lanes[0].laps.len(), lanes[1].laps.len());
    for (a, b) in lanes[0].laps.iter().zip(&lanes[1].laps) {
        assert_eq!(
            (a.x.to_bits(), a.y.to_bits()),
            (b.x.to_bits(), b.y.to_bits())
        );
    }
}

#[test]
fn a_diverged_racer_is_a_mark_with_words_and_never_leaves_the_box() {
    let mut app = race(&[(OptimizerName::Sgd, 30.0), (OptimizerName::Adam, 0.5)]);
    for step in [3, 60, 400] {
        seek(&mut app, step);
        let world = app.world_mut();
        let mut balls = world.query::<(&RacerBall, &Transform, &Visibility)>();
        for (_, place, visibility) in balls.iter(world) {
            if *visibility != Visibility::Hidden {
                assert!(place.translation.abs().max_element() < 5.5);
            }
        }
        let mut strokes = world.query::<&Strokes>();
        let ends = strokes.iter(world).flat_map(|s| &s.0);
        for stroke in ends {
            for end in [stroke.from, stroke.to] {
                assert!(end.is_finite() && end.abs().max_element() < 5.01, "{end}");
            }
        }
    }
    let arena = arena(&app);
    assert!(arena.has_diverged(0) && !arena.has_diverged(1));
    assert_eq!(arena.ranking()[0].index, 1, "who diverged is last");
    let tags = &app.world().resource::<Tags>().all;
    let lost = tags.iter().find(|t| t.kind == TagKind::Lost).unwrap();
    assert!(lost.alarming && lost.text.starts_with("A  SGD"), "{lost:?}");
}

#[test]
fn on_the_networks_surface_the_run_stays_where_it_was() {
    let mut app = app();
    let plane = show_network(&mut app);
    let before = app.world().resource::<Training>().snapshot.params.clone();
    choose(&mut app, |a| {
        a.racing = true;
        a.racers = vec![OptimizerConfig::new(OptimizerName::Sgd, 0.3); 2];
    });
    until(&mut app, |w| w.resource::<Arena>().computed >= 10);
    seek(&mut app, 10);
    let arena = arena(&app);
    let [a, b] = &arena.lanes[..] else {
        panic!("two")
    };
    assert_eq!(a.laps, b.laps, "the same batches in the same order");
    let start = plane.project(&before);
    assert_eq!((a.laps[0].x, a.laps[0].y), (start.x, start.y));
    assert_ne!(a.laps[0].loss, a.laps[10].loss);
    assert_eq!(app.world().resource::<Training>().snapshot.params, before);
}

#[test]
fn a_pinned_surface_stands_beside_the_live_one_on_one_height_scale() {
    let mut app = app();
    show_network(&mut app);
    app.update();
    app.world_mut().write_message(PinCommand::Pin);
    app.update();
    app.update();
    let heights = |app: &mut App| {
        let world = app.world_mut();
        let live = world.query::<&Relief>().single(world).unwrap().clone();
        let kept = world
            .query::<&PinnedRelief>()
            .single(world)
            .unwrap()
            .0
            .clone();
        let mut roots = world.query_filtered::<&Visibility, With<PinnedRoot>>();
        let seen = *roots.single(world).unwrap() != Visibility::Hidden;
        (live.positions, kept.positions, seen)
    };
    let (live, kept, seen) = heights(&mut app);
    assert!(seen);
    assert_eq!(live, kept, "the same surface twice");
    let words = labels(&mut app);
    assert!(
        words.iter().any(|w| w.starts_with("A, pinned: ")),
        "{words:?}"
    );
    assert!(
        words.iter().any(|w| w.starts_with("B, live: ")),
        "{words:?}"
    );
    // The live one becomes twice as high: the pinned one sinks to half.
    {
        let mut shown = app.world_mut().resource_mut::<ErrorSurface>();
        let surface = Surface::clone(shown.surface.as_ref().unwrap());
        let loss = surface.loss.mapv(|l| 2.0 * l);
        shown.surface = Some(Arc::new(Surface { loss, ..surface }));
        shown.revision += 1;
    }
    app.update();
    app.update();
    let (live, kept, _) = heights(&mut app);
    let middle = live.len() / 2;
    assert_eq!(live[middle][0], kept[middle][0]);
    let (a, b) = (live[middle][1], kept[middle][1]);
    assert!((a - 2.0 * b).abs() < 0.02 * a, "{a} is not twice {b}");
    app.world_mut().write_message(PinCommand::Toggle);
    app.update();
    app.update();
    assert!(app.world().resource::<Pinned>().kept.is_none());
    assert!(!heights(&mut app).2);
}

#[test]
fn a_click_on_a_functions_surface_drops_a_ball_for_everybody_there() {
    let mut app = race(&[(OptimizerName::Sgd, 0.5), (OptimizerName::Adam, 0.5)]);
    seek(&mut app, 9);
    let click = SurfaceClicked { x: 4.0, y: -1.5 };
    app.world_mut().write_message(click);
    until(&mut app, |w| {
        let lanes = &w.resource::<Arena>().lanes;
        let start = |l: &Lane| l.laps.first().is_some_and(|l| (l.x, l.y) == (4.0, -1.5));
        lanes.len() == 2 && lanes.iter().all(start)
    });
    let arena = arena(&app);
    assert!(arena.playing && arena.at < 9, "off they go from the start");
}
