//! Opening files off the frame: experiments, data, and other programs' models, with how far
//! it has come and a way to give up.

use super::Blocks;
use crate::app::plugins::GradscapeSystems;
use crate::app::state::ViewMode;
use crate::app::training::Drive;
use crate::app::training::{
    DriveChoice, LoadExperiment, Notice, Notices, Training, load_experiment,
};
use crate::data::DataConfig;
use crate::experiment::{Experiment, LossConfig};
use crate::insight::outline::{Found, read_model};
use crate::interop::is_model;
use crate::train::RunState;
use bevy::prelude::*;
use bevy::winit::{EventLoopProxyWrapper, WinitUserEvent};
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<OpeningFile>()
        .add_message::<OpenFile>()
        .add_systems(
            Update,
            (begin, finish)
                .chain()
                .in_set(GradscapeSystems::Receive)
                .before(load_experiment),
        );
}

/// A wish to open a file, whatever it holds.
#[derive(Message, Debug, Clone)]
pub struct OpenFile {
    /// The file.
    pub path: PathBuf,
    /// Whether training starts at once where there is something to train; `None` where it
    /// does if the run on screen runs.
    pub start: Option<bool>,
}

/// What is being done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It is read.
    Reading,
    /// What the engine has of its nodes is found out.
    Translating,
    /// Its blocks are found.
    Outlining,
}

impl Stage {
    const ALL: [Stage; 3] = [Stage::Reading, Stage::Translating, Stage::Outlining];

    /// Its key in the texts.
    pub fn key(self) -> &'static str {
        match self {
            Stage::Reading => "model.reading",
            Stage::Translating => "model.translating",
            Stage::Outlining => "model.outlining",
        }
    }
}

type News = Result<Loaded, String>;

enum Loaded {
    Experiment(Box<Experiment>),
    Model(Found),
}

/// The file that is being opened.
#[derive(Resource, Default)]
pub struct OpeningFile(Option<Job>);

struct Job {
    path: PathBuf,
    start: Option<bool>,
    step: Arc<AtomicUsize>,
    given_up: Arc<AtomicBool>,
    news: Receiver<News>,
}

impl OpeningFile {
    /// The file and what is being done with it.
    pub fn now(&self) -> Option<(&Path, Stage)> {
        let job = self.0.as_ref()?;
        let step = job.step.load(Ordering::Relaxed).min(Stage::ALL.len() - 1);
        Some((&job.path, Stage::ALL[step]))
    }

    /// How far it has come, from 0 to 1, by steps.
    pub fn share(&self) -> f32 {
        let step = self
            .0
            .as_ref()
            .map_or(0, |job| job.step.load(Ordering::Relaxed));
        (step as f32 + 0.5) / Stage::ALL.len() as f32
    }

    /// Gives up; what is on screen stays.
    pub fn cancel(&mut self) {
        if let Some(job) = self.0.take() {
            job.given_up.store(true, Ordering::Relaxed);
        }
    }
}

/// Starts on what was asked for last.
fn begin(
    mut requests: MessageReader<OpenFile>,
    mut opening: ResMut<OpeningFile>,
    training: Res<Training>,
    proxy: Option<Res<EventLoopProxyWrapper>>,
    mut notices: ResMut<Notices>,
) {
    let Some(OpenFile { path, start }) = requests.read().last().cloned() else {
        return;
    };
    opening.cancel();
    let proxy = proxy.as_ref().map(|proxy| (***proxy).clone());
    let wake = move || {
        if let Some(proxy) = &proxy {
            // Fails only when the window is already gone.
            let _ = proxy.send_event(WinitUserEvent::WakeUp);
        }
    };
    let (sender, news) = bounded(1);
    let step = Arc::new(AtomicUsize::new(0));
    let given_up = Arc::new(AtomicBool::new(false));
    let (own_step, own_given_up) = (Arc::clone(&step), Arc::clone(&given_up));
    let (own_path, experiment) = (path.clone(), training.problem.experiment.clone());
    let spawned = std::thread::Builder::new()
        .name("opening".into())
        .spawn(move || {
            let wake_up = wake.clone();
            let go_on = move |at: usize| {
                own_step.store(at, Ordering::Relaxed);
                wake_up();
                !own_given_up.load(Ordering::Relaxed)
            };
            if let Some(found) = load(&own_path, experiment, go_on) {
                // The receiver is gone where it was given up.
                let _ = sender.send(found);
            }
            wake();
        });
    match spawned {
        Ok(_) => {
            opening.0 = Some(Job {
                path,
                start,
                step,
                given_up,
                news,
            });
        }
        Err(error) => notices.0.push(Notice {
            message: error.to_string(),
            error: true,
        }),
    }
}

/// Takes what has been opened.
fn finish(
    mut opening: ResMut<OpeningFile>,
    drive: Res<DriveChoice>,
    training: Res<Training>,
    mode: Option<Res<State<ViewMode>>>,
    mut next_mode: ResMut<NextState<ViewMode>>,
    mut blocks: ResMut<Blocks>,
    mut loads: MessageWriter<LoadExperiment>,
    mut notices: ResMut<Notices>,
) {
    let Some(job) = &opening.0 else { return };
    // Where frames are counted, everything happens in the frame in which it was asked for.
    let news = match drive.0 {
        Drive::Frame { .. } => job.news.recv().map_err(|_| TryRecvError::Disconnected),
        Drive::Thread => job.news.try_recv(),
    };
    let news = match news {
        Ok(news) => news,
        Err(TryRecvError::Empty) => return,
        Err(TryRecvError::Disconnected) => {
            let path = job.path.display();
            Err(format!(
                "{path}: reading it was broken off by an error of this program"
            ))
        }
    };
    let running = training.snapshot.state == RunState::Running;
    let start = job.start.unwrap_or(running);
    opening.0 = None;
    match news {
        Ok(Loaded::Experiment(experiment) | Loaded::Model(Found::Experiment(experiment))) => {
            loads.write(LoadExperiment {
                experiment: *experiment,
                start,
                from: None,
            });
        }
        Ok(Loaded::Model(Found::Foreign(foreign))) => {
            blocks.show_foreign(foreign);
            if mode.is_some_and(|mode| *mode.get() != ViewMode::Network) {
                next_mode.set(ViewMode::Network);
            }
        }
        Err(message) => notices.0.push(Notice {
            message,
            error: true,
        }),
    }
}

/// An experiment file as it is, another program's model, or `experiment` with a data file.
fn load(path: &Path, mut experiment: Experiment, go_on: impl Fn(usize) -> bool) -> Option<News> {
    let ends_in = |ending: &str| {
        path.extension()
            .is_some_and(|e| e.eq_ignore_ascii_case(ending))
    };
    if ends_in("toml") {
        let read = Experiment::read(path).map_err(|error| error.to_string());
        return Some(read.map(|experiment| Loaded::Experiment(Box::new(experiment))));
    }
    if is_model(path) {
        match read_model(path, &go_on)? {
            Ok(found) if !ends_in("npz") => return Some(Ok(Loaded::Model(found))),
            Err(why) if !ends_in("npz") => return Some(Err(why)),
            Ok(found @ Found::Experiment(_)) => return Some(Ok(Loaded::Model(found))),
            // Arrays of numbers without names are data, though both end alike.
            Ok(Found::Foreign(_)) | Err(_) => {}
        }
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    experiment.name = None;
    experiment.data = DataConfig {
        validation: experiment.data.validation,
        ..DataConfig::of(&*path.to_string_lossy())
    };
    let matched = match_loss(&mut experiment);
    Some(matched.map(|()| Loaded::Experiment(Box::new(experiment))))
}

/// Looks at the data to see whether they ask for classes or for values.
fn match_loss(experiment: &mut Experiment) -> Result<(), String> {
    let data = crate::data::prepare(&experiment.data, experiment.seed, &experiment.base)
        .map_err(|error| error.to_string())?;
    let network = &mut experiment.network;
    network.output = None;
    network.loss = if data.task.is_classification() {
        LossConfig::CrossEntropy
    } else {
        LossConfig::HalfSquaredError
    };
    Ok(())
}
