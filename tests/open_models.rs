//! Files that are opened while frames go on, in an app without a window. Needs a Vulkan
//! driver; a software one will do.

#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

use gradscape::app::capture::{Shot, Sight, Studio, capture_sight};
use gradscape::app::{
    ArenaView, Blocks, Drive, Language, NetworkView, Notices, OpenFile, OpeningFile, SurfaceView,
    Theme, Training, ViewMode,
};
use gradscape::experiment::Experiment;
use gradscape::insight::outline::{Found, read_model};
use gradscape::train::Problem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn shot() -> Shot {
    let text = "[data]\nsource = \"spiral\"\n[network]\nlayers = [ { dense = 4 } ]\nloss = \"cross-entropy\"\n";
    let experiment = Experiment::parse(text, "test").unwrap();
    Shot {
        problem: Arc::new(Problem::new(&experiment).unwrap()),
        params: None,
        view: ViewMode::Network,
        size: (480, 320),
        frames: 1,
        frame_time: std::time::Duration::from_millis(33),
        past: None,
        replay: false,
        epochs: 0,
        steps: 1,
        orbit: 0.0,
        theme: Theme::DARK,
        language: Language::English,
        scale: 1.0,
        panels: false,
        smooth: false,
        network: NetworkView::default(),
        surface: SurfaceView::default(),
        arena: ArenaView::default(),
        race_at: 0,
        events: None,
        rivals: Vec::new(),
        inside: None,
        beside: None,
    }
}

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/models")
        .join(name)
}

/// Frames until `done`, or the opening is over; gives how many.
fn frames_until(studio: &mut Studio, done: impl Fn(&mut Studio) -> bool) -> usize {
    let until = Instant::now() + Duration::from_secs(120);
    for frame in 0.. {
        assert!(Instant::now() < until, "nothing came of it");
        studio.update();
        if done(studio) {
            return frame;
        }
    }
    unreachable!()
}

fn open(studio: &mut Studio, path: PathBuf) {
    let wish = OpenFile { path, start: None };
    studio.app().world_mut().write_message(wish);
}

#[test]
fn a_model_is_read_off_the_frame_and_then_stands_there() {
    let mut studio = Studio::driven(&shot(), Drive::Thread).unwrap();
    studio.update();
    open(&mut studio, model("opaque.onnx"));
    frames_until(&mut studio, |studio| {
        studio
            .app()
            .world()
            .resource::<Blocks>()
            .foreign()
            .is_some()
    });
    let world = studio.app().world();
    let blocks = world.resource::<Blocks>();
    assert_eq!(blocks.foreign().unwrap().name(), "opaque.onnx");
    assert!(!blocks.plates().is_empty() || !blocks.shown().parts.is_empty());
    assert!(world.resource::<OpeningFile>().now().is_none());
    // A model that the engine expresses takes its place again, as a network.
    let before = Arc::clone(&world.resource::<Training>().problem);
    open(&mut studio, model("../../tests/models/does-not-exist.onnx"));
    frames_until(&mut studio, |studio| {
        let world = studio.app().world();
        !world.resource::<Notices>().0.is_empty()
    });
    let world = studio.app().world();
    assert!(
        world.resource::<Notices>().0[0]
            .message
            .contains("does-not-exist.onnx")
    );
    assert!(
        world.resource::<Blocks>().foreign().is_some(),
        "what was there stays"
    );
    assert!(Arc::ptr_eq(&before, &world.resource::<Training>().problem));
}

#[test]
fn an_opening_that_is_given_up_changes_nothing() {
    let mut studio = Studio::driven(&shot(), Drive::Thread).unwrap();
    studio.update();
    open(&mut studio, model("opaque.onnx"));
    frames_until(&mut studio, |studio| {
        let world = studio.app().world_mut();
        let mut opening = world.resource_mut::<OpeningFile>();
        let begun = opening.now().is_some();
        opening.cancel();
        begun || world.resource::<Blocks>().foreign().is_some()
    });
    (0..20).for_each(|_| studio.update());
    let world = studio.app().world();
    assert!(world.resource::<OpeningFile>().now().is_none());
    assert!(world.resource::<Notices>().0.is_empty());
}

#[test]
fn a_model_is_in_the_picture_and_opaque_nodes_are_hatched() {
    let foreign = match read_model(&model("opaque.onnx"), |_| true) {
        Some(Ok(Found::Foreign(foreign))) => foreign,
        other => panic!("{other:?}"),
    };
    let picture = |sight: &Sight| {
        let mut found = None;
        capture_sight(&shot(), sight, |_, frame| {
            found = Some(frame);
            Ok(())
        })
        .unwrap();
        found.unwrap()
    };
    let shown = Sight {
        model: Some(Arc::clone(&foreign)),
        ..Sight::default()
    };
    let (whole, open) = (
        picture(&shown),
        picture(&Sight {
            open_all: true,
            ..shown.clone()
        }),
    );
    let lit = |frame: &gradscape::app::capture::Frame| {
        let ground = &frame.rgba[..4];
        frame
            .rgba
            .chunks(4)
            .filter(|pixel| *pixel != ground)
            .count()
    };
    let pixels = (whole.width * whole.height) as usize;
    assert!(lit(&whole) > pixels / 40, "{} of {pixels}", lit(&whole));
    assert!(whole != open, "opening shows");
    let found = picture(&Sight {
        find: Some("LSTM".to_owned()),
        ..shown.clone()
    });
    assert!(found != whole, "the camera goes there");
    let nothing = Sight {
        find: Some("no such thing".to_owned()),
        ..shown
    };
    let error = capture_sight(&shot(), &nothing, |_, _| Ok(())).unwrap_err();
    assert!(error.to_string().contains("no such thing"), "{error}");
}
