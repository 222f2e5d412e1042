//! A run into its file and out of it again.

mod branches;

use super::*;
use crate::experiment::Experiment;
use crate::train::{Observer, Problem, RunState, Session, TrainCommand};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

fn problem(training: &str) -> Arc<Problem> {
    let text = format!(
        "name = \"small moons\"\nseed = 9223372036854775807\n[data]\nsource = \"moons\"\n\
         samples = 60\n[network]\nlayers = [{{ dense = 4, activation = \"tanh\" }}]\n\
         loss = \"cross-entropy\"\n[training]\nbatch = 7\n{training}"
    );
    Arc::new(Problem::new(&Experiment::parse(&text, "t").unwrap()).unwrap())
}

/// A clock that goes on by a second each time somebody looks.
fn clock() -> Clock {
    let time = Mutex::new(1_000_000);
    Arc::new(move || {
        let mut time = time.lock().unwrap();
        *time += 1000;
        *time
    })
}

/// A session whose run is recorded into `path` on a thread.
fn recorded(path: &Path, problem: &Arc<Problem>, options: TapOptions) -> (Session, Recording) {
    let mut session = Session::new(Arc::clone(problem));
    let plan = options.plan(problem);
    let start = RunStart::of(problem, "the-id", 5_000);
    let base = path.to_owned();
    let mut files = 0;
    let make: MakeRecorder = Box::new(move |seed| {
        files += 1;
        let path = match files {
            1 => base.clone(),
            n => base.with_file_name(format!("again-{n}.gsrun")),
        };
        Recorder::create(
            &path,
            &RunStart {
                id: format!("id-{files}"),
                seed,
                ..start.clone()
            },
            &plan,
        )
    });
    let (recording, sink) = Recording::spawn(Arc::clone(problem), make, false, 3, clock()).unwrap();
    session.observe(Box::new(Tap::new(&session, options, clock(), sink)));
    (session, recording)
}

fn finish(mut session: Session, recording: Recording) -> RecordingStatus {
    drop(session.unobserve());
    let status = recording.join();
    assert_eq!(status.error, None);
    status
}

fn file(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("run.gsrun")
}

#[test]
fn everything_of_a_run_comes_back_and_weights_to_the_bit() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let problem = problem("epochs = 5");
    let (mut session, recording) = recorded(&path, &problem, TapOptions::default());
    let mut weights = vec![session.trainer().params().to_vec()];
    let mut metrics = Vec::new();
    session.command(TrainCommand::Start);
    session.command(TrainCommand::SetLearningRate(0.02));
    while session.advance() {
        let trainer = session.trainer();
        weights.push(trainer.params().to_vec());
        metrics.push((
            trainer.batch_loss(),
            trainer.last_rate(),
            trainer.gradient_norm(),
        ));
    }
    assert_eq!(session.state(), RunState::Finished);
    let rows = session.take_outbox().rows;
    let points = session.trajectory().points().to_vec();
    let status = finish(session, recording);
    let last = weights.len() as u64 - 1;
    assert_eq!(
        status.committed,
        Committed {
            step: last,
            snapshot: Some(last)
        }
    );

    let run = RunFile::open(&path).unwrap();
    let info = run.info();
    assert_eq!(
        (info.name.as_str(), info.state),
        ("small moons", SavedState::Finished)
    );
    assert_eq!((info.id.as_str(), info.seed), ("id-1", i64::MAX as u64));
    assert_eq!(info.parameters, problem.network.layout().len());
    assert!(info.finished_ms > Some(info.created_ms));
    assert_eq!(info.environment["gradscape"], env!("CARGO_PKG_VERSION"));
    assert_eq!(info.thinning.len(), 3);
    assert_eq!(run.experiment().unwrap(), problem.experiment);
    assert_eq!(run.epochs().unwrap(), rows);
    assert_eq!(run.last_epoch().unwrap(), rows.last().copied());
    assert_eq!(run.last_step().unwrap(), last);
    let steps = run.steps(usize::MAX).unwrap();
    let read: Vec<_> = steps
        .iter()
        .map(|s| (s.loss.unwrap(), s.learning_rate.unwrap(), s.gradient_norm))
        .collect();
    assert_eq!(read, metrics);
    assert!(run.steps(7).unwrap().len() <= 7);
    for step in run.snapshot_steps().unwrap() {
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let read = run.snapshot(step).unwrap();
        assert_eq!(bits(&read), bits(&weights[step as usize]), "step {step}");
    }
    for step in [0, 1, 2, 4, last] {
        assert!(run.snapshot_steps().unwrap().contains(&step), "{step}");
    }
    let kinds: Vec<EventKind> = run.events().unwrap().into_iter().map(|e| e.kind).collect();
    use EventKind as K;
    assert_eq!(kinds, [K::Started, K::RateChanged, K::Finished]);
    let replay = Replay::load(&run, &problem).unwrap();
    assert_eq!(replay.rows, rows);
    let common = points.iter().filter(|point| {
        let found = replay.points.iter().find(|p| p.step == point.step);
        found.is_some_and(|p| p.params == point.params && p.loss == point.loss)
    });
    assert_eq!(common.count(), points.len());
}

#[test]
fn a_run_that_is_being_recorded_can_be_read_and_tagged() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let problem = problem("epochs = 3");
    let (mut session, recording) = recorded(&path, &problem, TapOptions::default());
    session.command(TrainCommand::Step);
    session.command(TrainCommand::Step);
    let (at, reader) = loop {
        // The first commit comes when the thread gets to it.
        if let Ok(run) = RunFile::open(&path)
            && let at @ 1.. = run.last_step().unwrap()
        {
            break (at, run);
        }
        std::thread::yield_now();
    };
    assert!(at <= 2 && reader.info().state == SavedState::Open);
    let notes = RunNotes::open(&path).unwrap();
    notes.tag("first").unwrap();
    notes.tag("a").unwrap();
    notes.tag("first").unwrap();
    notes.comment("said \"so\"; and more").unwrap();
    notes.rename("moons by hand").unwrap();
    notes.tag("gone").unwrap();
    notes.untag("gone").unwrap();
    drop(notes);
    session.command(TrainCommand::Start);
    while session.advance() {}
    finish(session, recording);
    assert!(reader.last_step().unwrap() > 2);
    let info = RunFile::open(&path).unwrap().info().clone();
    assert_eq!(info.tags, ["a", "first"]);
    assert_eq!(info.comment, "said \"so\"; and more");
    assert_eq!(info.name, "moons by hand");
    let seen = Catalogue::at(dir.path()).list(5).unwrap();
    assert_eq!(seen.runs.len(), 1);
    assert_eq!(seen.runs[0].last.unwrap().epoch, 3);
    assert!(seen.bytes > 0 && seen.bytes == seen.runs[0].bytes);
    let runs = Catalogue::at(dir.path());
    for text in ["run", "ru", "moons by hand"] {
        assert_eq!(runs.find(text).unwrap().path, path);
    }
    catalogue::remove(&path).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_start_over_is_another_run_and_what_was_taken_back_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let problem = problem("epochs = 4");
    let (mut session, recording) = recorded(&path, &problem, TapOptions::default());
    session.command(TrainCommand::Epochs(3));
    let late = session.trainer().steps();
    session.command(TrainCommand::Rewind);
    let early = session.trainer().steps();
    assert!(early < late);
    session.command(TrainCommand::Step);
    let params: Arc<[f32]> = vec![0.25; session.trainer().params().len()].into();
    session.command(TrainCommand::SetParams(Arc::clone(&params)));
    session.command(TrainCommand::Reseed(5));
    session.command(TrainCommand::Epoch);
    let second = session.trainer().params().to_vec();
    // Too short to be kept.
    session.command(TrainCommand::Reset);
    session.command(TrainCommand::Step);
    finish(session, recording);

    let run = RunFile::open(&path).unwrap();
    assert_eq!(run.info().state, SavedState::Interrupted);
    assert_eq!(run.last_step().unwrap(), early + 1);
    assert_eq!(run.snapshot(u64::MAX).unwrap(), *params);
    let events = run.events().unwrap();
    let kinds: Vec<&EventKind> = events.iter().map(|e| &e.kind).collect();
    use EventKind as K;
    assert_eq!(kinds, [&K::Rewound, &K::WeightsSet, &K::Interrupted]);
    assert_eq!(events[0].detail["from"], late);
    let replay = Replay::load(&run, &problem).unwrap();
    assert!(!replay.jumps.joins(early, early + 1) && replay.jumps.joins(0, early));

    let again = RunFile::open(&dir.path().join("again-2.gsrun")).unwrap();
    assert_eq!(again.info().seed, 5);
    assert_eq!(again.snapshot(u64::MAX).unwrap(), second);
    assert!(again.snapshot_steps().unwrap().starts_with(&[0, 1, 2]));
    assert!(!dir.path().join("again-3.gsrun").exists());
}

#[test]
fn a_divergence_is_recorded_with_its_place_and_its_diagnosis() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let problem = problem("epochs = 40\noptimizer = { name = \"sgd\", learning_rate = 1e38 }");
    let (mut session, recording) = recorded(&path, &problem, TapOptions::default());
    session.command(TrainCommand::Start);
    while session.advance() {}
    assert_eq!(session.state(), RunState::Diverged);
    let (step, params) = (
        session.trainer().steps(),
        session.trainer().params().to_vec(),
    );
    finish(session, recording);
    let run = RunFile::open(&path).unwrap();
    assert_eq!(run.info().state, SavedState::Diverged);
    assert_eq!(run.last_step().unwrap(), step);
    assert_eq!(run.snapshot(step).unwrap(), params);
    let event = run.events().unwrap().pop().unwrap();
    assert_eq!(event.kind, EventKind::Diverged);
    assert_eq!(event.detail["step"], step + 1);
    let findings = run.findings().unwrap();
    assert!(
        findings
            .iter()
            .any(|f| f.kind == crate::insight::diagnosis::Kind::Divergence),
        "{findings:?}"
    );
}

#[test]
fn weights_stay_within_their_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let problem = problem("epochs = 60");
    let each = 4 * problem.network.layout().len() as u64;
    let options = TapOptions {
        snapshot_every: Some(1),
        snapshot_bytes: 10 * each,
    };
    let (mut session, recording) = recorded(&path, &problem, options);
    session.command(TrainCommand::Start);
    while session.advance() {}
    let last = session.trainer().steps();
    finish(session, recording);
    let run = RunFile::open(&path).unwrap();
    let steps = run.snapshot_steps().unwrap();
    assert!(
        steps.len() <= 10 && steps.contains(&0) && steps.contains(&last),
        "{steps:?}"
    );
    let rule = run.info().thinning.iter().find(|t| t.what == "snapshots");
    let rule = rule.unwrap();
    assert!(rule.every > 1 && rule.most == 10, "{rule:?}");
    assert!(run.steps(usize::MAX).unwrap().len() as u64 == last);
    // What the optimiser had gathered takes half as much at most.
    let memories = run.memory_steps().unwrap();
    assert!(memories.contains(&last) && memories.iter().all(|step| steps.contains(step)));
    let bytes = |step: &u64| run.memory(*step).unwrap().unwrap().bytes.len() as u64;
    assert!(memories.len() == 1 || memories.iter().map(bytes).sum::<u64>() <= 5 * each);
}

/// What a file of the first version was.
fn write_first_version(path: &Path) {
    let db = Connection::open(path).unwrap();
    schema::migrate_to(&db, 0, 1).unwrap();
    db.execute_batch(
        "INSERT INTO run VALUES ('old', 'an old one', 'finished', 1, 2, 3, '7', 'xor',
             '[data]\nsource = \"xor\"\n[network]\nloss = \"cross-entropy\"\n', 3, 100, 0, 4,
             NULL, NULL);
         INSERT INTO thinning VALUES ('steps', 1, 10, 'all');
         INSERT INTO epochs VALUES (0, 0, 1, 0.5, NULL, NULL, NULL, 0.1, NULL);
         INSERT INTO snapshots VALUES (0, 0, 0.5, x'0000803f00000040cdcc4c3e');",
    )
    .unwrap();
}

#[test]
fn an_older_file_is_brought_up_to_date_a_newer_one_refused_and_a_strangers_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    write_first_version(&path);
    let run = RunFile::open(&path).unwrap();
    assert_eq!(
        (run.info().schema, run.info().name.as_str()),
        (1, "an old one")
    );
    assert_eq!(run.snapshot(9).unwrap(), [1.0, 2.0, 0.2]);
    assert!(run.findings().unwrap().is_empty() && run.info().tags.is_empty());
    drop(run);
    RunNotes::open(&path).unwrap().tag("kept").unwrap();
    let run = RunFile::open(&path).unwrap();
    assert_eq!(
        (run.info().schema, &*run.info().tags),
        (schema::VERSION, &["kept".to_owned()][..])
    );
    drop(run);

    // One of the second version, as it was before optimisers' states were kept.
    let second = dir.path().join("second.gsrun");
    write_first_version(&second);
    let db = Connection::open(&second).unwrap();
    schema::migrate_to(&db, 1, 2).unwrap();
    db.execute_batch("INSERT INTO tags VALUES ('old')").unwrap();
    drop(db);
    let run = RunFile::open(&second).unwrap();
    assert_eq!((run.info().schema, run.info().tags.len()), (2, 1));
    assert!(run.info().watched.is_none() && run.told().unwrap().is_empty());
    let place = run.place(0).unwrap();
    assert!(place.memory.is_none() && run.memory_steps().unwrap().is_empty());
    drop(run);
    assert_eq!(
        RunFile::open(&second).unwrap().info().schema,
        schema::VERSION
    );

    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let error = RunFile::open(&path).unwrap_err().to_string();
    assert!(
        error.contains("schema 99") && error.contains("newer gradscape"),
        "{error}"
    );
    assert!(RunNotes::open(&path).is_err());

    let strange = dir.path().join("notes.gsrun");
    let db = Connection::open(&strange).unwrap();
    db.execute_batch("CREATE TABLE notes (text); PRAGMA user_version = 1;")
        .unwrap();
    drop(db);
    let before = std::fs::read(&strange).unwrap();
    assert!(matches!(
        RunFile::open(&strange),
        Err(RunError::NotARun { .. })
    ));
    assert!(RunNotes::open(&strange).is_err());
    assert_eq!(std::fs::read(&strange).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn a_run_in_a_folder_that_cannot_be_written_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let old = file(&dir);
    write_first_version(&old);
    let new = dir.path().join("new.gsrun");
    let problem = problem("epochs = 1");
    let (mut session, recording) = recorded(&new, &problem, TapOptions::default());
    session.command(TrainCommand::Epoch);
    finish(session, recording);
    let mode = std::fs::Permissions::from_mode;
    std::fs::set_permissions(&old, mode(0o444)).unwrap();
    std::fs::set_permissions(&new, mode(0o444)).unwrap();
    std::fs::set_permissions(dir.path(), mode(0o555)).unwrap();
    let read = (RunFile::open(&old), RunFile::open(&new));
    std::fs::set_permissions(dir.path(), mode(0o755)).unwrap();
    assert_eq!(read.0.unwrap().snapshot(0).unwrap(), [1.0, 2.0, 0.2]);
    assert!(read.1.unwrap().last_step().unwrap() > 0);
}

#[test]
fn damaged_files_are_refused_with_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    write_first_version(&path);
    let change = |sql: &str| {
        let db = Connection::open(&path).unwrap();
        db.execute_batch(sql).unwrap();
    };
    change("UPDATE snapshots SET params = x'00'");
    let error = RunFile::open(&path).unwrap().snapshot(0).unwrap_err();
    assert!(error.to_string().contains("1 bytes"), "{error}");
    change("UPDATE run SET parameters = -1");
    assert!(
        RunFile::open(&path)
            .unwrap_err()
            .to_string()
            .contains("-1 parameters")
    );
    change("UPDATE run SET parameters = 3, state = 'asleep'");
    assert!(
        RunFile::open(&path)
            .unwrap_err()
            .to_string()
            .contains("asleep")
    );
    change("DELETE FROM run");
    assert!(
        RunFile::open(&path)
            .unwrap_err()
            .to_string()
            .contains("empty")
    );
    let whole = std::fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(1024) {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(RunFile::open(&path).is_err(), "{length}");
    }
}

#[test]
fn whoever_is_told_nothing_costs_nothing_and_a_full_disk_ends_the_recording_alone() {
    let dir = tempfile::tempdir().unwrap();
    let problem = problem("epochs = 2");
    let mut session = Session::new(Arc::clone(&problem));
    let make: MakeRecorder = Box::new(|_| Err(RunError::Unknown("no space".to_owned())));
    let (recording, sink) = Recording::spawn(Arc::clone(&problem), make, true, 0, clock()).unwrap();
    session.observe(Box::new(Tap::new(
        &session,
        TapOptions::default(),
        clock(),
        sink,
    )));
    session.command(TrainCommand::Start);
    while session.advance() {}
    assert_eq!(session.state(), RunState::Finished);
    drop(session.unobserve());
    assert_eq!(recording.join().error.as_deref(), Some("no space"));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    fn is_an_observer<T: Observer>() {}
    is_an_observer::<Tap>();
}
