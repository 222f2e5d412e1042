//! What reaches the screen, on the headless renderer: the network and the
//! surface are there, move with the camera and change with the weights, and
//! Chinese text is text.
#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

use bevy::prelude::*;
use bevy::window::RequestRedraw;
use bevy_egui::EguiContext;
use gradscape::app::capture::{Frame, Shot, Studio, capture};
use gradscape::app::{
    ArenaView, Command, Label, Language, NetworkView, SceneView, SurfaceView, Theme, ViewMode,
};
use gradscape::experiment::Experiment;
use gradscape::train::{Problem, TrainCommand};
use std::sync::Arc;

const EXPERIMENT: &str = r#"
[data]
source = "xor"
samples = 80
[network]
layers = [{ dense = 4 }, { dense = 3 }]
loss = "cross-entropy"
[training]
optimizer = { name = "adam", learning_rate = 0.05 }
batch = 10
epochs = 50
"#;

fn shot(view: ViewMode) -> Shot {
    let experiment = Experiment::parse(EXPERIMENT, "pixels").unwrap();
    Shot {
        problem: Arc::new(Problem::new(&experiment).unwrap()),
        params: None,
        view,
        size: (480, 320),
        frames: 1,
        frame_time: std::time::Duration::from_millis(33),
        past: None,
        replay: false,
        epochs: 5,
        steps: 4,
        orbit: 0.0,
        theme: Theme::DARK,
        language: Language::English,
        scale: 1.0,
        panels: false,
        smooth: false,
        network: NetworkView::default(),
        surface: SurfaceView {
            grid: 17,
            ..SurfaceView::default()
        },
        arena: ArenaView::default(),
        race_at: 0,
        events: None,
        rivals: Vec::new(),
        inside: None,
        beside: None,
    }
}

/// The share of pixels that are not the theme's background.
fn drawn(frame: &Frame, theme: Theme) -> f64 {
    let background = theme.palette().background.bytes();
    let far = |p: [u8; 3]| p.iter().zip(background).any(|(a, b)| a.abs_diff(b) > 12);
    let pixels = (0..frame.height).flat_map(|y| (0..frame.width).map(move |x| (x, y)));
    let count = pixels.filter(|&(x, y)| far(frame.pixel(x, y))).count();
    count as f64 / f64::from(frame.width * frame.height)
}

/// The share of pixels that differ between two frames.
fn changed(a: &Frame, b: &Frame) -> f64 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let differ = |(p, q): (&[u8], &[u8])| p.iter().zip(q).any(|(a, b)| a.abs_diff(*b) > 12);
    let count = a
        .rgba
        .chunks(4)
        .zip(b.rgba.chunks(4))
        .filter(|&pair| differ(pair))
        .count();
    count as f64 / (a.rgba.len() / 4) as f64
}

fn studio(shot: &Shot) -> Studio {
    let mut studio = Studio::new(shot).unwrap();
    studio.settle();
    studio
}

fn look_at(view: ViewMode, least: f64) {
    let shot = shot(view);
    let mut studio = studio(&shot);
    let first = studio.picture().unwrap();
    let share = drawn(&first, shot.theme);
    assert!(
        share > least,
        "{view:?}: only {share:.4} of the pixels are drawn"
    );

    let again = studio.picture().unwrap();
    assert!(
        first == again,
        "{view:?}: a scene at rest gives different pictures"
    );

    studio.turn(40.0);
    studio.update();
    let turned = studio.picture().unwrap();
    let moved = changed(&first, &turned);
    assert!(
        moved > 0.3 * least,
        "{view:?}: turning changed only {moved:.4}"
    );

    studio.turn(-40.0);
    studio.update();
    let n = shot.problem.network.layout().len();
    let params: Arc<[f32]> = (0..n).map(|i| ((i * 37 % 19) as f32 - 9.0) / 4.0).collect();
    studio
        .app()
        .world_mut()
        .write_message(Command(TrainCommand::SetParams(params)));
    for _ in 0..3 {
        studio.update();
    }
    let other = studio.picture().unwrap();
    let reweighted = changed(&first, &other);
    assert!(
        reweighted > 0.1 * least,
        "{view:?}: new weights changed only {reweighted:.4}"
    );
}

#[test]
fn the_network_is_drawn_moves_with_the_camera_and_follows_the_weights() {
    look_at(ViewMode::Network, 0.02);
}

#[test]
fn the_surface_is_drawn_moves_with_the_camera_and_follows_the_weights() {
    look_at(ViewMode::Surface, 0.1);
}

#[test]
fn both_views_are_drawn_each_in_its_half() {
    let shot = Shot {
        size: (640, 320),
        ..shot(ViewMode::Both)
    };
    let frame = studio(&shot).picture().unwrap();
    let half = |right: bool| {
        let mut rgba = Vec::new();
        for y in 0..frame.height {
            for x in 0..frame.width / 2 {
                let [r, g, b] = frame.pixel(x + if right { frame.width / 2 } else { 0 }, y);
                rgba.extend([r, g, b, 255]);
            }
        }
        Frame {
            width: frame.width / 2,
            height: frame.height,
            rgba,
        }
    };
    for right in [false, true] {
        let share = drawn(&half(right), shot.theme);
        assert!(share > 0.02, "right: {right}, drawn: {share:.4}");
    }
}

#[test]
fn the_light_theme_is_light() {
    let shot = Shot {
        theme: Theme::LIGHT,
        ..shot(ViewMode::Both)
    };
    let frame = studio(&shot).picture().unwrap();
    assert_eq!(frame.pixel(2, 2), Theme::LIGHT.palette().background.bytes());
    assert!(drawn(&frame, Theme::LIGHT) > 0.02);
}

/// Boxes for missing glyphs would all look the same.
#[test]
fn chinese_text_is_not_boxes() {
    let shot = shot(ViewMode::Network);
    let mut studio = studio(&shot);
    let mut picture = |text: &str| {
        let world = studio.app().world_mut();
        let label = world
            .spawn((
                Label {
                    text: text.into(),
                    view: SceneView::Network,
                    size: 40.0,
                    anchor: bevy_egui::egui::Align2::CENTER_CENTER,
                    faint: false,
                },
                Transform::from_xyz(0.0, 0.0, 0.5),
            ))
            .id();
        studio.update();
        studio.update();
        let frame = studio.picture().unwrap();
        studio.app().world_mut().despawn(label);
        frame
    };
    let (a, b) = (picture("误差曲面"), picture("隐藏神经"));
    let share = changed(&a, &b);
    assert!(
        share > 0.004,
        "two Chinese texts differ in only {share:.5} of the pixels"
    );
}

#[test]
fn a_film_is_the_same_every_time_and_moves() {
    let film = || {
        let shot = Shot {
            frames: 4,
            frame_time: std::time::Duration::from_millis(33),
            steps: 8,
            orbit: 20.0,
            ..shot(ViewMode::Both)
        };
        let mut frames = Vec::new();
        capture(&shot, |index, frame| {
            assert_eq!(index, frames.len());
            frames.push(frame);
            Ok(())
        })
        .unwrap();
        frames
    };
    let (a, b) = (film(), film());
    assert_eq!(a.len(), 4);
    assert!(a == b, "two films of the same experiment differ");
    assert!(changed(&a[0], &a[3]) > 0.01);
}

/// A window at rest costs nothing: once everything has settled, nobody asks for
/// another frame.
#[test]
fn at_rest_nothing_asks_for_another_frame() {
    for view in [ViewMode::Both, ViewMode::Together] {
        let shot = Shot {
            panels: true,
            size: (1280, 720),
            ..shot(view)
        };
        let mut studio = studio(&shot);
        for _ in 0..60 {
            studio.update();
        }
        for frame in 0..5 {
            studio
                .app()
                .world_mut()
                .resource_mut::<Messages<RequestRedraw>>()
                .clear();
            studio.update();
            let world = studio.app().world_mut();
            let asked = world.resource::<Messages<RequestRedraw>>().len();
            let mut contexts = world.query::<&mut EguiContext>();
            let causes: Vec<String> = contexts
                .iter_mut(world)
                .flat_map(|mut context| context.get_mut().repaint_causes())
                .map(|cause| cause.to_string())
                .collect();
            assert_eq!(asked, 0, "{view:?}, frame {frame}: {causes:?}");
        }
    }
}
