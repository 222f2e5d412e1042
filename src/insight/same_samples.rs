//! The samples of one problem as another's network sees them, for comparing two networks
//! on the same inputs though each scales them its own way.

use crate::train::Problem;
use ndarray::Array2;

/// Why the samples of one problem are nothing to the network of another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the two networks do not see the same things: the first sees {first}, the second {second}")]
pub struct OtherInputs {
    first: String,
    second: String,
}

/// The samples of `problem` in the given rows of its training part, or of what is held
/// back, as the network of `other` sees them, `[rows, its inputs]`: points of the plane or
/// of a line through its features and scaling, other samples out of the one scaling and
/// into the other, feature by feature.
///
/// # Errors
/// When the inputs of the two are not the same things.
pub fn seen_by(
    problem: &Problem,
    other: &Problem,
    held_back: bool,
    rows: &[usize],
) -> Result<Array2<f32>, OtherInputs> {
    let (data, into) = (&problem.data, &other.data);
    let (samples, part) = match held_back {
        true => (&problem.validation, &data.validation),
        false => (&problem.train, &data.train),
    };
    let inputs = other.network.inputs();
    if let (Some(points), true) = (&data.points, into.is_plane()) {
        let raw = Array2::from_shape_fn((rows.len(), 2), |(i, axis)| {
            points[[part.rows[rows[i]], axis]]
        });
        if let Some(x) = into.map_points(raw.view()) {
            return Ok(x);
        }
    }
    if let (Some(line), Some(_)) = (&data.line, &into.line) {
        let mut x = Array2::zeros((rows.len(), inputs));
        for (&row, mut to) in rows.iter().zip(x.rows_mut()) {
            let mapped = into.map_line(line[part.rows[row]]).unwrap_or_default();
            to.iter_mut()
                .zip(mapped)
                .for_each(|(to, value)| *to = value);
        }
        return Ok(x);
    }
    if data.feature_names != into.feature_names || data.image != into.image {
        let what = |problem: &Problem| {
            let names = &problem.data.feature_names;
            let shown: Vec<&str> = names.iter().take(4).map(String::as_str).collect();
            let more = if names.len() > 4 { ", …" } else { "" };
            format!("{} inputs ({}{more})", names.len(), shown.join(", "))
        };
        return Err(OtherInputs {
            first: what(problem),
            second: what(other),
        });
    }
    // Which input of the one network has a feature.
    let mut unit_of = vec![0; inputs];
    (0..inputs).for_each(|unit| unit_of[problem.feature_of(unit)] = unit);
    Ok(Array2::from_shape_fn((rows.len(), inputs), |(i, unit)| {
        let feature = other.feature_of(unit);
        let value = samples.x[[rows[i], unit_of[feature]]];
        into.scaler
            .scaled(feature, data.scaler.unscaled(feature, value))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    fn problem(text: &str) -> Problem {
        let loss = "[network]\nlayers = []\nloss = \"cross-entropy\"\n";
        Problem::new(&Experiment::parse(&format!("{text}\n{loss}"), "test").unwrap()).unwrap()
    }

    #[test]
    fn a_network_sees_its_own_samples_as_they_are_and_others_by_its_own_scaling() {
        let first = problem("[data]\nsource = \"iris\"\nvalidation = 0.2");
        let rows: Vec<usize> = (0..first.validation.len()).collect();
        let same = seen_by(&first, &first, true, &rows).unwrap();
        for (a, b) in same.iter().zip(&first.validation.x) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
        let second = problem("[data]\nsource = \"iris\"\nscale = \"none\"");
        let raw = seen_by(&first, &second, false, &[3]).unwrap();
        for (feature, value) in raw.iter().enumerate() {
            let own = first
                .data
                .scaler
                .unscaled(feature, first.train.x[[3, feature]]);
            assert_eq!(*value, own);
        }
    }

    #[test]
    fn points_become_the_features_that_the_other_network_has() {
        let first = problem("[data]\nsource = \"circle\"");
        let second = problem("[data]\nsource = \"circle\"\nfeatures = [\"x1^2\", \"x2\"]");
        let seen = seen_by(&first, &second, false, &[0, 5]).unwrap();
        let x = &first.train.x;
        assert!((seen[[1, 0]] - x[[5, 0]].powi(2)).abs() < 1e-6);
        assert!((seen[[1, 1]] - x[[5, 1]]).abs() < 1e-6);
    }

    #[test]
    fn other_inputs_are_refused() {
        let first = problem("[data]\nsource = \"iris\"");
        let second = problem("[data]\nsource = \"wine\"");
        let error = seen_by(&first, &second, false, &[0]).unwrap_err();
        assert!(error.to_string().contains("4 inputs"), "{error}");
    }
}
