//! Recording a run that a command makes.

use super::{CliError, Out};
use crate::files::folder_is_there;
use crate::run::{
    Catalogue, Clock, Committed, MakeRecorder, Parent, Recorder, Recording, RunNotes, RunStart,
    Tap, TapOptions,
};
use crate::train::{Problem, Session};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Whether and how a run is recorded.
#[derive(Args, Debug, Clone, Default)]
pub struct RecordArgs {
    /// Do not record the run
    #[arg(long, conflicts_with_all = ["record", "snapshot_every", "snapshot_mib", "name", "tag"])]
    no_record: bool,
    /// Record the run into this file (.gsrun) instead of one in the folder of runs
    #[arg(long, value_name = "FILE", value_parser = run_file)]
    record: Option<PathBuf>,
    /// Keep the weights every N steps; eight times an epoch, where losses are cheap, unless given
    ///
    /// And always after 0, 1, 2, 4, 8, ... steps and at the end.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    snapshot_every: Option<u64>,
    /// Let the weights take so many MiB at most; beyond that they are kept twice as far apart
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    snapshot_mib: Option<u64>,
    /// Call the recorded run so, instead of by its experiment's name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Mark the recorded run; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Print a JSON object each time something is safe in the file
    #[arg(long, hide = true, requires = "json")]
    commit_marks: bool,
}

pub(super) fn run_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match crate::run::is_run_file(&path) {
        true => Ok(path),
        false => Err("a recorded run ends in .gsrun".to_owned()),
    }
}

/// What `--commit-marks` prints.
#[derive(Serialize)]
struct Mark {
    committed_step: u64,
    committed_snapshot: Option<u64>,
}

/// The system's clock, as runs have it.
pub(super) fn clock() -> Clock {
    Arc::new(now_ms)
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| time.as_millis() as i64)
}

/// A run that is being recorded.
pub(super) struct Record {
    recording: Recording,
    path: PathBuf,
    id: String,
    marks: bool,
    marked: Option<Committed>,
}

impl RecordArgs {
    /// Whether nothing is recorded.
    pub(super) fn is_off(&self) -> bool {
        self.no_record
    }

    /// Looks whether the file that was asked for can be made, before anything is trained.
    ///
    /// # Errors
    /// When there is no folder for it.
    pub(super) fn check(&self) -> Result<(), CliError> {
        match &self.record {
            Some(path) => folder_is_there(path).map_err(|error| CliError::io(path, error)),
            None => Ok(()),
        }
    }

    /// Begins to record `session`, which has not begun yet. None where that was not wished
    /// for; where it was not asked for either and cannot be done, why is said.
    ///
    /// # Errors
    /// When the file that was asked for cannot be made.
    pub(super) fn begin(
        &self,
        session: &mut Session,
        problem: &Arc<Problem>,
        parent: Option<Parent>,
        out: &mut Out,
    ) -> Result<Option<Record>, CliError> {
        if self.no_record {
            return Ok(None);
        }
        match self.start(session, problem, parent) {
            Ok(record) => Ok(Some(record)),
            Err(error) if self.record.is_some() => Err(error),
            Err(error) => {
                out.say(format!(
                    "not recorded: {error}; set GRADSCAPE_RUNS_DIR to a folder that can be written, \
                     or add --no-record"
                ))?;
                Ok(None)
            }
        }
    }

    fn start(
        &self,
        session: &mut Session,
        problem: &Arc<Problem>,
        parent: Option<Parent>,
    ) -> Result<Record, CliError> {
        let mut options = TapOptions {
            snapshot_every: self.snapshot_every,
            ..TapOptions::default()
        };
        if let Some(mib) = self.snapshot_mib {
            options.snapshot_bytes = mib << 20;
        }
        let name = self.name.as_deref();
        let mut record = start(
            session,
            problem,
            Details {
                path: self.record.clone(),
                name: name.unwrap_or(problem.experiment.title()),
                parent,
                tags: &self.tag,
                options,
            },
        )?;
        record.marks = self.commit_marks;
        Ok(record)
    }
}

/// What is to be recorded of a run, and where.
struct Details<'a> {
    /// The file; none for one in the folder of runs.
    path: Option<PathBuf>,
    name: &'a str,
    parent: Option<Parent>,
    tags: &'a [String],
    options: TapOptions,
}

fn start(
    session: &mut Session,
    problem: &Arc<Problem>,
    details: Details<'_>,
) -> Result<Record, CliError> {
    let created = now_ms();
    let path = match details.path {
        Some(path) => path,
        None => Catalogue::standard()
            .ok_or_else(|| CliError::Failed("this system tells of no folder for data".into()))?
            .claim(created, details.name)?,
    };
    let id = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut start = RunStart::of(problem, &id, created);
    details.name.clone_into(&mut start.name);
    start.parent = details.parent;
    let options = details.options;
    let recorder = Recorder::create(&path, &start, &options.plan(problem))?;
    if !details.tags.is_empty() {
        let notes = RunNotes::open(&path)?;
        for tag in details.tags {
            notes.tag(tag)?;
        }
    }
    let mut recorder = Some(recorder);
    let make: MakeRecorder = Box::new(move |_| {
        // A command makes one run.
        recorder.take().ok_or_else(|| {
            crate::run::RunError::Unknown("the run began anew while it was recorded".to_owned())
        })
    });
    let (recording, sink) = Recording::spawn(Arc::clone(problem), make, true, 0, clock())
        .map_err(|error| CliError::io(&path, error))?;
    session.observe(Box::new(Tap::new(session, options, clock(), sink)));
    Ok(Record {
        recording,
        id: id.into_owned(),
        path,
        marks: false,
        marked: None,
    })
}

/// Recording many runs that belong together.
#[derive(Args, Debug, Clone, Default)]
pub struct GroupArgs {
    /// Record every run, with a common tag, into the folder of runs (`gradscape runs`)
    #[arg(long)]
    record: bool,
    /// Mark the recorded runs with this instead
    #[arg(long, value_name = "TAG", requires = "record")]
    tag: Option<String>,
}

/// What the weights of one run of many may take: those after 0, 1, 2, 4, 8, ... steps and at
/// the end.
const GROUP_BYTES: u64 = 8 << 20;

impl GroupArgs {
    /// The tag of the runs, where they are recorded; `otherwise` is that which is not named.
    pub(super) fn group(&self, otherwise: impl FnOnce() -> String) -> Option<Group> {
        self.record.then(|| Group {
            tags: vec![self.tag.clone().unwrap_or_else(otherwise)],
        })
    }
}

/// Runs that are recorded with a common tag. They are not diagnosed at their end, and few
/// weights of them are kept, so that recording takes little of the time of many runs.
pub(super) struct Group {
    tags: Vec<String>,
}

impl Group {
    /// The tag.
    pub(super) fn tag(&self) -> &str {
        &self.tags[0]
    }

    /// Begins to record `session`, which has not begun yet, as `name`.
    ///
    /// # Errors
    /// When the folder of runs cannot be written.
    pub(super) fn begin(
        &self,
        session: &mut Session,
        problem: &Arc<Problem>,
        name: &str,
    ) -> Result<Record, CliError> {
        let options = TapOptions {
            snapshot_every: Some(u64::MAX),
            snapshot_bytes: GROUP_BYTES,
        };
        let details = Details {
            path: None,
            name,
            parent: None,
            tags: &self.tags,
            options,
        };
        let record = start(session, problem, details)?;
        record.recording.hurry();
        Ok(record)
    }
}

impl Record {
    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// With `--commit-marks`, says what has become safe.
    ///
    /// # Errors
    /// When nobody reads it.
    pub(super) fn mark(&mut self, out: &mut Out) -> Result<(), CliError> {
        if !self.marks {
            return Ok(());
        }
        let committed = self.recording.status().committed;
        if self.marked != Some(committed) {
            self.marked = Some(committed);
            out.object(&Mark {
                committed_step: committed.step,
                committed_snapshot: committed.snapshot,
            })?;
        }
        Ok(())
    }

    /// Waits until everything is written and says where.
    ///
    /// # Errors
    /// When not everything could be written, or nobody reads.
    pub(super) fn finish(self, session: &mut Session, out: &mut Out) -> Result<(), CliError> {
        drop(session.unobserve());
        let (id, path) = (self.id.clone(), self.path.clone());
        self.join()?;
        out.say(format!("recorded as {id} in {}", path.display()))
    }

    /// Waits until everything is written of a run that is observed no more.
    ///
    /// # Errors
    /// When not everything could be written.
    pub(super) fn join(self) -> Result<(), CliError> {
        match self.recording.join().error {
            None => Ok(()),
            Some(error) => Err(CliError::Failed(format!(
                "the recording is not complete: {error}"
            ))),
        }
    }

    /// The same, and removes the file: of a run that will be made again.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn discard(self) -> Result<(), CliError> {
        let path = self.path.clone();
        self.recording.join();
        Ok(crate::run::catalogue::remove(&path)?)
    }
}
