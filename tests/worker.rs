//! The training thread: whatever the timing, its reader gets the history that
//! the same run has without a thread, commands do what they say, and dropping
//! it ends it. A watchdog turns a hang into a failure; nothing else here
//! depends on how long anything takes.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::experiment::Experiment;
use gradscape::train::{
    HistoryRow, Outbox, PathPoint, Problem, RunState, Session, Snapshot, TrainCommand, Worker,
};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::time::Duration;

/// Runs `test` and fails if it takes so long that something must hang.
fn watched(test: impl FnOnce() + Send + 'static) {
    let (done, finished) = channel();
    let thread = std::thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match finished.recv_timeout(Duration::from_secs(60)) {
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("hangs"),
        // Ended, well or by a panic of its own.
        _ => thread.join().unwrap(),
    }
}

fn problem(network: &str, data: &str, training: &str) -> Arc<Problem> {
    let text = format!(
        "[data]\n{data}\n[network]\nlayers = [{network}]\nloss = \"cross-entropy\"\n\
         [training]\noptimizer = {{ name = \"sgd\", learning_rate = 0.05 }}\n{training}"
    );
    let experiment = Experiment::parse(&text, "worker.toml").unwrap();
    Arc::new(Problem::new(&experiment).unwrap())
}

fn spiral(training: &str) -> Arc<Problem> {
    problem(
        "{ dense = 6 }",
        "source = \"spiral\"\nsamples = 60\nvalidation = 0.25",
        training,
    )
}

/// One step, and so one row, an epoch, each within microseconds.
fn tiny(epochs: usize) -> Arc<Problem> {
    problem(
        "{ dense = 2 }",
        "source = \"xor\"\nsamples = 4\nvalidation = 0.0",
        &format!("batch = \"full\"\nepochs = {epochs}"),
    )
}

/// An epoch of large steps that takes longer than the watchdog waits, where
/// memory is not far faster than usual; the loss before it is soon computed.
fn endless() -> Arc<Problem> {
    problem(
        "{ dense = 1500 }, { dense = 1500 }",
        "source = \"spiral\"\nsamples = 20000\nvalidation = 0.0",
        "batch = 1\nepochs = 1000",
    )
}

/// A worker and what its reader has found so far.
struct Reader {
    worker: Worker,
    woken: Receiver<()>,
    snapshot: Option<Snapshot>,
    rows: Vec<HistoryRow>,
    points: Vec<PathPoint>,
}

impl Reader {
    fn new(problem: Arc<Problem>) -> Self {
        let (wake, woken) = sync_channel(1);
        let worker = Worker::spawn(problem, move || {
            let _ = wake.try_send(());
        })
        .unwrap();
        Reader {
            worker,
            woken,
            snapshot: None,
            rows: Vec::new(),
            points: Vec::new(),
        }
    }

    fn send(&self, command: TrainCommand) {
        assert!(self.worker.send(command));
    }

    fn read(&mut self) {
        let (snapshot, Outbox { rows, points }) = self.worker.take();
        if let Some(snapshot) = snapshot {
            self.snapshot = Some(snapshot);
        }
        self.rows.extend(rows);
        self.points.extend(points);
    }

    /// Reads until the newest snapshot is as wanted.
    fn until(&mut self, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
        loop {
            self.read();
            if let Some(snapshot) = self.snapshot.as_ref().filter(|s| wanted(s)) {
                return snapshot.clone();
            }
            assert!(self.worker.is_alive());
            self.woken.recv().unwrap();
        }
    }
}

fn written(rows: &[HistoryRow]) -> String {
    rows.iter()
        .map(|row| serde_json::to_string(row).unwrap() + "\n")
        .collect()
}

fn bits(points: &[PathPoint]) -> Vec<(u64, u64, Vec<u32>)> {
    points
        .iter()
        .map(|p| {
            let params = p.params.iter().map(|v| v.to_bits()).collect();
            (p.step, p.loss.to_bits(), params)
        })
        .collect()
}

/// What a run without a thread comes to.
fn alone(problem: Arc<Problem>) -> Outbox {
    let mut session = Session::new(problem);
    session.command(TrainCommand::Start);
    while session.advance() {}
    session.take_outbox()
}

#[test]
fn the_thread_s_history_is_that_of_the_run_alone_whatever_the_timing() {
    watched(|| {
        let problem = spiral("batch = 7\nepochs = 400");
        let expected = alone(Arc::clone(&problem));
        assert_eq!(expected.rows.len(), 401);
        for pause in [0, 3, 40] {
            let mut reader = Reader::new(Arc::clone(&problem));
            reader.send(TrainCommand::Start);
            loop {
                let news = reader.until(|_| true);
                if news.state == RunState::Finished {
                    break;
                }
                std::thread::sleep(Duration::from_millis(pause));
            }
            assert_eq!(written(&reader.rows), written(&expected.rows));
            assert_eq!(bits(&reader.points), bits(&expected.points));
        }
    });
}

#[test]
fn pauses_changes_of_speed_and_single_steps_leave_no_trace_in_the_history() {
    watched(|| {
        let problem = spiral("batch = 7\nepochs = 60");
        let expected = alone(Arc::clone(&problem));
        let mut reader = Reader::new(problem);
        for command in [
            TrainCommand::SetSpeed(Some(300.0)),
            TrainCommand::Start,
            TrainCommand::Pause,
            TrainCommand::Step,
            TrainCommand::Epoch,
            TrainCommand::Start,
            TrainCommand::Step,
            TrainCommand::Step,
            TrainCommand::SetSpeed(None),
            TrainCommand::Start,
        ] {
            reader.send(command);
        }
        reader.until(|s| s.state == RunState::Finished);
        assert_eq!(written(&reader.rows), written(&expected.rows));
        assert_eq!(bits(&reader.points), bits(&expected.points));
    });
}

#[test]
fn a_slow_reader_loses_nothing() {
    const EPOCHS: usize = 300_000;
    watched(|| {
        let mut reader = Reader::new(tiny(EPOCHS));
        reader.send(TrainCommand::Start);
        // Long enough for more rows than may wait.
        std::thread::sleep(Duration::from_millis(1500));
        reader.read();
        assert!(reader.rows.len() < 200_000, "what waits is bounded");
        reader.until(|s| s.state == RunState::Finished);
        assert_eq!(reader.rows.len(), EPOCHS + 1);
        for (epoch, row) in reader.rows.iter().enumerate() {
            assert_eq!(row.epoch, epoch);
        }
        let steps: Vec<_> = reader.points.iter().map(|p| p.step).collect();
        assert!(steps.windows(2).all(|w| w[0] < w[1]));
    });
}

#[test]
fn one_step_is_exactly_one_and_one_epoch_ends_with_the_epoch() {
    watched(|| {
        let mut reader = Reader::new(spiral("batch = 7\nepochs = 50"));
        let steps = 45_u64.div_ceil(7);
        for step in 1..=3 {
            reader.send(TrainCommand::Step);
            let now = reader.until(|s| s.step >= step);
            assert_eq!((now.step, now.state), (step, RunState::Paused));
        }
        for epoch in 1..=3 {
            reader.send(TrainCommand::Epoch);
            let now = reader.until(|s| s.epoch >= epoch && s.state == RunState::Paused);
            assert_eq!((now.epoch, now.step), (epoch, epoch as u64 * steps));
        }
    });
}

#[test]
fn a_pause_stops_and_a_new_step_size_takes_effect_while_running() {
    watched(|| {
        let mut reader = Reader::new(spiral("batch = 7\nepochs = 100000000"));
        reader.send(TrainCommand::Start);
        reader.until(|s| s.state == RunState::Running && s.step > 0);
        reader.send(TrainCommand::SetLearningRate(0.0123));
        let at_change = reader.until(|s| s.learning_rate == 0.0123).step;
        let later = reader.until(|s| s.step > at_change);
        for (update, gradient) in later.update.iter().zip(&*later.gradient) {
            assert!((update + 0.0123 * gradient).abs() < 1e-6);
        }
        assert_eq!(later.state, RunState::Running);

        reader.send(TrainCommand::Pause);
        let paused = reader.until(|s| s.state == RunState::Paused);
        std::thread::sleep(Duration::from_millis(50));
        // Another command brings another snapshot, of the same moment.
        reader.send(TrainCommand::SetLearningRate(0.5));
        let still = reader.until(|s| s.learning_rate == 0.5);
        assert_eq!((still.step, &still.params), (paused.step, &paused.params));
        // A pause during a long epoch that was asked for ends that, too.
        let mut long = Reader::new(endless());
        long.send(TrainCommand::Epoch);
        long.until(|s| s.state == RunState::Running && s.step > 0);
        long.send(TrainCommand::Pause);
        let paused = long.until(|s| s.state == RunState::Paused);
        assert_eq!(paused.epoch, 0);
    });
}

#[test]
fn after_each_reset_history_begins_anew_and_old_rows_never_follow() {
    watched(|| {
        let mut reader = Reader::new(tiny(usize::MAX >> 1));
        for generation in 1..=20 {
            reader.send(TrainCommand::Start);
            if generation % 3 != 0 {
                std::thread::sleep(Duration::from_millis(generation % 7));
                reader.read();
            }
            reader.send(TrainCommand::Reset);
            let before = reader.rows.len();
            let now = reader.until(|s| s.generation == generation);
            let new: Vec<_> = reader.rows[before..].iter().map(|r| r.epoch).collect();
            // The end of the old run, if it was read before the reset, then row 0.
            let start = new.iter().rposition(|&epoch| epoch == 0).unwrap();
            assert_eq!(now.epoch, 0);
            assert_eq!(start + 1, new.len(), "{new:?}");
            assert_eq!(now.state, RunState::Idle);
        }
    });
}

#[test]
fn the_watched_sample_is_reported() {
    watched(|| {
        let problem = spiral("batch = 7\nepochs = 5");
        let mut reader = Reader::new(Arc::clone(&problem));
        let watch = gradscape::train::Watched {
            part: gradscape::train::WatchedPart::Validation,
            index: 3,
        };
        reader.send(TrainCommand::Watch(watch));
        let probe = reader.until(|s| s.probe.watched == watch).probe;
        assert_eq!(probe.input, problem.validation.x.row(3).to_vec());
        assert_eq!(probe.target, problem.validation.y.row(3).to_vec());
        let widths: Vec<_> = probe.a.iter().map(Vec::len).collect();
        assert_eq!(widths, [6, 1]);
        assert!(probe.loss > 0.0);
    });
}

#[test]
fn a_run_that_diverged_can_be_rewound_through_the_thread() {
    watched(|| {
        let problem = problem(
            "{ dense = 5, activation = \"relu\" }",
            "source = \"spiral\"\nsamples = 60",
            "batch = 7\nepochs = 20",
        );
        let mut reader = Reader::new(problem);
        reader.send(TrainCommand::Epoch);
        reader.until(|s| s.epoch == 1 && s.state == RunState::Paused);
        reader.send(TrainCommand::SetLearningRate(1e38));
        reader.send(TrainCommand::Start);
        let diverged = reader.until(|s| s.state == RunState::Diverged);
        assert!(diverged.divergence.is_some());
        assert!(diverged.params.iter().all(|p| p.is_finite()));
        reader.send(TrainCommand::SetLearningRate(0.05));
        reader.send(TrainCommand::Rewind);
        reader.send(TrainCommand::Start);
        let end = reader.until(|s| s.state == RunState::Finished);
        assert_eq!(end.epoch, 20);
    });
}

/// Drops a worker after `prepare` brought it into some state.
fn drop_in(problem: Arc<Problem>, prepare: impl FnOnce(&mut Reader) + Send + 'static) {
    watched(move || {
        let mut reader = Reader::new(problem);
        prepare(&mut reader);
        drop(reader.worker);
    });
}

#[test]
fn dropping_it_at_once_ends_it() {
    drop_in(spiral("epochs = 10"), |_| {});
    drop_in(endless(), |_| {});
}

#[test]
fn dropping_it_while_it_runs_ends_it() {
    drop_in(endless(), |reader| {
        reader.send(TrainCommand::Start);
        reader.until(|s| s.step > 0);
    });
}

#[test]
fn dropping_it_in_the_middle_of_a_single_long_epoch_ends_it() {
    drop_in(endless(), |reader| {
        reader.send(TrainCommand::Epoch);
        reader.until(|s| s.step > 0);
    });
}

#[test]
fn dropping_it_while_it_waits_for_the_next_slow_step_ends_it() {
    drop_in(spiral("batch = 7\nepochs = 10"), |reader| {
        reader.send(TrainCommand::SetSpeed(Some(1e-6)));
        reader.send(TrainCommand::Start);
        reader.until(|s| s.step == 1);
    });
}

#[test]
fn dropping_it_while_nobody_reads_and_commands_pile_up_ends_it() {
    drop_in(tiny(usize::MAX >> 1), |reader| {
        reader.send(TrainCommand::Start);
        std::thread::sleep(Duration::from_millis(800));
        while reader.worker.send(TrainCommand::SetLearningRate(0.05)) {
            std::hint::spin_loop();
        }
    });
}

#[test]
fn dropping_it_when_paused_or_finished_ends_it() {
    drop_in(spiral("epochs = 3"), |reader| {
        reader.send(TrainCommand::Start);
        reader.until(|s| s.state == RunState::Finished);
    });
    drop_in(spiral("epochs = 100000000"), |reader| {
        reader.send(TrainCommand::Start);
        reader.send(TrainCommand::Pause);
        reader.until(|s| s.state == RunState::Paused);
    });
}
