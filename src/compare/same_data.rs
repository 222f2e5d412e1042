//! An experiment on another one's data.

use crate::experiment::Experiment;
use crate::train::Problem;

/// Why two networks cannot stand side by side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unlike {
    /// They take other inputs or give other outputs.
    #[error(
        "it has {own:?} inputs and outputs, the first has {first:?}: networks side by side \
         learn the same data"
    )]
    Ends {
        /// Inputs and outputs of the one beside.
        own: [usize; 2],
        /// And of the first.
        first: [usize; 2],
    },
    /// It cannot be built or its data cannot be had.
    #[error("{0}")]
    Broken(String),
}

/// `experiment` with the data, the seed and the batches of `first`, so that both see the
/// same samples in the same order: structure, loss, optimiser, rate, penalties and
/// schedule stay its own.
///
/// # Errors
/// When no network can be made of that.
pub fn beside(experiment: &Experiment, first: &Problem) -> Result<Problem, Unlike> {
    let mut experiment = experiment.clone();
    experiment.data = first.experiment.data.clone();
    experiment.base = first.experiment.base.clone();
    experiment.seed = first.experiment.seed;
    experiment.training.batch = first.experiment.training.batch;
    experiment.training.epochs = first.experiment.training.epochs;
    let input = first.experiment.network.input;
    experiment.network.input = experiment.network.input.or(input);
    let broken = |error: &dyn std::fmt::Display| Unlike::Broken(error.to_string());
    experiment.validate().map_err(|error| broken(&error))?;
    let problem = Problem::new(&experiment).map_err(|error| broken(&error))?;
    let ends = |problem: &Problem| [problem.network.inputs(), problem.network.outputs()];
    match (ends(&problem), ends(first)) {
        (own, first) if own == first => Ok(problem),
        (own, first) => Err(Unlike::Ends { own, first }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Problem {
        Problem::new(&Experiment::parse(text, "t.toml").unwrap()).unwrap()
    }

    const FIRST: &str = "seed = 4\n[data]\nsource = \"moons\"\nsamples = 80\n\
        [network]\nlayers = [{ dense = 4 }]\nloss = \"cross-entropy\"\n\
        [training]\nbatch = 8\nepochs = 3\n";

    #[test]
    fn a_network_beside_another_has_its_samples_and_batches_and_its_own_layers() {
        let first = problem(FIRST);
        let other = Experiment::parse(
            &FIRST
                .replace("seed = 4", "seed = 9")
                .replace("dense = 4", "dense = 7")
                .replace("batch = 8", "batch = 5"),
            "o.toml",
        )
        .unwrap();
        let other = beside(&other, &first).unwrap();
        assert_eq!(other.train.x, first.train.x);
        assert_eq!(other.validation.y, first.validation.y);
        assert_eq!(other.experiment.seed, 4);
        let size = |problem: &Problem| problem.experiment.training.batch.size(64);
        assert_eq!(size(&other), size(&first));
        assert_eq!(other.network.layers()[0].outputs(), 7);
    }

    #[test]
    fn what_cannot_be_built_on_the_data_says_why() {
        let first = problem(FIRST);
        let with = |layers: &str| {
            let text = FIRST.replace("{ dense = 4 }", layers);
            beside(&Experiment::parse(&text, "o.toml").unwrap(), &first)
        };
        // Two inputs are no image that a window of five could move over.
        let windows = "{ conv = 2, kernel = 5 }";
        let error = with(windows).unwrap_err();
        assert!(
            matches!(&error, Unlike::Broken(why) if why.contains('5')),
            "{error}"
        );
        let deeper = with("{ dense = 3 }, { dense = 3 }").unwrap();
        assert_eq!(deeper.network.widths(), [2, 3, 3, 1]);
    }
}
