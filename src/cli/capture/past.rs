//! A run that has been made, in a picture with its whole path.

use crate::cli::interrupt::Interrupt;
use crate::cli::source::{Recorded, Source};
use crate::cli::{CliError, Out};
use crate::run::{Replay, RunFile};
use crate::train::{Resumption, Session, TrainCommand};
use std::sync::Arc;

/// How a picture comes to a run's past.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// From its record.
    pub(super) place: Option<Arc<Resumption>>,
    /// By training so many epochs again.
    pub(super) epochs: Option<usize>,
}

impl Past {
    /// Whether there is none.
    pub(super) fn is_none(&self) -> bool {
        self.place.is_none() && self.epochs.is_none()
    }
}

/// The past of a source that is a run.
///
/// # Errors
/// When its file cannot be read, or the user has enough.
pub(super) fn of(source: &Source, at_step: Option<u64>, out: &mut Out) -> Result<Past, CliError> {
    match &source.run {
        None => Ok(Past::default()),
        Some(Recorded::File(path)) => {
            let run = RunFile::open(path)?;
            let place = match at_step {
                Some(step) => run.place(step)?,
                None => Replay::load(&run, &source.problem)?.at_end(),
            };
            Ok(Past {
                place: Some(Arc::new(place)),
                epochs: None,
            })
        }
        Some(Recorded::Folder(_)) => Ok(Past {
            place: None,
            epochs: trained_again(source, out)?,
        }),
    }
}

/// The epochs after which training from the start is where the source's run
/// ended, if it gets there again. A picture then has the whole path and not the
/// last weights alone.
fn trained_again(source: &Source, out: &mut Out) -> Result<Option<usize>, CliError> {
    let Some(epochs) = source.path.last().map(|last| last.epoch) else {
        return Ok(None);
    };
    let interrupt = Interrupt::listen();
    let bar = out.start_bar(epochs as u64, "epochs");
    let mut session = Session::new(Arc::clone(&source.problem));
    for _ in 0..epochs {
        if interrupt.is_raised() {
            out.end_bar();
            return Err(CliError::Failed(
                "interrupted; nothing was written".to_owned(),
            ));
        }
        session.command(TrainCommand::Epoch);
        session.take_outbox();
        bar.inc(1);
    }
    out.end_bar();
    Ok((session.trainer().params() == source.params).then_some(epochs))
}
