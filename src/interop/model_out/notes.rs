//! What whoever uses a network elsewhere has to know about its inputs and outputs.

use crate::train::{Encoding, Problem};
use serde_json::json;

/// Features beyond so many are not named one by one: pixels have no names worth keeping.
const MOST_NAMES: usize = 512;

/// Notes for a [`ModelFile`](super::ModelFile): `gradscape.data` the source; `gradscape.scaling`
/// a JSON object by which the data were scaled, one number where all inputs have the same;
/// `gradscape.inputs` and `gradscape.classes` (or `gradscape.outputs`) their names, JSON lists.
pub fn model_notes(problem: &Problem) -> Vec<(String, String)> {
    let data = &problem.data;
    let scaler = &data.scaler;
    let mut notes = vec![("gradscape.data".to_owned(), data.name.clone())];
    let mut note = |key: &str, value: String| notes.push((format!("gradscape.{key}"), value));
    let unit = |k: usize| problem.feature_of(k);
    let same = |values: &[f32]| values.windows(2).all(|pair| pair[0] == pair[1]);
    let inputs = problem.network.inputs();
    let scaling = if same(&scaler.shift) && same(&scaler.factor) && inputs > 1 {
        json!({
            "kind": scaler.scale,
            "formula": "(x - shift) * factor",
            "shift": scaler.shift.first(),
            "factor": scaler.factor.first(),
        })
    } else {
        let each = |values: &[f32]| -> Vec<f32> {
            let values = (0..inputs).filter_map(|k| values.get(unit(k)).copied());
            values.collect()
        };
        json!({
            "kind": scaler.scale,
            "formula": "(x - shift) * factor",
            "shift": each(&scaler.shift),
            "factor": each(&scaler.factor),
        })
    };
    note("scaling", scaling.to_string());
    if inputs <= MOST_NAMES {
        let names: Vec<&str> = (0..inputs)
            .filter_map(|k| data.feature_names.get(unit(k)).map(String::as_str))
            .collect();
        note("inputs", json!(names).to_string());
    }
    let key = match problem.encoding {
        Encoding::Values => "outputs",
        Encoding::Binary { .. } | Encoding::OneHot => "classes",
    };
    note(key, json!(data.task.names()).to_string());
    notes
}
