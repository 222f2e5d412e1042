//! The thread on which a race is computed, as far ahead as was asked for.

use super::heat::{Heat, Lap, RaceSpec};
use super::thinker::{Thinker, Work};
use crate::race::End;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two reports.
const PAUSE: Duration = Duration::from_millis(25);

/// Compute this race up to this step.
pub(super) struct Question {
    /// Another number, another race.
    pub(super) tag: u64,
    /// Who races where.
    pub(super) spec: Arc<RaceSpec>,
    /// So far.
    pub(super) steps: u64,
}

/// What came since the last report.
pub(super) struct News {
    /// Of the question.
    pub(super) tag: u64,
    /// The new places of every racer.
    pub(super) laps: Vec<Vec<Lap>>,
    /// Why each goes no further, once it does not.
    pub(super) ends: Vec<Option<End>>,
    /// Steps that are known.
    pub(super) steps: u64,
    /// Whether nobody goes any further.
    pub(super) is_over: bool,
    /// Why there is no race.
    pub(super) error: Option<String>,
}

impl News {
    fn nothing(tag: u64) -> Self {
        News {
            tag,
            laps: Vec::new(),
            ends: Vec::new(),
            steps: 0,
            is_over: false,
            error: None,
        }
    }

    fn merge(mut self, newer: News) -> News {
        if self.tag != newer.tag || self.laps.len() != newer.laps.len() {
            return newer;
        }
        for (laps, more) in self.laps.iter_mut().zip(newer.laps) {
            laps.extend(more);
        }
        News {
            laps: self.laps,
            ..newer
        }
    }
}

/// A race in the making.
struct Running {
    tag: u64,
    heat: Heat,
    steps: u64,
    is_over: bool,
}

/// Starts the thread.
pub(super) fn spawn(
    wake: impl Fn() + Send + Sync + 'static,
) -> std::io::Result<Thinker<Question, News>> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(crate::app::surface::threads_beside_others())
        .thread_name(|i| format!("race {i}"))
        .build()
        .map_err(std::io::Error::other)?;
    let mut running = None;
    let work: Box<Work<Question, News>> = Box::new(move |question, cancel, say| {
        pool.install(|| compute(&question, &mut running, cancel, say));
    });
    Thinker::spawn("race", work, News::merge, wake)
}

fn compute(
    question: &Question,
    running: &mut Option<Running>,
    cancel: &AtomicBool,
    say: &mut (dyn FnMut(News) + Send),
) {
    let tag = question.tag;
    let mut known = running.take().filter(|r| r.tag == tag);
    let mut laps: Vec<Vec<Lap>> = vec![Vec::new(); question.spec.racers.len()];
    if known.is_none() {
        match Heat::new(&question.spec) {
            Ok(mut heat) => {
                let starts = heat.places();
                laps.iter_mut().zip(starts).for_each(|(l, s)| l.extend(s));
                let steps = 0;
                let is_over = false;
                known = Some(Running {
                    tag,
                    heat,
                    steps,
                    is_over,
                });
            }
            Err(error) => {
                return say(News {
                    error: Some(error),
                    is_over: true,
                    ..News::nothing(tag)
                });
            }
        }
    }
    let Some(mut race) = known else { return };
    let mut report = |race: &Running, laps: &mut Vec<Vec<Lap>>| {
        let empty = vec![Vec::new(); laps.len()];
        say(News {
            laps: std::mem::replace(laps, empty),
            ends: race.heat.ends(),
            steps: race.steps,
            is_over: race.is_over,
            ..News::nothing(tag)
        });
    };
    let mut last = Instant::now();
    while race.steps < question.steps && !race.is_over && !cancel.load(Ordering::Relaxed) {
        let made = race.heat.step();
        if made.iter().all(Option::is_none) {
            race.is_over = true;
            break;
        }
        race.steps += 1;
        for (laps, lap) in laps.iter_mut().zip(made) {
            laps.extend(lap);
        }
        if last.elapsed() >= PAUSE {
            last = Instant::now();
            report(&race, &mut laps);
        }
    }
    report(&race, &mut laps);
    *running = Some(race);
}
