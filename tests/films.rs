//! Pictures and films of the scene as files: what is written is what was drawn.
#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

mod command;

use command::{fails, gradscape, succeeds};
use gradscape::app::capture::{Shot, Studio};
use gradscape::app::{
    ArenaView, Language, NetworkView, PictureWish, Picturing, SurfaceView, Theme, ViewMode,
};
use gradscape::experiment::Experiment;
use gradscape::train::Problem;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const FILM: &str =
    "capture xor --view network --size 160x96 --frames 4 --steps-per-frame 3 --fps 20 --out";

fn shoot(dir: &Path, name: &str) {
    let args: Vec<&str> = FILM.split(' ').chain([name]).collect();
    succeeds(dir, &args);
}

/// Width, height and the pixels of each frame of an animated PNG, with what it lasts in
/// seconds.
fn frames(path: &Path) -> Vec<(Vec<u8>, f64)> {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let count = reader.info().animation_control().unwrap().num_frames;
    let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
    (0..count)
        .map(|_| {
            reader.next_frame(&mut buffer).unwrap();
            let control = reader.info().frame_control().unwrap();
            let lasts = f64::from(control.delay_num) / f64::from(control.delay_den);
            (buffer.clone(), lasts)
        })
        .collect()
}

fn picture(path: &Path) -> (u32, u32, Vec<u8>) {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut buffer).unwrap();
    buffer.truncate(info.buffer_size());
    (info.width, info.height, buffer)
}

#[test]
fn a_film_has_the_frames_that_pictures_have() {
    let dir = tempfile::tempdir().unwrap();
    shoot(dir.path(), "film.apng");
    shoot(dir.path(), "last.png");
    let film = frames(&dir.path().join("film.apng"));
    assert_eq!(film.len(), 4);
    let lasts: Vec<f64> = film.iter().map(|(_, lasts)| *lasts).collect();
    assert_eq!(lasts, [0.05, 0.05, 0.05, 1.5]);
    assert!(film[0].0 != film[1].0, "training moved nothing");
    // A picture is the last of as many frames.
    let (width, height, last) = picture(&dir.path().join("last.png"));
    assert_eq!((width, height), (160, 96));
    assert!(film[3].0 == last);
}

#[test]
fn a_film_of_a_recorded_run_goes_from_its_start_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let run = |line: &str| succeeds(dir.path(), &line.split(' ').collect::<Vec<_>>());
    run("train xor --epochs 6 --record xor.gsrun");
    let film = "capture xor.gsrun --view network --size 160x96";
    run(&format!("{film} --replay --frames 5 --out film.apng"));
    let five = frames(&dir.path().join("film.apng"));
    assert_eq!(five.len(), 5);
    assert!(five.windows(2).all(|two| two[0].0 != two[1].0));
    // Its ends are what pictures of the first and the last step show. (On the way what
    // counts as a thick line moves with hysteresis, so that nothing flickers.)
    run(&format!("{film} --replay --frames 2 --out ends.apng"));
    run(&format!("{film} --at-step 0 --out first.png"));
    run(&format!("{film} --out last.png"));
    let ends = frames(&dir.path().join("ends.apng"));
    let (_, _, first) = picture(&dir.path().join("first.png"));
    let (_, _, last) = picture(&dir.path().join("last.png"));
    assert!(ends[0].0 == first, "the first frame is not the start");
    assert!(ends[1].0 == last, "the last frame is not the end");
    assert!(five[0].0 == first && first != last);
    let line = "capture xor --replay --frames 5 --out film.gif";
    let error = fails(dir.path(), 2, &line.split(' ').collect::<Vec<_>>());
    assert!(error.contains(".gsrun"), "{error}");
}

#[test]
fn an_mp4_lasts_as_long_as_it_should() {
    let dir = tempfile::tempdir().unwrap();
    if Command::new("ffprobe").arg("-version").output().is_err() {
        // Where there is no ffmpeg, that is what is said, and nothing is left.
        let args: Vec<&str> = FILM.split(' ').chain(["film.mp4"]).collect();
        let error = fails(dir.path(), 1, &args);
        assert!(error.contains("install ffmpeg"), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        return;
    }
    shoot(dir.path(), "film.mp4");
    let probe = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-select_streams", "v:0"])
        .args([
            "-show_entries",
            "stream=nb_read_frames,width,height,r_frame_rate",
        ])
        .args(["-of", "csv=p=0", "film.mp4"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    // Three frames of a twentieth of a second, and the last for one and a half.
    let said = String::from_utf8(probe.stdout).unwrap();
    assert_eq!(said.trim(), "160,96,20/1,33");
}

#[test]
fn without_ffmpeg_an_mp4_is_refused_before_anything_is_drawn() {
    let dir = tempfile::tempdir().unwrap();
    let args: Vec<&str> = FILM.split(' ').chain(["film.mp4"]).collect();
    let output = Command::new(env!("CARGO_BIN_EXE_gradscape"))
        .args(&args)
        .env("GRADSCAPE_FFMPEG", "no-such-program")
        .current_dir(dir.path())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("no-such-program") && error.contains(".gif"),
        "{error}"
    );
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    let args: Vec<&str> = FILM.split(' ').chain(["film.avi"]).collect();
    let output = gradscape(dir.path(), &args);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_picture_of_the_window_leaves_the_panels_out_and_the_window_as_it_was() {
    let text = "[data]\nsource = \"xor\"\nsamples = 80\n[network]\nlayers = [{ dense = 4 }, { dense = 2 }]\nloss = \"cross-entropy\"\n[training]\nepochs = 5\n";
    let experiment = Experiment::parse(text, "films").unwrap();
    let shot = Shot {
        problem: Arc::new(Problem::new(&experiment).unwrap()),
        params: None,
        view: ViewMode::Network,
        size: (800, 500),
        frames: 1,
        frame_time: std::time::Duration::from_millis(33),
        past: None,
        replay: false,
        epochs: 2,
        steps: 4,
        orbit: 0.0,
        theme: Theme::DARK,
        language: Language::English,
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
    let dir = tempfile::tempdir().unwrap();
    let mut studio = Studio::new(&shot).unwrap();
    studio.settle();
    studio.turn(30.0);
    (0..3).for_each(|_| studio.update());
    let before = studio.picture().unwrap();
    let mut take = |name: &str, size| {
        let path = dir.path().join(name);
        let wish = PictureWish {
            path: path.clone(),
            size,
        };
        studio.app().world_mut().write_message(wish);
        for _ in 0..400 {
            studio.update();
            if studio.app().world().resource::<Picturing>().is_done() && path.exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        picture(&path)
    };
    let (width, height, window) = take("window.png", None);
    assert_eq!((width, height), (800, 500));
    assert!(
        window == before.rgba,
        "a picture of the window is what it shows"
    );
    let (width, height, scene) = take("scene.png", Some((600, 300)));
    assert_eq!((width, height), (600, 300));
    // Panels are drawn along the left edge of the window; the scene alone has its ground there.
    let ground = Theme::DARK.palette().background.bytes();
    let left = (0..300).map(|y| &scene[y * 600 * 4..][..3]);
    assert!(left.into_iter().all(|pixel| pixel == ground));
    let drawn = scene.chunks(4).filter(|p| p[..3] != ground).count();
    assert!(drawn > 3000, "only {drawn} pixels show something");
    // What was said about the pictures goes after a while.
    let mut after = studio.picture().unwrap();
    for _ in 0..20 {
        if after == before {
            break;
        }
        (0..30).for_each(|_| studio.update());
        after = studio.picture().unwrap();
    }
    assert!(after == before, "the window is not as it was");
}
