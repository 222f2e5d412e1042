//! The words of a diagnosis: their keys in `assets/lang`, and the English ones for the
//! command line.

use super::{Comparison, Cure, Kind, Severity};
use std::collections::HashMap;
use std::sync::OnceLock;

/// The key of a kind's name.
pub fn title(kind: Kind) -> String {
    of_kind(kind, "title")
}

/// The key of the sentence that says what a kind means.
pub fn meaning(kind: Kind) -> String {
    of_kind(kind, "meaning")
}

/// The key of a kind's sources.
pub fn sources(kind: Kind) -> String {
    of_kind(kind, "sources")
}

fn of_kind(kind: Kind, part: &str) -> String {
    let place = [kind.key(), part].join(".");
    format!("diagnosis.{place}")
}

/// The key of what a cure does; its braces are filled by [`Cure::values`].
pub fn cure(cure: &Cure) -> String {
    format!("diagnosis.cure.{}", cure.key())
}

/// The key of what a threshold's number is.
pub fn evidence(name: &str) -> String {
    format!("diagnosis.evidence.{name}")
}

/// The key of the words for a side of a threshold; its braces are `value` and `threshold`.
pub fn comparison(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::AtLeast => "diagnosis.at_least",
        Comparison::AtMost => "diagnosis.at_most",
    }
}

/// The English words at `key`.
pub fn english(key: &str) -> Option<&'static str> {
    static ENGLISH: OnceLock<HashMap<String, String>> = OnceLock::new();
    let english = ENGLISH.get_or_init(|| strings(include_str!("../../../assets/lang/en.toml")));
    english.get(key).map(String::as_str)
}

/// What a cure does, in English.
pub fn cure_in_english(of: &Cure) -> String {
    let mut text = english(&cure(of)).unwrap_or_default().to_owned();
    for (name, value) in of.values() {
        text = text.replace(&format!("{{{name}}}"), &value);
    }
    text
}

/// A number in three digits.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "∞".to_owned()
    } else if value == 0.0 || (1e-3..1e4).contains(&size) {
        let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
        rounded.to_string()
    } else {
        format!("{value:.2e}")
    }
}

/// The key of a severity's name.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Suspicion => "diagnosis.suspicion",
        Severity::Warning => "diagnosis.warning",
        Severity::Severe => "diagnosis.severe",
    }
}

/// All strings of the section `[diagnosis]` of a language file, by key.
pub(super) fn strings(text: &str) -> HashMap<String, String> {
    let mut all = HashMap::new();
    if let Ok(table) = text.parse::<toml::Table>()
        && let Some(toml::Value::Table(section)) = table.get("diagnosis")
    {
        collect("diagnosis", section, &mut all);
    }
    all
}

fn collect(prefix: &str, table: &toml::Table, all: &mut HashMap<String, String>) {
    for (key, value) in table {
        let path = format!("{prefix}.{key}");
        match value {
            toml::Value::Table(table) => collect(&path, table, all),
            toml::Value::String(text) => {
                all.insert(path, text.clone());
            }
            _ => {}
        }
    }
}
