//! A run that goes on from a place of another one is that run, bit for bit.

use super::*;
use crate::experiment::{OptimizerConfig, OptimizerName};
use crate::train::Resumption;

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn of(network: &str, training: &str) -> Experiment {
    let text = format!(
        "seed = 5\n[data]\nsource = \"moons\"\nsamples = 90\nvalidation = 0.3\n[network]\n\
         {network}\n[training]\nbatch = 10\nepochs = 8\n{training}"
    );
    Experiment::parse(&text, "t").unwrap()
}

/// Records a run with weights at every step, branches from some of them, and compares all
/// weights that follow.
fn branches_are_the_run(what: &str, experiment: &Experiment) {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let problem = Arc::new(Problem::new(experiment).unwrap());
    let options = TapOptions {
        snapshot_every: Some(1),
        ..TapOptions::default()
    };
    let (mut session, recording) = recorded(&path, &problem, options);
    session.command(TrainCommand::Start);
    while session.advance() {}
    let (last, end) = (session.trainer().steps(), session.state());
    finish(session, recording);
    let run = RunFile::open(&path).unwrap();
    let steps = run.snapshot_steps().unwrap();
    assert_eq!(steps, (0..=last).collect::<Vec<u64>>(), "{what}");
    assert_eq!(run.memory_steps().unwrap(), steps[1..], "{what}");
    for from in [0, 1, last / 3, last / 2, last - 1] {
        let place = run.place(from).unwrap();
        let mut branch = Session::resume(Arc::clone(&problem), place).unwrap();
        assert_eq!(branch.recalls(), from > 0, "{what} from {from}");
        branch.command(TrainCommand::Start);
        let mut compared = 0;
        while branch.advance() {
            let step = branch.trainer().steps();
            let expected = run.snapshot(step).unwrap();
            let found = bits(branch.trainer().params());
            assert_eq!(found, bits(&expected), "{what} from {from}, step {step}");
            compared += 1;
        }
        // A last call may find that there is no further step.
        assert!(compared >= last - from, "{what} from {from}: {compared}");
        assert_eq!((branch.trainer().steps(), branch.state()), (last, end));
    }
}

#[test]
fn with_every_optimiser() {
    let network = "layers = [{ dense = 4, activation = \"tanh\" }]\nloss = \"half-squared-error\"";
    for name in OptimizerName::ALL {
        let mut experiment = of(network, "");
        experiment.training.optimizer = OptimizerConfig::new(name, 0.02);
        let name = experiment.training.optimizer.kind().name();
        branches_are_the_run(name, &experiment);
    }
}

#[test]
fn with_what_watches_the_losses_and_with_layers_that_chance_changes() {
    let plain = "layers = [{ dense = 4, activation = \"tanh\" }]\nloss = \"cross-entropy\"";
    let chance = "layers = [{ dense = 6 }, { kind = \"batch_norm\" }, { dropout = 0.3 }]\n\
                  loss = \"cross-entropy\"";
    let adam = "optimizer = { name = \"adam\", learning_rate = 0.3 }\n";
    for (network, training) in [
        (
            plain,
            "schedule = { name = \"plateau\", patience = 0, cooldown = 1, factor = 0.5 }",
        ),
        (plain, "schedule = { name = \"one-cycle\" }"),
        (plain, "early_stopping = { patience = 1, min_delta = 0.01 }"),
        (plain, "label_smoothing = 0.1\nclip_norm = 0.5\nl2 = 0.01"),
        (chance, ""),
    ] {
        branches_are_the_run(training, &of(network, &format!("{adam}{training}")));
    }
}

#[test]
fn a_rate_that_was_changed_on_the_way_goes_on_unless_the_branch_has_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let problem = problem("epochs = 3");
    let (mut session, recording) = recorded(&path, &problem, TapOptions::default());
    session.command(TrainCommand::Epoch);
    session.command(TrainCommand::SetLearningRate(0.125));
    session.command(TrainCommand::Epoch);
    let step = session.trainer().steps();
    finish(session, recording);
    let run = RunFile::open(&path).unwrap();
    let at = |experiment: &Experiment| {
        let problem = Arc::new(Problem::new(experiment).unwrap());
        Session::resume(problem, run.place(step).unwrap()).unwrap()
    };
    let mut experiment = problem.experiment.clone();
    assert_eq!(at(&experiment).trainer().base_rate(), 0.125);
    experiment.training.optimizer.learning_rate = 0.25;
    let branch = at(&experiment);
    assert!(branch.recalls() && branch.trainer().base_rate() == 0.25);
    experiment.training.optimizer = OptimizerConfig::new(OptimizerName::Momentum, 0.1);
    assert!(!at(&experiment).recalls());
}

#[test]
fn what_is_no_memory_of_the_optimiser_is_passed_over() {
    let problem = problem("epochs = 3");
    let mut session = Session::new(Arc::clone(&problem));
    session.command(TrainCommand::Epoch);
    let trainer = session.trainer();
    let memory = trainer.memory();
    let place = |bytes: &[u8]| Resumption {
        seed: trainer.seed(),
        epoch: trainer.epoch(),
        step: trainer.steps(),
        params: trainer.params().into(),
        rows: Vec::new(),
        points: Vec::new(),
        jumps: crate::train::Jumps::default(),
        memory: Some(crate::train::SavedMemory {
            bytes: bytes.into(),
            ..memory.clone()
        }),
    };
    let recalls = |bytes: &[u8]| {
        let session = Session::resume(Arc::clone(&problem), place(bytes)).unwrap();
        session.recalls()
    };
    assert!(recalls(&memory.bytes));
    for length in 0..memory.bytes.len() {
        assert!(!recalls(&memory.bytes[..length]), "{length}");
    }
    let longer = [&memory.bytes[..], &[0]].concat();
    assert!(!recalls(&longer));
    // A length that is not that of the network.
    let mut other = memory.bytes.to_vec();
    let at = 4 + 8 + 8 + 8;
    other[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(!recalls(&other));
}
