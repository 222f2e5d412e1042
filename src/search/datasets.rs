//! The data of many experiments, prepared once where they share it.

use super::Case;
use crate::data::{Prepared, Target, prepare};
use crate::experiment::{Experiment, ExperimentError};
use crate::train::Problem;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Bytes of data that are kept; what goes beyond is prepared again when it is needed.
const BYTES: usize = 512 << 20;

/// One entry for each different `[data]` table and seed.
#[derive(Debug)]
pub(super) struct Datasets {
    // For each case its group.
    group: Vec<usize>,
    kept: Vec<Option<Arc<Prepared>>>,
}

impl Datasets {
    /// Prepares the data of all cases and builds every different network on it.
    ///
    /// # Errors
    /// The index of the first case that cannot be run, and why.
    pub(super) fn load(cases: &[Case]) -> Result<Self, (usize, ExperimentError)> {
        let mut groups = HashMap::new();
        let mut group = Vec::with_capacity(cases.len());
        for case in cases {
            let next = groups.len();
            group.push(*groups.entry(data_key(&case.experiment)).or_insert(next));
        }
        let mut kept: Vec<Option<Arc<Prepared>>> = vec![None; groups.len()];
        let mut room = BYTES;
        for (this, kept) in kept.iter_mut().enumerate() {
            let members = || (0..cases.len()).filter(|&i| group[i] == this);
            let Some(first) = members().next() else {
                continue;
            };
            let data = data_of(&cases[first].experiment).map_err(|error| (first, error))?;
            let mut seen = HashSet::new();
            for index in members() {
                let experiment = &cases[index].experiment;
                if seen.insert(format!("{:?}", experiment.network)) {
                    Problem::with_data(experiment, data.clone()).map_err(|error| (index, error))?;
                }
            }
            let bytes = bytes(&data);
            if bytes <= room {
                room -= bytes;
                *kept = Some(Arc::new(data));
            }
        }
        Ok(Datasets { group, kept })
    }

    /// Cases with the same number have the same data.
    pub(super) fn group(&self, case: &Case) -> usize {
        self.group.get(case.run - 1).copied().unwrap_or(0)
    }

    /// The data of a case.
    ///
    /// # Errors
    /// When it was not kept and its files have gone.
    pub(super) fn get(&self, case: &Case) -> Result<Arc<Prepared>, ExperimentError> {
        match self.kept.get(self.group(case)).and_then(Option::as_ref) {
            Some(data) => Ok(Arc::clone(data)),
            None => Ok(Arc::new(data_of(&case.experiment)?)),
        }
    }
}

fn data_key(experiment: &Experiment) -> String {
    format!("{} {:?}", experiment.seed, experiment.data)
}

fn data_of(experiment: &Experiment) -> Result<Prepared, ExperimentError> {
    Ok(prepare(
        &experiment.data,
        experiment.seed,
        &experiment.base,
    )?)
}

fn bytes(data: &Prepared) -> usize {
    let target = |target: &Target| match target {
        Target::Values { values, .. } => 4 * values.len(),
        Target::Classes { labels, .. } => size_of_val(&labels[..]),
    };
    [&data.train, &data.validation]
        .iter()
        .map(|part| 4 * part.x.len() + target(&part.target) + size_of_val(&part.rows[..]))
        .sum::<usize>()
        + data.points.as_ref().map_or(0, |p| 4 * p.len())
}
