//! The list of recorded runs, and branches, on a bare egui context.

#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

mod desk;

use bevy_egui::egui::{Event, Key, Modifiers};
use desk::{Desk, SPIRAL};
use gradscape::app::ui::Intent;
use gradscape::app::{Choices, Language};
use gradscape::experiment::Experiment;
use gradscape::run::{
    Catalogue, MakeRecorder, Recorder, Recording, RunFile, RunStart, Tap, TapOptions,
};
use gradscape::train::{PathPoint, Problem, Session, TrainCommand};
use std::path::PathBuf;
use std::sync::Arc;

/// Records a short run called `name` with this learning rate.
fn record(dir: &std::path::Path, name: &str, rate: f64) -> PathBuf {
    let mut experiment = Experiment::parse(SPIRAL, "test").unwrap();
    experiment.name = Some(name.to_owned());
    experiment.training.epochs = 3;
    experiment.training.optimizer.learning_rate = rate;
    let problem = Arc::new(Problem::new(&experiment).unwrap());
    let path = dir.join(format!("{name}.gsrun"));
    let (file, of) = (path.clone(), Arc::clone(&problem));
    let options = TapOptions::default();
    let make: MakeRecorder = Box::new(move |_| {
        Recorder::create(
            &file,
            &RunStart::of(&of, "id", 1_764_330_000_000),
            &options.plan(&of),
        )
    });
    let clock: gradscape::run::Clock = Arc::new(|| 1_764_330_000_000);
    let (recording, sink) =
        Recording::spawn(Arc::clone(&problem), make, true, 0, Arc::clone(&clock)).unwrap();
    let mut session = Session::new(problem);
    session.observe(Box::new(Tap::new(&session, options, clock, sink)));
    session.command(TrainCommand::Start);
    while session.advance() {}
    drop(session);
    assert_eq!(recording.join().error, None);
    path
}

/// A desk with the list of two runs on it.
fn desk(dir: &std::path::Path, choices: Choices) -> Desk {
    record(dir, "slow", 0.001);
    record(dir, "fast", 0.1);
    let mut desk = Desk::new(SPIRAL, [1280.0, 720.0], choices);
    desk.panels.runs.look_into(Catalogue::at(dir));
    desk.panels.runs.open = true;
    settle(&mut desk);
    desk
}

/// Frames until nothing is read or written any more.
fn settle(desk: &mut Desk) {
    desk.frames(3);
    while desk.panels.runs.is_busy() {
        std::thread::yield_now();
        desk.frames(1);
    }
    desk.frames(3);
}

#[test]
fn runs_are_listed_in_both_languages_found_and_opened() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = desk(dir.path(), Choices::default());
    assert!(desk.says("slow") && desk.says("fast") && desk.says("finished"));
    desk.choices.language = Language::Chinese;
    desk.frames(2);
    assert!(desk.says("记录的运行") && desk.says("完成"));
    desk.choices.language = Language::English;
    desk.frames(2);
    let at = desk.place("slow").center();
    desk.click_at(at);
    let intents = desk.click("runs/open");
    let opened = intents.iter().find_map(|intent| match intent {
        Intent::OpenRun(path) => Some(path.clone()),
        _ => None,
    });
    assert_eq!(opened, Some(dir.path().join("slow.gsrun")));
    assert!(!desk.panels.runs.open);
}

#[test]
fn chosen_runs_are_compared_in_every_view() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = desk(dir.path(), Choices::default());
    for name in ["slow", "fast"] {
        let at = desk.place(name).center();
        desk.click_at(at);
    }
    desk.click("runs/compare");
    settle(&mut desk);
    for view in [
        "Curves",
        "Differences",
        "Histograms",
        "Parallel coordinates",
    ] {
        desk.click_beginning(view);
        desk.frames(2);
        assert!(desk.says("slow") || view.starts_with("Parallel"), "{view}");
        if view == "Differences" {
            assert!(desk.says("training.optimizer.learning_rate") && desk.says("0.001"));
        }
        if view.starts_with("Parallel") {
            assert!(desk.says("optimizer.learning_rate"), "{:?}", desk.texts());
        }
    }
}

#[test]
fn a_run_is_tagged_by_hand_and_deleted_after_a_question_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = desk(dir.path(), Choices::default());
    let slow = dir.path().join("slow.gsrun");
    let at = desk.place("slow").center();
    desk.click_at(at);
    desk.click("runs/tag");
    desk.frames(2);
    desk.frame(vec![Event::Text("lecture".to_owned())]);
    desk.press(Key::Enter);
    settle(&mut desk);
    assert_eq!(RunFile::open(&slow).unwrap().info().tags, ["lecture"]);
    assert!(desk.says("lecture"));
    desk.click("runs/delete");
    desk.frames(2);
    assert!(desk.says("Delete 1 for good?"));
    desk.click("runs/keep");
    settle(&mut desk);
    assert!(slow.exists());
    desk.click("runs/delete");
    desk.frames(2);
    desk.click("runs/delete really");
    settle(&mut desk);
    assert!(!slow.exists() && dir.path().join("fast.gsrun").exists());
    assert!(!desk.says("lecture"));
}

#[test]
fn a_branch_asks_for_other_settings_and_goes_on_from_the_step_that_is_shown() {
    let mut desk = Desk::new(SPIRAL, [1280.0, 720.0], Choices::default());
    let params = desk.training.snapshot.params.clone();
    for step in [10, 20, 30] {
        desk.training.path.push(PathPoint {
            step,
            epoch: step as usize / 10,
            params: params.clone(),
            loss: 1.0,
        });
    }
    desk.training.show_past(20, false);
    desk.frames(3);
    desk.click("timeline/branch");
    desk.frames(3);
    assert!(desk.says("Branch from step 20, epoch 2"));
    let intents = desk.click("branch/start");
    let branch = intents.iter().find_map(|intent| match intent {
        Intent::Branch(experiment) => Some(experiment.clone()),
        _ => None,
    });
    let expected = &desk.training.problem.experiment;
    assert_eq!(branch.unwrap().network, expected.network);
    assert!(!desk.panels.branch.is_open());
}

#[test]
fn a_report_of_a_chosen_run_is_made_beside_the_window_and_can_be_called_off() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = desk(dir.path(), Choices::default());
    let program = PathBuf::from(env!("CARGO_BIN_EXE_gradscape"));
    desk.panels.runs.hand_on_by(program);
    let at = desk.place("slow").center();
    desk.click_at(at);
    for (name, called_off) in [("whole.html", false), ("none.html", true)] {
        let path = dir.path().join(name);
        desk.click("runs/report");
        desk.frames(2);
        let all = Modifiers::COMMAND;
        let key = |key, modifiers| Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers,
        };
        desk.frame(vec![key(Key::A, all)]);
        desk.frame(vec![Event::Text(path.display().to_string())]);
        desk.frame(vec![key(Key::Enter, Modifiers::NONE)]);
        assert!(desk.panels.runs.is_handing_on());
        if called_off {
            desk.frames(2);
            desk.click("runs/stop");
        }
        let mut said = Vec::new();
        while desk.panels.runs.is_handing_on() {
            std::thread::sleep(std::time::Duration::from_millis(5));
            said.extend(desk.frame(Vec::new()));
        }
        let notice = said.iter().find_map(|intent| match intent {
            Intent::Notify(notice) => Some(notice.clone()),
            _ => None,
        });
        let notice = notice.unwrap();
        assert_eq!(notice.error, called_off, "{}", notice.message);
        assert!(notice.message.contains(name), "{}", notice.message);
        assert_eq!(path.exists(), !called_off);
    }
}
