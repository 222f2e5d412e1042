//! Runs that are recorded while the window trains them. Nothing is recorded unless a
//! [`RunKeeper`] with a folder was put into the app.

use crate::run::{
    Catalogue, Clock, Parent, Recorder, Recording, RecordingStatus, RunStart, Tap, TapOptions,
};
use crate::train::{Problem, Resumption, Session};
use bevy::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where a run goes on from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// From the end of a recorded run, whose past is shown.
    Run(PathBuf),
    /// From a place of another run.
    Place {
        /// The place, with the past that led there.
        place: Box<Resumption>,
        /// The run that it is of, where that is recorded.
        parent: Option<Parent>,
    },
}

/// Records the runs of the window.
#[derive(Resource, Debug, Default)]
pub struct RunKeeper {
    catalogue: Option<Catalogue>,
    is_on: bool,
    now: Option<Recording>,
    /// Those that are still being written.
    closing: Vec<Recording>,
    /// What the run on the screen went on from.
    parent: Option<Parent>,
}

/// Gives a new session to whoever records it.
pub(super) type Observe = Box<dyn FnOnce(&mut Session) + Send>;

impl RunKeeper {
    /// One that records into a folder, as long as it is switched on.
    pub fn into_folder(catalogue: Catalogue, is_on: bool) -> Self {
        RunKeeper {
            catalogue: Some(catalogue),
            is_on,
            ..RunKeeper::default()
        }
    }

    /// The folder, if runs can be recorded.
    pub fn catalogue(&self) -> Option<&Catalogue> {
        self.catalogue.as_ref()
    }

    /// From the next run on, records or does not.
    pub fn switch(&mut self, on: bool) {
        self.is_on = on;
    }

    /// Whether runs are recorded from the next one on.
    pub fn is_on(&self) -> bool {
        self.is_on && self.catalogue.is_some()
    }

    /// How the recording of the run on the screen stands, if it is recorded.
    pub fn status(&self) -> Option<RecordingStatus> {
        self.now.as_ref().map(Recording::status)
    }

    /// What the run on the screen is known by: its own id once it is recorded, else that of
    /// the run that it was opened from.
    pub fn id(&self) -> Option<String> {
        let own = self.status().and_then(|status| status.path);
        let own = own.and_then(|path| {
            let stem = path.file_stem()?;
            Some(stem.to_string_lossy().into_owned())
        });
        own.or_else(|| self.parent.as_ref().map(|parent| parent.id.clone()))
    }

    /// A run of `problem` begins, that goes on from `parent`. Who records it, if somebody
    /// does: a file is made when it makes its first step, another each time it starts over.
    ///
    /// # Errors
    /// Why it cannot be recorded.
    pub(super) fn begin(
        &mut self,
        problem: &Arc<Problem>,
        parent: Option<Parent>,
    ) -> Result<Option<Observe>, String> {
        self.closing.extend(self.now.take());
        self.closing.retain(|recording| !recording.is_done());
        self.parent.clone_from(&parent);
        let Some(catalogue) = self.catalogue.clone().filter(|_| self.is_on) else {
            return Ok(None);
        };
        let options = TapOptions::default();
        let mut parent = parent;
        let (of, plan) = (Arc::clone(problem), options.plan(problem));
        let make = Box::new(move |seed| {
            let created = now_ms();
            let path = catalogue.claim(created, of.experiment.title())?;
            let id = path.file_stem().unwrap_or_default().to_string_lossy();
            let mut start = RunStart::of(&of, &id, created);
            start.seed = seed;
            // One that starts over goes on from nothing.
            start.parent = parent.take();
            Recorder::create(&path, &start, &plan)
        });
        // What was left within its first epoch is not worth a file.
        let least = problem.steps_per_epoch() as u64;
        let recording = Recording::spawn(Arc::clone(problem), make, false, least, clock());
        let (recording, sink) = recording.map_err(|error| error.to_string())?;
        self.now = Some(recording);
        Ok(Some(Box::new(move |session| {
            session.observe(Box::new(Tap::new(session, options, clock(), sink)));
        })))
    }

    /// From now on nobody looks at ended runs any more: somebody waits.
    pub(super) fn hurry(&self) {
        let all = self.now.iter().chain(&self.closing);
        all.for_each(Recording::hurry);
    }

    /// Waits until everything is written. The runs must have been let go.
    pub(super) fn finish(&mut self) {
        self.closing.extend(self.now.take());
        for recording in self.closing.drain(..) {
            recording.join();
        }
    }
}

fn clock() -> Clock {
    Arc::new(now_ms)
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| time.as_millis() as i64)
}

/// The place of the weights that are shown, with the past that leads there.
pub(super) fn place_shown(training: &super::Training) -> Resumption {
    let snapshot = &training.snapshot;
    let rows = training.history.rows().iter();
    let points = training.path.points().iter();
    let mut jumps = (*training.now_snapshot().jumps).clone();
    jumps.truncate_after(snapshot.step);
    Resumption {
        memory: None,
        seed: snapshot.seed,
        epoch: snapshot.epoch,
        step: snapshot.step,
        params: Arc::clone(&snapshot.params),
        rows: rows
            .filter(|row| row.step <= snapshot.step)
            .copied()
            .collect(),
        points: points
            .filter(|point| point.step <= snapshot.step)
            .cloned()
            .collect(),
        jumps,
    }
}

#[cfg(test)]
mod tests;
