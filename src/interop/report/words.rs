//! The words of the page, in every language, from `assets/lang/report`, and those of the
//! diagnosis from the language files of the window.

use crate::insight::run_record::FoundRecord;
use serde::Serialize;
use std::collections::BTreeMap;

/// Texts by key.
pub type Strings = BTreeMap<String, String>;

/// The texts in each language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    /// English.
    pub en: Strings,
    /// Simplified Chinese.
    pub zh: Strings,
}

const PAGE: [&str; 2] = [
    include_str!("../../../assets/lang/report/en.toml"),
    include_str!("../../../assets/lang/report/zh.toml"),
];
const WINDOW: [&str; 2] = [
    include_str!("../../../assets/lang/en.toml"),
    include_str!("../../../assets/lang/zh.toml"),
];

/// What the page needs: all its own, and of the diagnosis what was found.
pub fn words(findings: &[FoundRecord]) -> Words {
    let of = |language: usize| {
        let mut all = strings(PAGE[language]);
        let wanted = wanted(findings);
        let window = strings(WINDOW[language]).into_iter();
        all.extend(window.filter(|(key, _)| wanted.iter().any(|w| w == key)));
        all
    };
    Words {
        en: of(0),
        zh: of(1),
    }
}

/// The keys of the window's texts that these findings are told with.
fn wanted(findings: &[FoundRecord]) -> Vec<String> {
    let mut keys: Vec<String> = ["what", "layer", "input", "class", "explains", "none"]
        .iter()
        .chain(&["suspicion", "warning", "severe", "at_least", "at_most"])
        .map(|name| format!("diagnosis.{name}"))
        .collect();
    for finding in findings {
        for part in ["title", "meaning", "sources"] {
            keys.push(format!("diagnosis.{}.{part}", finding.kind));
        }
        let explained = finding.explains.iter();
        keys.extend(explained.map(|kind| format!("diagnosis.{kind}.title")));
        let evidence = finding.evidence.iter();
        keys.extend(evidence.map(|e| format!("diagnosis.evidence.{}", e.name)));
        let cures = finding.cures.iter();
        keys.extend(cures.map(|(key, _)| format!("diagnosis.cure.{key}")));
    }
    keys
}

/// All strings of a language file, by dotted key.
fn strings(text: &str) -> Strings {
    let mut all = Strings::new();
    if let Ok(table) = text.parse::<toml::Table>() {
        collect("", &table, &mut all);
    }
    all
}

fn collect(prefix: &str, table: &toml::Table, all: &mut Strings) {
    for (key, value) in table {
        let path = match prefix {
            "" => key.clone(),
            prefix => format!("{prefix}.{key}"),
        };
        match value {
            toml::Value::Table(table) => collect(&path, table, all),
            toml::Value::String(text) => {
                all.insert(path, text.clone());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{PARTS, SKELETON};
    use super::*;
    use std::collections::BTreeSet;

    fn braces(text: &str) -> BTreeSet<&str> {
        let ends = text.split('{').skip(1);
        ends.filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
            .collect()
    }

    #[test]
    fn both_languages_say_the_same_things_with_the_same_gaps() {
        let (en, zh) = (strings(PAGE[0]), strings(PAGE[1]));
        assert!(en.len() > 50);
        assert!(en.keys().eq(zh.keys()), "{:?}", {
            let (a, b): (BTreeSet<_>, BTreeSet<_>) = (en.keys().collect(), zh.keys().collect());
            a.symmetric_difference(&b).cloned().collect::<Vec<_>>()
        });
        for (key, text) in &en {
            assert!(!text.is_empty() && !zh[key].is_empty(), "{key}");
            assert_eq!(braces(text), braces(&zh[key]), "{key}");
        }
    }

    /// A key that the scripts name has its words, and every word is named somewhere, in a
    /// script or in the skeleton; `"kind." +` stands for all that begin so.
    #[test]
    fn the_page_asks_for_the_words_that_there_are() {
        let en = strings(PAGE[0]);
        let (mut asked, mut named, mut families) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for source in PARTS.iter().chain([&SKELETON]) {
            for mark in ["t(\"", "data-t=\"", "data-label=\""] {
                let calls = source.split(mark).skip(1);
                asked.extend(calls.filter_map(|rest| Some(rest.split_once('"')?.0)));
            }
            // Whatever stands between two quotes, on whichever side of them.
            let pieces: Vec<&str> = source.split('"').collect();
            for pair in pieces.windows(2) {
                named.insert(pair[0]);
                if pair[0].ends_with('.') && pair[1].trim_start().starts_with('+') {
                    families.insert(pair[0]);
                }
            }
        }
        let is_family = |key: &str| families.iter().any(|f| key.starts_with(f));
        for key in asked.iter().filter(|key| key.contains('.')) {
            let theirs = key.starts_with("diagnosis.") || families.contains(key);
            assert!(theirs || en.contains_key(*key), "no words for {key}");
        }
        for key in en.keys() {
            assert!(
                named.contains(key.as_str()) || is_family(key),
                "{key} is not used"
            );
        }
    }

    #[test]
    fn what_was_found_has_its_words_in_both_languages() {
        let found = FoundRecord {
            kind: "dead-units".to_owned(),
            severity: "warning".to_owned(),
            layer: Some(0),
            feature: None,
            class: None,
            evidence: Vec::new(),
            cures: vec![("cosine".to_owned(), Vec::new())],
            explains: vec!["plateau".to_owned()],
        };
        let words = words(&[found]);
        for key in [
            "diagnosis.dead-units.meaning",
            "diagnosis.cure.cosine",
            "diagnosis.plateau.title",
            "diagnosis.at_least",
        ] {
            assert!(
                words.en.contains_key(key) && words.zh.contains_key(key),
                "{key}"
            );
        }
        assert!(!words.en.contains_key("diagnosis.symmetry.title"));
    }
}
