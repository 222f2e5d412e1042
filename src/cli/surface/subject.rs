//! What a surface shows and over which plane: the flags, and what they come to
//! for an experiment at its weights.

use crate::cli::CliError;
use crate::cli::source::Source;
use crate::cli::waypoint::{Place, Waypoint};
use crate::landscape::{
    Directions, DirectionsError, Gauge, Measure, MeasureError, Over, PlaneContext, Quantity, Scope,
    Spanned, span, through_checkpoints,
};
use crate::train::{Samples, batch_of};
use clap::Args;
use std::sync::atomic::AtomicBool;

/// Over which samples, and whether with penalties.
#[derive(Args, Debug, Clone)]
pub struct OverArgs {
    /// Over the samples for `train`ing, those held back for `validation`, or one `batch`
    #[arg(long, value_name = "SAMPLES", default_value = "train")]
    over: Over,
    /// Count the penalties on weights (l1 and l2) as part of the loss
    #[arg(long)]
    penalties: bool,
    /// With --over batch: the batch that a run sees in this step, from 1 [default: 1]
    #[arg(long, value_name = "STEP", value_parser = clap::value_parser!(u64).range(1..))]
    batch_of: Option<u64>,
}

/// Which plane, and what is measured over it.
#[derive(Args, Debug, Clone)]
pub struct SubjectArgs {
    /// Span the plane by two parameters, `weights:I,J`; by filter-normalised `random` directions, `random:SEED`; by the `path` of a run; by eigenvectors of the `hessian`, or `hessian:ends` for its largest and smallest eigenvalue; by the `gradient` and its curvature; or through three steps of a run, `checkpoints:A,B,C`
    #[arg(long, value_name = "DIRECTIONS", default_value = "random", value_parser = directions)]
    directions: Directions,
    /// Span the plane through three places: weight files, steps of a run, `initial`, or `last`
    #[arg(long, num_args = 3, value_names = ["A", "B", "C"], conflicts_with = "directions")]
    checkpoints: Option<Vec<Waypoint>>,
    /// Move these parameters alone: layers, `layers:0,2`, or `parameters:0,5-9`, counted from 0
    #[arg(long, value_name = "SCOPE", default_value = "all")]
    scope: Scope,
    /// Show the mean `loss` or the `accuracy`, the share of right answers
    #[arg(long, value_name = "QUANTITY", default_value = "loss")]
    measure: Quantity,
    #[command(flatten)]
    over: OverArgs,
}

fn directions(text: &str) -> Result<Directions, String> {
    let directions: Directions = text
        .parse()
        .map_err(|error: DirectionsError| error.to_string())?;
    match directions {
        Directions::Weights(i, j) if i == j => Err(DirectionsError::SameParameter(i).to_string()),
        directions => Ok(directions),
    }
}

/// A measure with the samples of its batch, if it is over one.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// The measure.
    pub measure: Measure,
    batch: Option<(u64, Samples)>,
}

impl OverArgs {
    /// Draws the batch that is asked for.
    ///
    /// # Errors
    /// When flags do not go together, or the experiment makes no such step.
    pub fn read(&self, source: &Source, quantity: Quantity) -> Result<Measured, CliError> {
        let measure = Measure {
            quantity,
            over: self.over,
            penalties: self.penalties,
        };
        if self.batch_of.is_some() && self.over != Over::Batch {
            return Err(CliError::Usage(
                "--batch-of goes with --over batch alone".to_owned(),
            ));
        }
        if self.penalties && quantity == Quantity::Accuracy {
            return Err(CliError::Usage(
                "--penalties are part of the loss; an accuracy has none".to_owned(),
            ));
        }
        let problem = &source.problem;
        let batch = (self.over == Over::Batch).then(|| {
            let step = self.batch_of.unwrap_or(1);
            let training = &problem.experiment.training;
            let steps = problem
                .train
                .len()
                .div_ceil(training.batch.size(problem.train.len()).max(1));
            let most = (steps as u64).saturating_mul(training.epochs.max(1) as u64);
            if step > most {
                return Err(CliError::Failed(format!(
                    "--batch-of {step}: the experiment makes {most} steps"
                )));
            }
            let rows = batch_of(problem, problem.experiment.seed, step);
            Ok((step, problem.train.select(&rows)))
        });
        let measured = Measured {
            measure,
            batch: batch.transpose()?,
        };
        measured.gauge(source)?;
        Ok(measured)
    }
}

impl Measured {
    /// The measure of the source's network.
    ///
    /// # Errors
    /// When it has no samples, or no classes to be right about.
    pub fn gauge<'a>(&'a self, source: &'a Source) -> Result<Gauge<'a>, CliError> {
        let batch = self.batch.as_ref().map(|b| &b.1);
        let gauge = Gauge::new(&source.problem, self.measure, batch);
        gauge.map_err(|error: MeasureError| CliError::Failed(error.to_string()))
    }

    /// What is measured, in a few words: `training loss of 250 samples`.
    pub fn words(&self, gauge: &Gauge<'_>) -> String {
        let n = gauge.samples().len();
        let samples = if n == 1 { "sample" } else { "samples" };
        let quantity = match (self.measure.quantity, self.measure.penalties) {
            (Quantity::Accuracy, _) => "accuracy",
            (Quantity::Loss, false) => "loss",
            (Quantity::Loss, true) => "loss with penalties",
        };
        match (self.measure.over, &self.batch) {
            (Over::Validation, _) => format!("validation {quantity} of {n} {samples}"),
            (Over::Batch, Some((step, _))) => {
                format!("{quantity} of step {step}'s batch of {n} {samples}")
            }
            _ => format!("training {quantity} of {n} {samples}"),
        }
    }
}

/// Which plane, and what is measured over it, with all that it takes.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The directions; `None` through `checkpoints`.
    pub directions: Directions,
    /// Three places that the plane goes through, in place of `directions`.
    pub checkpoints: Option<[Place; 3]>,
    /// What moves.
    pub scope: Scope,
    /// What is measured.
    pub measured: Measured,
}

impl SubjectArgs {
    /// Reads the checkpoints and draws the batch that is asked for.
    ///
    /// # Errors
    /// When something cannot be read, or does not go together.
    pub fn read(&self, source: &Source) -> Result<Subject, CliError> {
        let places = match &self.checkpoints {
            None => None,
            Some(names) => {
                let places: Result<Vec<Place>, CliError> =
                    names.iter().map(|name| name.find(source)).collect();
                <[Place; 3]>::try_from(places?).ok()
            }
        };
        Ok(Subject {
            directions: self.directions,
            checkpoints: places,
            scope: self.scope.clone(),
            measured: self.over.read(source, self.measure)?,
        })
    }
}

impl Subject {
    /// The mean data loss over the training part along `directions`.
    pub fn along(directions: Directions) -> Self {
        Subject {
            directions,
            checkpoints: None,
            scope: Scope::Whole,
            measured: Measured::default(),
        }
    }

    /// The plane through the source's weights, or through the checkpoints.
    ///
    /// # Errors
    /// When there is no such plane, or it is interrupted.
    pub fn span(&self, source: &Source, cancel: &AtomicBool) -> Result<Spanned, CliError> {
        if let Some(places) = &self.checkpoints {
            let layout = source.problem.network.layout();
            let points = places.each_ref().map(|p| p.params.as_slice());
            return Ok(through_checkpoints(layout, points, &self.scope)?);
        }
        if self.directions.need_path() && source.path.is_empty() {
            return Err(CliError::Failed(format!(
                "--directions {} needs a folder that `train` wrote, with the run's path in it",
                self.directions
            )));
        }
        let spanned = span(&PlaneContext {
            gauge: self.measured.gauge(source)?,
            center: &source.params,
            path: &source.path,
            directions: self.directions,
            scope: &self.scope,
            cancel,
        });
        match spanned {
            Err(DirectionsError::Cancelled) => Err(CliError::Failed(
                "interrupted; nothing is written".to_owned(),
            )),
            spanned => Ok(spanned?),
        }
    }
}
