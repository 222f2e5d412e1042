//! Who is where.

use super::entry::Course;
use super::racer::Racer;
use serde::Serialize;

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// The place, from 1; the same for equal losses.
    pub place: usize,
    /// Whose.
    pub id: u32,
    /// The number of the colour.
    pub color: usize,
    /// The name.
    pub name: String,
    /// Steps made.
    pub steps: u64,
    /// The newest loss.
    pub loss: f64,
    /// The lowest loss.
    pub best: f64,
    /// The step at which it was reached first.
    pub best_step: u64,
    /// The first step at which the target was reached.
    pub reached: Option<u64>,
    /// How far from the nearest minimum that is known.
    pub distance: Option<f64>,
    /// Whether its numbers ran away.
    pub diverged: bool,
    /// Why it moves no further, if it does not.
    pub end: Option<String>,
}

/// The table, the lowest loss first; those whose numbers ran away come last.
pub(super) fn standings(racers: &[Racer], course: &Course) -> Vec<Standing> {
    let mut table: Vec<Standing> = racers
        .iter()
        .map(|racer| {
            let (best, best_step) = racer.best();
            Standing {
                place: 0,
                id: racer.id(),
                color: racer.color(),
                name: racer.name().to_owned(),
                steps: racer.steps(),
                loss: racer.loss(),
                best,
                best_step,
                reached: racer.reached(),
                distance: match course {
                    Course::Analytic { function, .. } => {
                        racer.ball().and_then(|at| function.distance_to_minimum(at))
                    }
                    Course::Network { .. } => None,
                },
                diverged: racer.end().is_some_and(|end| end.is_divergence()),
                end: racer.end().map(ToString::to_string),
            }
        })
        .collect();
    // Stable: among equals, who entered first.
    table.sort_by(|a, b| {
        let key = |s: &Standing| (s.diverged, s.loss.is_nan());
        key(a).cmp(&key(b)).then(a.loss.total_cmp(&b.loss))
    });
    for i in 0..table.len() {
        let tied = i > 0
            && table[i].loss == table[i - 1].loss
            && table[i].diverged == table[i - 1].diverged;
        table[i].place = if tied { table[i - 1].place } else { i + 1 };
    }
    table
}
