//! Why the network says what it says of the sample on the screen: attributions by six
//! methods, a sentence, and the strongest ways.

mod bars;
mod question;
mod show;
mod words;

pub(super) use question::targets;
pub(super) use show::{options, show};

use super::super::stage::{Intent, Stage};
use super::map::Sheet;
use crate::app::LitWays;
use crate::insight::explain::Said;
use crate::train::{Watched, WatchedPart};
use bevy_egui::egui;
use crossbeam_channel::{Receiver, TryRecvError};
use question::{Found, Question, Report};
use std::sync::Arc;

/// Ways that are looked for, and how many are lit unless told otherwise.
const MOST_WAYS: usize = 10;
const WAYS: usize = 5;

/// What is known, and what is asked for.
pub struct Why {
    /// The class or output that is explained; `None` is the one that the network says.
    pub target: Option<usize>,
    /// Whether the strongest ways are lit in the scene.
    pub lit: bool,
    /// How many of them.
    pub ways: usize,
    seen: Option<Key>,
    job: Option<Receiver<Report>>,
    found: Option<Found>,
    said: Option<(Key, Said)>,
    sheet: Sheet,
    /// What the scene was told to light: of what, and how many ways.
    told: Option<(Key, usize)>,
}

impl Default for Why {
    fn default() -> Self {
        Why {
            target: None,
            lit: false,
            ways: WAYS,
            seen: None,
            job: None,
            found: None,
            said: None,
            sheet: Sheet::default(),
            told: None,
        }
    }
}

/// Of what an explanation is: the problem, the run and its moment, the sample, and the
/// class that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    problem: usize,
    generation: u64,
    revision: u64,
    step: u64,
    watched: Watched,
    target: Option<usize>,
}

impl Why {
    /// Whether something is being worked out.
    pub(super) fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// Takes what came of the last question, asks again where sample or weights have
    /// changed since, and lights the ways or puts them out. `shown` says whether the
    /// explanation is looked at.
    pub fn follow(&mut self, stage: &mut Stage<'_>, ctx: &egui::Context, shown: bool) {
        let training = stage.training;
        let (snapshot, probe) = (&training.snapshot, &training.snapshot.probe);
        let problem = Arc::as_ptr(&training.problem) as usize;
        if self.seen.is_some_and(|seen| seen.problem != problem) {
            // Of another network nothing is left but whether ways are wanted.
            *self = Why {
                lit: self.lit,
                ways: self.ways,
                told: self.told,
                ..Why::default()
            };
        }
        self.receive();
        self.tell(stage);
        if !(shown || self.lit) {
            return;
        }
        let now = Key {
            problem,
            generation: snapshot.generation,
            revision: snapshot.revision,
            step: snapshot.step,
            watched: probe.watched,
            target: self.target,
        };
        if self.job.is_some() || self.seen == Some(now) || stage.loading || probe.input.is_empty() {
            return;
        }
        self.seen = Some(now);
        let question = Question {
            key: now,
            epoch: snapshot.epoch,
            problem: Arc::clone(&training.problem),
            params: Arc::clone(&snapshot.params),
            x: probe.input.clone(),
            point: point(stage),
        };
        self.job = question.ask(ctx.clone());
    }

    fn receive(&mut self) {
        while let Some(job) = &self.job {
            match job.try_recv() {
                Ok(Report::Found(found)) => self.found = Some(*found),
                Ok(Report::Said(key, said)) => self.said = Some((key, *said)),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.job = None,
            }
        }
    }

    /// Tells the scene what to light, where that has changed.
    fn tell(&mut self, stage: &mut Stage<'_>) {
        let found = self.found.as_ref().filter(|_| self.lit);
        let wanted = found.map(|found| (found.key, self.ways));
        if wanted != self.told {
            self.told = wanted;
            let lit = found.and_then(|found| LitWays::of(&found.contributions, self.ways));
            stage.intents.push(Intent::Ways(lit.map(Arc::new)));
        }
    }
}

/// The raw point of the watched sample, where the data are a problem in the plane.
fn point(stage: &Stage<'_>) -> Option<[f32; 2]> {
    let data = &stage.training.problem.data;
    let watched = stage.training.snapshot.probe.watched;
    let rows = match watched.part {
        WatchedPart::Train => &data.train.rows,
        WatchedPart::Validation => &data.validation.rows,
        WatchedPart::Drawn | WatchedPart::Maximised => return None,
    };
    let (row, points) = (*rows.get(watched.index)?, data.points.as_ref()?);
    Some([points[[row, 0]], points[[row, 1]]])
}
