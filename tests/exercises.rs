//! Every exercise: its start does not do, a right answer does, a wrong one does not, and
//! what would do by other means is refused. The answers are in `exercises.toml`.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::experiment::Experiment;
use gradscape::lesson::{Attempt, Exercise, Short, Verdict};
use gradscape::train::{History, Problem, RunState, Session, TrainCommand};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    right: toml::Table,
    wrong: toml::Table,
    #[serde(default)]
    cheat: Option<toml::Table>,
}

fn answers() -> BTreeMap<String, Answers> {
    toml::from_str(include_str!("exercises.toml")).unwrap()
}

/// Puts `value` where the dotted `key` says.
fn set(table: &mut toml::Table, key: &str, value: &toml::Value) {
    let mut steps: Vec<&str> = key.split('.').collect();
    let last = steps.pop().unwrap();
    let mut at = table;
    for step in steps {
        let (name, index) = match step.split_once('[') {
            Some((name, index)) => (name, index.strip_suffix(']').unwrap().parse().ok()),
            None => (step, None::<usize>),
        };
        let empty = || toml::Value::Table(toml::Table::new());
        let next = at.entry(name).or_insert_with(empty);
        let next = match index {
            Some(index) => &mut next.as_array_mut().unwrap()[index],
            None => next,
        };
        at = next.as_table_mut().unwrap();
    }
    at.insert(last.to_owned(), value.clone());
}

/// The start with these changes, run as the window would run it.
fn attempt(exercise: &Exercise, changes: &toml::Table) -> Verdict {
    let mut table = toml::Table::try_from(&exercise.experiment).unwrap();
    let mut weights = None;
    for (key, value) in changes {
        if key == "weights" {
            let numbers = value.as_array().unwrap().iter();
            let number = |v: &toml::Value| v.as_float().unwrap() as f32;
            weights = Some(numbers.map(number).collect::<Vec<f32>>());
        } else {
            set(&mut table, key, value);
        }
    }
    let experiment = Experiment::parse(&table.to_string(), &exercise.name).unwrap();
    let problem = Arc::new(Problem::new(&experiment).unwrap());
    let mut session = Session::new(Arc::clone(&problem));
    if let Some(weights) = weights {
        session.command(TrainCommand::SetParams(weights.into()));
    }
    let mut history = History::default();
    let epochs = exercise.goal.within_epochs;
    for _ in 0..epochs.unwrap_or(experiment.training.epochs.max(200)) {
        session.command(TrainCommand::Epoch);
        if session.state() == RunState::Diverged || session.stop().is_some() {
            break;
        }
    }
    let news = session.take_outbox();
    news.rows.into_iter().for_each(|row| history.push(row));
    exercise.judge(&Attempt {
        experiment: &problem.experiment,
        network: &problem.network,
        snapshot: &session.snapshot(),
        rows: history.rows(),
    })
}

#[test]
fn a_right_answer_solves_each_exercise_and_neither_its_start_nor_a_wrong_one_does() {
    let answers = answers();
    let exercises = Exercise::all().unwrap();
    assert_eq!(exercises.len(), answers.len());
    for exercise in &exercises {
        let name = &exercise.name;
        let theirs = &answers[name];
        let start = attempt(exercise, &toml::Table::new());
        assert!(
            matches!(start, Verdict::Open(_)),
            "{name}, start: {start:?}"
        );
        let right = attempt(exercise, &theirs.right);
        assert!(matches!(right, Verdict::Solved { .. }), "{name}: {right:?}");
        let wrong = attempt(exercise, &theirs.wrong);
        assert!(
            matches!(wrong, Verdict::Open(_)),
            "{name}, wrong: {wrong:?}"
        );
    }
}

#[test]
fn what_may_not_be_changed_is_refused_by_its_key() {
    let answers = answers();
    let mut seen = 0;
    for exercise in &Exercise::all().unwrap() {
        let Some(cheat) = &answers[&exercise.name].cheat else {
            continue;
        };
        let verdict = attempt(exercise, cheat);
        let Verdict::Forbidden(keys) = verdict else {
            panic!("{}: {verdict:?}", exercise.name);
        };
        assert!(!keys.is_empty());
        seen += 1;
    }
    assert!(seen >= 10, "{seen} exercises have a cheat");
}

#[test]
fn what_is_missing_is_said_with_its_figures() {
    let exercises = Exercise::all().unwrap();
    let fast = exercises.iter().find(|e| e.name == "fast").unwrap();
    let Verdict::Open(short) = attempt(fast, &toml::Table::new()) else {
        panic!("the start does not do");
    };
    let [Short::Figure { best, wanted, .. }] = short[..] else {
        panic!("{short:?}");
    };
    assert_eq!(Some(wanted), fast.goal.train_loss);
    assert!(best.unwrap() > wanted);
    let spiral = exercises.iter().find(|e| e.name == "spiral").unwrap();
    let wrong = attempt(spiral, &answers()["spiral"].wrong);
    let Verdict::Open(short) = wrong else {
        panic!("too many neurons do not do");
    };
    assert!(matches!(
        short[..],
        [Short::HiddenNeurons { now: 32, most: 8 }]
    ));
}

#[test]
fn texts_are_there_in_both_languages() {
    for exercise in &Exercise::all().unwrap() {
        let texts = [
            &exercise.title,
            &exercise.task,
            &exercise.hint,
            &exercise.solved,
        ];
        for text in texts {
            assert!(!text.en.trim().is_empty(), "{}", exercise.name);
            let chinese = |c: char| ('\u{4e00}'..'\u{9fff}').contains(&c);
            assert!(
                text.zh.chars().any(chinese),
                "{}: {}",
                exercise.name,
                text.zh
            );
        }
    }
}
