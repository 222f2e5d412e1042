//! Every combination of the values of several settings, checked beforehand.

use super::SearchError;
use super::datasets::Datasets;
use super::vary::{Vary, value_text};
use crate::experiment::{Experiment, ExperimentError};
use crate::train::Problem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use toml::{Table, Value};

/// The most runs of one search.
pub const MOST_RUNS: usize = 10_000;

/// One combination.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its number, from 1.
    pub run: usize,
    /// One value for each setting that is varied, in their order.
    pub values: Vec<Value>,
    /// The experiment with these values.
    pub experiment: Experiment,
}

impl Case {
    /// The values as text, for tables.
    pub fn texts(&self) -> Vec<String> {
        self.values.iter().map(value_text).collect()
    }
}

/// A grid of experiments.
#[derive(Debug)]
pub struct Plan {
    base: Experiment,
    vary: Vec<Vary>,
    cases: Vec<Case>,
    datasets: Datasets,
}

impl Plan {
    /// All combinations of `vary` around `base`; the last setting runs fastest.
    /// Every one is validated, its data is loaded and its network built once, so
    /// that no mistake waits until its run's turn.
    ///
    /// # Errors
    /// When a key does not exist, a value is not allowed (with the experiment's
    /// own message), a key is given twice, or there are too many combinations.
    pub fn new(base: &Experiment, vary: &[Vary]) -> Result<Self, SearchError> {
        let plain = |error: toml::ser::Error| SearchError::Table(error.to_string());
        let table = Table::try_from(base).map_err(plain)?;
        let mut vary = vary.to_vec();
        vary.iter_mut().for_each(|v| v.fit(&table));
        for (i, later) in vary.iter().enumerate() {
            if let Some(earlier) = vary[..i].iter().find(|v| later.hides(v)) {
                return Err(SearchError::Key {
                    key: later.key().to_owned(),
                    message: match earlier.key() == later.key() {
                        true => "is given twice; give all its values in one list".to_owned(),
                        false => format!("would replace {}; give it first", earlier.key()),
                    },
                });
            }
        }
        let count = count_runs(&vary)?;
        let cases = (0..count)
            .map(|index| case(base, &table, &vary, index))
            .collect::<Result<Vec<_>, _>>()?;
        let datasets = Datasets::load(&cases).map_err(|(index, source)| SearchError::Case {
            with: setting(&vary, &cases[index].values),
            source,
        })?;
        Ok(Plan {
            base: base.clone(),
            vary,
            cases,
            datasets,
        })
    }

    /// What is varied around.
    pub fn base(&self) -> &Experiment {
        &self.base
    }

    /// The settings, with the values they take.
    pub fn vary(&self) -> &[Vary] {
        &self.vary
    }

    /// All combinations.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// A combination in words: `training.batch=8, seed=3`.
    pub fn describe(&self, case: &Case) -> String {
        setting(&self.vary, &case.values)
    }

    /// A combination's network and data.
    ///
    /// # Errors
    /// When a data file has gone since the plan was made.
    pub fn problem(&self, case: &Case) -> Result<Arc<Problem>, ExperimentError> {
        let data = self.datasets.get(case)?;
        let data = Arc::try_unwrap(data).unwrap_or_else(|shared| (*shared).clone());
        Ok(Arc::new(Problem::with_data(&case.experiment, data)?))
    }

    /// Calls `work` once for each of `runs` (by number), on all threads of the
    /// rayon pool that this is called in, those with the same data one after the
    /// other. What `work` does must depend on its arguments alone for the
    /// results not to depend on the number of threads.
    ///
    /// # Errors
    /// When data files have gone since the plan was made. `stop` ends it early,
    /// without an error.
    pub fn for_each(
        &self,
        runs: &[usize],
        stop: &AtomicBool,
        work: impl Fn(&Case, Arc<Problem>) + Sync,
    ) -> Result<(), SearchError> {
        let mut cases: Vec<&Case> = runs
            .iter()
            .filter_map(|run| self.cases.get(run.checked_sub(1)?))
            .collect();
        cases.sort_by_key(|case| self.datasets.group(case));
        let (next, failure) = (AtomicUsize::new(0), Mutex::new(None));
        rayon::broadcast(|_| {
            while !stop.load(Ordering::Relaxed) {
                let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    break;
                };
                match self.problem(case) {
                    Ok(problem) => work(case, problem),
                    Err(source) => {
                        let with = self.describe(case);
                        let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                        failure.get_or_insert(SearchError::Case { with, source });
                        break;
                    }
                }
            }
        });
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// `base` with the settings `KEY=VALUE` in place of its own, in the order given.
///
/// # Errors
/// When one is not written so, has more than one value, or the result is no valid
/// experiment.
pub fn with_settings(base: &Experiment, settings: &[Vary]) -> Result<Experiment, SearchError> {
    if settings.is_empty() {
        return Ok(base.clone());
    }
    if let Some(many) = settings.iter().find(|v| v.values().len() != 1) {
        return Err(SearchError::Key {
            key: many.key().to_owned(),
            message: "takes one value here".to_owned(),
        });
    }
    let table = Table::try_from(base).map_err(|error| SearchError::Table(error.to_string()))?;
    Ok(case(base, &table, settings, 0)?.experiment)
}

fn count_runs(vary: &[Vary]) -> Result<usize, SearchError> {
    let factors = vary.iter().map(|v| v.values().len());
    let count = factors.clone().try_fold(1_usize, usize::checked_mul);
    match count {
        Some(count) if count <= MOST_RUNS => Ok(count),
        _ => Err(SearchError::TooMany {
            product: factors
                .map(|f| f.to_string())
                .collect::<Vec<_>>()
                .join(" x "),
            count: count.map_or("far too many".to_owned(), |count| count.to_string()),
            most: MOST_RUNS,
        }),
    }
}

fn case(
    base: &Experiment,
    table: &Table,
    vary: &[Vary],
    index: usize,
) -> Result<Case, SearchError> {
    let (mut values, mut rest) = (Vec::with_capacity(vary.len()), index);
    for v in vary.iter().rev() {
        let n = v.values().len();
        values.push(v.values()[rest % n].clone());
        rest /= n;
    }
    values.reverse();
    let mut table = table.clone();
    for (v, value) in vary.iter().zip(&values) {
        v.apply(&mut table, value)?;
    }
    let failed = |source| SearchError::Case {
        with: setting(vary, &values),
        source,
    };
    let mut experiment: Experiment = table.try_into().map_err(|error: toml::de::Error| {
        failed(ExperimentError::Parse {
            origin: base.title().to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })
    })?;
    experiment.base = base.base.clone();
    experiment.validate().map_err(|error| {
        failed(ExperimentError::Value {
            origin: base.title().to_owned(),
            line: None,
            error,
        })
    })?;
    Ok(Case {
        run: index + 1,
        values,
        experiment,
    })
}

fn setting(vary: &[Vary], values: &[Value]) -> String {
    let pairs = vary.iter().zip(values);
    let pairs: Vec<String> = pairs
        .map(|(v, value)| format!("{}={}", v.key(), value_text(value)))
        .collect();
    pairs.join(", ")
}
