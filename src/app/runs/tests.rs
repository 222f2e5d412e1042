//! Runs that the window records, opens again and branches from, without a window.

use super::*;
use crate::app::training::{Command, Drive, LoadExperiment, Training, TrainingPlugin};
use crate::app::ui::recorded;
use crate::app::{Notices, Selection};
use crate::experiment::Experiment;
use crate::run::{Catalogue, RunFile, SavedState};
use crate::train::{RunState, TrainCommand};
use std::path::Path;

const MOONS: &str = "[data]\nsource = \"moons\"\nsamples = 60\n[network]\n\
                     layers = [{ dense = 4 }]\nloss = \"cross-entropy\"\n\
                     [training]\nbatch = 8\nepochs = 4\n";

fn app(dir: &Path, drive: Drive) -> App {
    let experiment = Experiment::parse(MOONS, "test").unwrap();
    let problem = Arc::new(Problem::new(&experiment).unwrap());
    let mut app = App::new();
    app.add_plugins(MinimalPlugins)
        .init_resource::<Selection>()
        .add_plugins(TrainingPlugin { problem, drive })
        .insert_resource(RunKeeper::into_folder(Catalogue::at(dir), true));
    app.update();
    app
}

fn until(app: &mut App, done: impl Fn(&Training) -> bool) {
    loop {
        app.update();
        let notices = &app.world().resource::<Notices>().0;
        assert!(notices.is_empty(), "{notices:?}");
        if done(app.world().resource::<Training>()) {
            return;
        }
        std::thread::yield_now();
    }
}

fn close(mut app: App) {
    app.world_mut().write_message(AppExit::Success);
    app.update();
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let runs = Catalogue::at(dir).list(10).unwrap();
    assert!(runs.unreadable.is_empty());
    runs.runs.into_iter().map(|run| run.path).collect()
}

#[test]
fn a_run_is_recorded_opened_with_its_past_and_branched_from() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = app(dir.path(), Drive::Thread);
    first
        .world_mut()
        .write_message(Command(TrainCommand::Start));
    until(&mut first, |t| t.snapshot.state == RunState::Finished);
    let whole = first.world().resource::<Training>().clone();
    close(first);
    let recorded_files = files(dir.path());
    assert_eq!(recorded_files.len(), 1);
    let path = &recorded_files[0];
    let run = RunFile::open(path).unwrap();
    assert_eq!(run.info().state, SavedState::Finished);
    assert_eq!(run.snapshot(u64::MAX).unwrap(), *whole.snapshot.params);

    let mut second = app(dir.path(), Drive::Thread);
    second
        .world_mut()
        .write_message(recorded(path.clone()).unwrap());
    until(&mut second, |t| t.snapshot.step == whole.snapshot.step);
    let opened = second.world().resource::<Training>().clone();
    assert_eq!(opened.history.rows(), whole.history.rows());
    assert_eq!(opened.snapshot.params, whole.snapshot.params);
    for point in whole.path.points() {
        let mut shown = opened.clone();
        shown.show_past(point.step, false);
        assert_eq!(shown.snapshot.params, point.params, "step {}", point.step);
    }

    let mut past = opened;
    let middle = whole.path.points()[whole.path.points().len() / 2].step;
    past.show_past(middle, false);
    let place = Box::new(place_shown(&past));
    assert_eq!(place.step, middle);
    let mut experiment = past.problem.experiment.clone();
    experiment.training.optimizer.learning_rate /= 7.0;
    let id = second.world().resource::<RunKeeper>().id();
    assert_eq!(id, Some(run.info().id.clone()));
    let parent = id.map(|id| Parent { id, step: middle });
    second.world_mut().write_message(LoadExperiment {
        experiment,
        start: true,
        from: Some(Origin::Place { place, parent }),
    });
    until(&mut second, |t| {
        t.snapshot.state == RunState::Finished
            && t.problem.experiment.training != whole.problem.experiment.training
    });
    close(second);
    let newest = files(dir.path());
    assert_eq!(newest.len(), 2);
    let branch = newest.iter().find(|file| *file != path).unwrap();
    let branch = RunFile::open(branch).unwrap();
    let parent = branch.info().parent.clone().unwrap();
    assert_eq!((parent.id, parent.step), (run.info().id.clone(), middle));
    assert_eq!(branch.snapshot_steps().unwrap()[0], middle);
    assert_eq!(branch.epochs().unwrap().last().unwrap().epoch, 4);
}

#[test]
fn what_is_switched_off_or_driven_by_frames_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let still = Drive::Frame { steps: 50 };
    let mut frames = app(dir.path(), still);
    frames
        .world_mut()
        .write_message(Command(TrainCommand::Start));
    until(&mut frames, |t| t.snapshot.state == RunState::Finished);
    close(frames);
    let mut off = app(dir.path(), Drive::Thread);
    off.world_mut().resource_mut::<RunKeeper>().switch(false);
    let experiment = Experiment::parse(MOONS, "test").unwrap();
    off.world_mut().write_message(LoadExperiment {
        experiment,
        start: true,
        from: None,
    });
    until(&mut off, |t| t.snapshot.state == RunState::Finished);
    close(off);
    assert_eq!(files(dir.path()).len(), 0);
}
