//! Opening a file on a thread of its own: a large model takes seconds to read.

use crate::app::Training;
use crate::experiment::Experiment;
use crate::interop::{experiment_of_file, is_model};
use crossbeam_channel::{Receiver, bounded};
use std::path::{Path, PathBuf};
use std::thread;

/// A file that is being read, if one is.
#[derive(Default)]
pub struct Opening {
    job: Option<Job>,
}

struct Job {
    path: PathBuf,
    start: bool,
    result: Receiver<Result<Experiment, String>>,
}

/// What was read of a file.
pub(super) struct Opened {
    pub(super) path: PathBuf,
    /// Whether it runs at once.
    pub(super) start: bool,
    pub(super) experiment: Result<Experiment, String>,
}

impl Opening {
    /// Reads `path`, in place of whatever is being read. `wake` is called when it is there.
    pub(super) fn begin(
        &mut self,
        path: PathBuf,
        training: &Training,
        start: bool,
        wake: impl FnOnce() + Send + 'static,
    ) {
        let (give, result) = bounded(1);
        let present = training.problem.experiment.clone();
        let file = path.clone();
        let thread = thread::Builder::new().name("open a file".to_owned());
        let begun = thread.spawn(move || {
            // Nobody takes it where it was cancelled.
            let _ = give.send(open(&file, &present));
            wake();
        });
        if let Err(error) = begun {
            let (give, refused) = bounded(1);
            // Cannot fail: it is empty, and its other end is here.
            let _ = give.send(Err(format!("{}: {error}", path.display())));
            self.job = Some(Job {
                path,
                start,
                result: refused,
            });
            return;
        }
        self.job = Some(Job {
            path,
            start,
            result,
        });
    }

    /// The file that is being read.
    pub(super) fn path(&self) -> Option<&Path> {
        self.job.as_ref().map(|job| job.path.as_path())
    }

    /// Lets go of it: what the thread reads goes nowhere.
    pub(super) fn cancel(&mut self) {
        self.job = None;
    }

    /// Whether it has been read.
    pub(super) fn is_done(&self) -> bool {
        self.job.as_ref().is_some_and(|job| !job.result.is_empty())
    }

    /// What was read, once.
    pub(super) fn take(&mut self) -> Option<Opened> {
        let experiment = self.job.as_ref()?.result.try_recv().ok()?;
        let job = self.job.take()?;
        Some(Opened {
            path: job.path,
            start: job.start,
            experiment,
        })
    }
}

/// An experiment file as it is, another program's model as an experiment, or the present
/// experiment with a data file.
fn open(path: &Path, present: &Experiment) -> Result<Experiment, String> {
    if path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("toml"))
    {
        return Experiment::read(path).map_err(|error| error.to_string());
    }
    // Arrays of numbers without names are data, though both end alike.
    let model = match is_model(path) {
        true => Some(experiment_of_file(path, None)),
        false => None,
    };
    match model {
        Some(Ok(experiment)) => return Ok(experiment),
        Some(Err(why))
            if !path
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("npz")) =>
        {
            return Err(why);
        }
        _ => {}
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let mut experiment = present.clone();
    super::experiment::set_source(&mut experiment, &path.to_string_lossy());
    match_loss(&mut experiment)?;
    Ok(experiment)
}

/// Looks at the data to see whether they ask for classes or for values.
fn match_loss(experiment: &mut Experiment) -> Result<(), String> {
    let data = crate::data::prepare(&experiment.data, experiment.seed, &experiment.base)
        .map_err(|error| error.to_string())?;
    let network = &mut experiment.network;
    network.output = None;
    network.loss = if data.task.is_classification() {
        crate::experiment::LossConfig::CrossEntropy
    } else {
        crate::experiment::LossConfig::HalfSquaredError
    };
    Ok(())
}
