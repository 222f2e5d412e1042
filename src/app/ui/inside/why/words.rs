//! An explanation in a sentence of the language in use.

use super::super::super::format::number;
use crate::app::Texts;
use crate::insight::explain::{Named, Part, Said, Verdict};
use crate::train::{Encoding, Problem};
use std::fmt::Display;

/// What the network says, what that rests on, and what it would say without it.
pub(super) fn sentence(texts: &Texts, problem: &Problem, said: &Said) -> String {
    let answer = answer(problem, &said.whole);
    let Some(without) = &said.without else {
        return texts.with("explain.says", &[("answer", &answer)]);
    };
    let parts = listed(texts, &without.parts);
    let absent = absent(texts, &without.parts);
    let other = self::answer(problem, &without.verdict);
    let mut values: Vec<(&str, &dyn Display)> = vec![
        ("answer", &answer),
        ("parts", &parts),
        ("without", &absent),
        ("other", &other),
    ];
    if without.changes || problem.encoding == Encoding::Values {
        return texts.with("explain.because", &values);
    }
    match (said.whole.probability, without.verdict.probability) {
        (Some(before), Some(after)) => {
            let (before, after) = (sure(before), sure(after));
            values.extend([("before", &before as &dyn Display), ("after", &after)]);
            texts.with("explain.undecided_sure", &values)
        }
        _ => texts.with("explain.undecided", &values),
    }
}

/// A class by its name, or a value.
fn answer(problem: &Problem, verdict: &Verdict) -> String {
    if problem.encoding == Encoding::Values {
        return number(verdict.outputs[0], 3);
    }
    let names = problem.data.task.names();
    names.get(verdict.class).cloned().unwrap_or_default()
}

/// A part in words.
pub(super) fn part(texts: &Texts, what: &Named) -> String {
    match what {
        Named::Ink { shape, place } => {
            let shape = texts
                .get(&format!("explain.shape.{}", shape.name()))
                .to_owned();
            let place = texts
                .get(&format!("explain.place.{}", place.name()))
                .to_owned();
            texts.with("explain.ink", &[("shape", &shape), ("place", &place)])
        }
        Named::Value {
            name,
            value,
            average,
        } => {
            let [value, average] = [value, average].map(|&v| number(f64::from(v), 3));
            let values: [(&str, &dyn Display); 3] =
                [("name", name), ("value", &value), ("average", &average)];
            texts.with("explain.value", &values)
        }
    }
}

/// `a`, `a and b`, `a, b and c`
fn listed(texts: &Texts, parts: &[Part]) -> String {
    let parts: Vec<String> = parts.iter().map(|p| part(texts, &p.what)).collect();
    match &parts[..] {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => {
            let first = first.join(texts.get("explain.comma"));
            format!("{first}{}{last}", texts.get("explain.and"))
        }
    }
}

fn absent(texts: &Texts, parts: &[Part]) -> String {
    let several = parts.len() > 1;
    let key = match (parts.first().map(|p| &p.what), several) {
        (Some(Named::Value { .. }), false) => "explain.with_average",
        (Some(Named::Value { .. }), true) => "explain.with_averages",
        (_, false) => "explain.without_it",
        (_, true) => "explain.without_them",
    };
    texts.get(key).to_owned()
}

/// How sure, never rounded up to certainty.
fn sure(share: f64) -> String {
    let percent = 100.0 * share;
    match percent {
        p if p > 99.95 => "> 99.9 %".to_owned(),
        p if p > 99.0 => format!("{p:.1} %"),
        p => format!("{p:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Language;
    use crate::insight::explain::{Ink, Place};

    #[test]
    fn every_shape_at_every_place_has_words_in_every_language() {
        for language in Language::ALL {
            let texts = Texts::new(language);
            let mut all = std::collections::HashSet::new();
            for shape in Ink::ALL {
                for place in Place::ALL.into_iter().flatten() {
                    let said = part(&texts, &Named::Ink { shape, place });
                    assert!(!said.contains('.') && !said.contains('{'), "{said}");
                    assert!(all.insert(said), "{shape:?} {place:?}");
                }
            }
        }
    }

    #[test]
    fn the_english_words_are_those_of_the_command_line() {
        let texts = Texts::new(Language::English);
        for shape in Ink::ALL {
            for place in Place::ALL.into_iter().flatten() {
                let what = Named::Ink { shape, place };
                assert_eq!(part(&texts, &what), what.to_string());
            }
        }
    }

    #[test]
    fn nothing_is_said_to_be_certain() {
        assert_eq!(
            [0.5, 0.992, 0.99999].map(sure),
            ["50 %", "99.2 %", "> 99.9 %"]
        );
    }
}
