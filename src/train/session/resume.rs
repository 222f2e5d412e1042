//! A run that goes on from a place of an earlier one.

use super::Session;
use crate::train::history::HistoryRow;
use crate::train::jumps::Jumps;
use crate::train::memory::SavedMemory;
use crate::train::problem::Problem;
use crate::train::snapshot::{Outbox, RunState};
use crate::train::trajectory::PathPoint;
use std::sync::Arc;

/// A place of a run, and how it came there.
#[derive(Debug, Clone)]
pub struct Resumption {
    /// The seed of the batch order.
    pub seed: u64,
    /// Epochs completed.
    pub epoch: usize,
    /// Steps completed.
    pub step: u64,
    /// The weights there.
    pub params: Arc<[f32]>,
    /// The history up to there, oldest first; may be empty.
    pub rows: Vec<HistoryRow>,
    /// The path up to there, oldest first; may be empty.
    pub points: Vec<PathPoint>,
    /// Where the weights were put on the way.
    pub jumps: Jumps,
    /// What the optimiser had gathered there, if that is known.
    pub memory: Option<SavedMemory>,
}

impl Session {
    /// A run of `problem` that goes on from `place`, at rest. Steps and epochs are
    /// counted on, batches and a schedule that follows steps go on where they were, and
    /// the optimiser with what it had gathered, where the place says it
    /// ([`recalls`](Self::recalls)); else it begins anew. The rows and points up to there are ready to be taken,
    /// and those of the place itself are added where they are missing.
    ///
    /// None where the network does not have as many parameters as `place`.
    pub fn resume(problem: Arc<Problem>, place: Resumption) -> Option<Self> {
        if problem.network.layout().len() != place.params.len() {
            return None;
        }
        let mut session = Session::new(problem);
        let at = (place.epoch, place.step);
        session.trainer.resume(&place.params, at, place.seed);
        let memory = place.memory.as_ref();
        session.recalls = memory.is_some_and(|memory| session.trainer.recall(memory));
        session.trajectory.clear();
        session.outbox = Outbox::default();
        session.jumps = Arc::new(place.jumps);
        for point in place.points {
            if point.step <= place.step {
                session.trajectory.push(point);
            }
        }
        let has_row = place.rows.last().is_some_and(|row| row.step == place.step);
        let points = session.trajectory.points();
        let has_point = points.last().is_some_and(|point| point.step == place.step);
        session.outbox.points = points.to_vec();
        session.outbox.rows = place.rows;
        session.outbox.rows.retain(|row| row.step <= place.step);
        session.row_step = session.outbox.rows.last().map_or(0, |row| row.step);
        match (has_row, has_point) {
            (true, true) => {}
            (false, false) => session.record_start(),
            (false, true) => {
                let row = session.evaluated_row();
                session.row_step = place.step;
                session.outbox.rows.push(row);
            }
            (true, false) => {
                let loss = session.trainer.train_loss();
                session.record_point(loss);
            }
        }
        if place.step > 0 {
            let done = place.epoch >= session.target_epoch;
            session.state = match done {
                true => RunState::Finished,
                false => RunState::Paused,
            };
        }
        Some(session)
    }

    /// Whether it went on from a place of another run with what the optimiser had gathered
    /// there.
    pub fn recalls(&self) -> bool {
        self.recalls
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::train::TrainCommand;

    fn problem(optimizer: &str) -> Arc<Problem> {
        let text = format!(
            "[data]\nsource = \"spiral\"\nsamples = 60\n[network]\n\
             layers = [{{ dense = 4 }}]\nloss = \"cross-entropy\"\n\
             [training]\nbatch = 7\nepochs = 6\n\
             optimizer = {{ name = \"{optimizer}\", learning_rate = 0.05 }}"
        );
        Arc::new(Problem::new(&Experiment::parse(&text, "t").unwrap()).unwrap())
    }

    fn run_to(session: &mut Session, step: u64) {
        session.command(TrainCommand::Start);
        while session.trainer().steps() < step && session.advance() {}
    }

    fn place(session: &Session) -> Resumption {
        let trainer = session.trainer();
        Resumption {
            seed: trainer.seed(),
            epoch: trainer.epoch(),
            step: trainer.steps(),
            params: trainer.params().into(),
            rows: Vec::new(),
            points: session.trajectory().points().to_vec(),
            jumps: Jumps::default(),
            memory: None,
        }
    }

    #[test]
    fn without_a_memory_of_the_optimiser_it_goes_on_as_if_it_had_never_stopped() {
        for at in [7, 10, 12, 14] {
            let problem = problem("sgd");
            let mut whole = Session::new(Arc::clone(&problem));
            run_to(&mut whole, at);
            let mut resumed = Session::resume(problem, place(&whole)).unwrap();
            assert_eq!(resumed.trainer().steps(), at);
            run_to(&mut whole, 31);
            run_to(&mut resumed, 31);
            assert_eq!(whole.trainer().params(), resumed.trainer().params());
            assert_eq!(resumed.trainer().epoch(), whole.trainer().epoch());
        }
    }

    #[test]
    fn its_past_is_there_and_its_end_is_the_experiments() {
        let problem = problem("adam");
        let mut whole = Session::new(Arc::clone(&problem));
        run_to(&mut whole, 20);
        let points = whole.trajectory().points().len();
        let mut resumed = Session::resume(Arc::clone(&problem), place(&whole)).unwrap();
        assert_eq!(resumed.state(), RunState::Paused);
        let news = resumed.take_outbox();
        assert!(news.points.len() >= points && news.points.last().unwrap().step == 20);
        assert_eq!(news.rows.last().unwrap().step, 20);
        resumed.command(TrainCommand::Start);
        while resumed.advance() {}
        assert_eq!(resumed.trainer().epoch(), 6);
        assert_eq!(resumed.state(), RunState::Finished);
        let short = Resumption {
            params: Arc::from([0.0; 3]),
            ..place(&whole)
        };
        assert!(Session::resume(problem, short).is_none());
    }
}
