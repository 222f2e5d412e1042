//! Every scene of every lesson on the headless renderer, in both themes and both
//! languages: something is there, it is what the scene asks for, and it is the same
//! every time.
#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

use gradscape::app::capture::{Frame, Shot, capture_lesson};
use gradscape::app::{ArenaView, Language, NetworkView, SurfaceView, Theme, ViewMode};
use gradscape::lesson::{LESSONS, Lesson};
use gradscape::train::Problem;
use std::sync::Arc;

fn frames(lesson: &Arc<Lesson>, theme: Theme, language: Language) -> Vec<Frame> {
    let experiment = lesson.experiment_of(0).unwrap();
    let shot = Shot {
        problem: Arc::new(Problem::new(&experiment).unwrap()),
        params: None,
        view: ViewMode::from(lesson.scenes[0].view),
        size: (800, 600),
        frames: 1,
        frame_time: std::time::Duration::from_millis(33),
        past: None,
        replay: false,
        epochs: 0,
        steps: 1,
        orbit: 0.0,
        theme,
        language,
        scale: 1.0,
        panels: true,
        smooth: false,
        network: NetworkView::default(),
        surface: SurfaceView::default(),
        arena: ArenaView::default(),
        race_at: 0,
        events: None,
        rivals: Vec::new(),
        inside: None,
        beside: None,
    };
    let mut frames = Vec::new();
    capture_lesson(&shot, lesson, |scene, frame| {
        assert_eq!(scene, frames.len());
        frames.push(frame);
        Ok(())
    })
    .unwrap();
    frames
}

/// Of the pixels in the middle of the window, where the scene is, the share that is
/// neither the scene's background nor a panel's.
fn drawn(frame: &Frame) -> f64 {
    let corner = frame.pixel(4, frame.height / 2);
    let far = |p: [u8; 3]| p.iter().zip(corner).any(|(a, b)| a.abs_diff(b) > 24);
    let rows = frame.height / 3..frame.height / 2;
    let (mut count, mut all) = (0, 0);
    for y in rows {
        for x in frame.width / 8..7 * frame.width / 8 {
            count += usize::from(far(frame.pixel(x, y)));
            all += 1;
        }
    }
    count as f64 / all as f64
}

#[test]
fn every_scene_shows_something_in_both_themes_and_languages() {
    for bundled in LESSONS {
        let lesson = Arc::new(Lesson::find(bundled.name).unwrap());
        let looks = [
            (Theme::DARK, Language::English),
            (Theme::LIGHT, Language::Chinese),
            (Theme::DARK, Language::Chinese),
            (Theme::LIGHT, Language::English),
        ];
        let [dark, light, dark_zh, light_en] =
            looks.map(|(theme, language)| frames(&lesson, theme, language));
        for all in [&dark, &light, &dark_zh, &light_en] {
            assert_eq!(all.len(), lesson.scenes.len());
            for (index, frame) in all.iter().enumerate() {
                let drawn = drawn(frame);
                assert!(drawn > 0.002, "{} scene {index}: {drawn}", bundled.name);
            }
            for (index, pair) in all.windows(2).enumerate() {
                assert_ne!(pair[0], pair[1], "{} scene {index}", bundled.name);
            }
        }
        assert_ne!(dark[0], light_en[0]);
        assert_ne!(dark[0], dark_zh[0]);
    }
}

#[test]
fn a_scene_is_the_same_every_time() {
    let lesson = Arc::new(Lesson::find("back-propagation").unwrap());
    let once = frames(&lesson, Theme::DARK, Language::English);
    let twice = frames(&lesson, Theme::DARK, Language::English);
    assert!(once == twice);
}
