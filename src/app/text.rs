//! Every string that the interface shows, in every language, from
//! `assets/lang/*.toml`, embedded in the program, and the fonts that draw them.

use bevy::prelude::*;
use bevy_egui::{EguiContext, EguiPreUpdateSet, egui};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Texts>().add_systems(
        PreUpdate,
        install_fonts
            .after(EguiPreUpdateSet::InitContexts)
            .before(EguiPreUpdateSet::BeginPass),
    );
}

fn install_fonts(mut contexts: Query<&mut EguiContext, Added<EguiContext>>) {
    for mut context in &mut contexts {
        context.get_mut().set_fonts(font_definitions());
    }
}

/// The fonts of the interface. Latin and mathematics come before Chinese, whose
/// font has full-width forms of some mathematical signs.
pub fn font_definitions() -> egui::FontDefinitions {
    let mut fonts = egui::FontDefinitions::default();
    let own: [(&str, &'static [u8]); 4] = [
        (
            "latin",
            include_bytes!("../../assets/fonts/NotoSans-LatinGreek-subset.ttf"),
        ),
        (
            "math",
            include_bytes!("../../assets/fonts/NotoSansMath-subset.ttf"),
        ),
        (
            "cjk",
            include_bytes!("../../assets/fonts/NotoSansCJKsc-GB2312L1-math.otf"),
        ),
        (
            FORMULAS,
            include_bytes!("../../assets/fonts/GradscapeMath.otf"),
        ),
    ];
    for (name, bytes) in own {
        let data = egui::FontData::from_static(bytes);
        fonts.font_data.insert(name.to_owned(), data.into());
    }
    let names = |list: &[&str]| list.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
    fonts.families.insert(
        egui::FontFamily::Proportional,
        names(&["latin", "math", "cjk", "emoji-icon-font"]),
    );
    fonts.families.insert(
        egui::FontFamily::Monospace,
        names(&["Hack", "latin", "math", "cjk"]),
    );
    fonts.families.insert(
        egui::FontFamily::Name(FORMULAS.into()),
        names(&[FORMULAS, "latin", "math", "cjk"]),
    );
    fonts
}

/// The name of the family that formulas are set in.
pub(super) const FORMULAS: &str = "formulas";

/// A language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Simplified Chinese.
    #[serde(rename = "zh")]
    Chinese,
}

impl Language {
    /// All of them, in the order of a menu.
    pub const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// Its own name for itself.
    pub fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Chinese => "中文",
        }
    }

    /// The language that the environment asks for: Chinese for `zh_...`, else English.
    pub fn of_environment() -> Self {
        let asked = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty());
        match asked {
            Some(value) if value.starts_with("zh") => Language::Chinese,
            _ => Language::English,
        }
    }

    fn source(self) -> &'static str {
        match self {
            Language::English => include_str!("../../assets/lang/en.toml"),
            Language::Chinese => include_str!("../../assets/lang/zh.toml"),
        }
    }
}

/// The strings of the language in use.
#[derive(Resource, Debug, Clone)]
pub struct Texts {
    language: Language,
    strings: HashMap<String, String>,
}

impl Default for Texts {
    fn default() -> Self {
        Texts::new(Language::default())
    }
}

impl Texts {
    /// The strings of `language`.
    pub fn new(language: Language) -> Self {
        let mut strings = HashMap::new();
        if let Ok(table) = language.source().parse::<toml::Table>() {
            flatten("", &table, &mut strings);
        }
        Texts { language, strings }
    }

    /// The language in use.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The string at `key`, as in `run.start`; the key itself where there is
    /// none, which a test forbids.
    pub fn get<'a>(&'a self, key: &'a str) -> &'a str {
        self.strings.get(key).map_or(key, String::as_str)
    }

    /// The string at `key` with each `{name}` replaced by its value.
    pub fn with(&self, key: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        let mut text = self.get(key).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), &value.to_string());
        }
        text
    }
}

fn flatten(prefix: &str, table: &toml::Table, strings: &mut HashMap<String, String>) {
    for (key, value) in table {
        let path = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            toml::Value::Table(table) => flatten(&path, table, strings),
            toml::Value::String(text) => {
                strings.insert(path, text.clone());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{self, DataConfig, InputFeature};
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
            .collect()
    }

    #[test]
    fn both_languages_have_the_same_keys_and_placeholders() {
        let of = |language| {
            Texts::new(language)
                .strings
                .into_iter()
                .collect::<BTreeMap<_, _>>()
        };
        let (en, zh) = (of(Language::English), of(Language::Chinese));
        let keys = |m: &BTreeMap<String, String>| m.keys().cloned().collect::<BTreeSet<_>>();
        let difference: Vec<_> = keys(&en)
            .symmetric_difference(&keys(&zh))
            .cloned()
            .collect();
        assert!(difference.is_empty(), "not in both: {difference:?}");
        for (key, text) in &en {
            assert!(
                !text.trim().is_empty() && !zh[key].trim().is_empty(),
                "{key}"
            );
            assert_eq!(placeholders(text), placeholders(&zh[key]), "{key}");
        }
    }

    fn sources(folder: &Path, found: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    /// The string literals that look like keys: `"a.b"`, and `"a.{}"` for a family.
    fn literals(source: &str) -> BTreeSet<String> {
        let key = |c: char| c.is_ascii_alphanumeric() || "._-{}".contains(c);
        source
            .split('"')
            .filter(|s| s.contains('.') && s.chars().all(key))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn every_key_in_the_source_exists_and_every_string_is_used() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut source = String::new();
        sources(&root.join("app"), &mut source);
        for other in ["data/source.rs", "insight/diagnosis/words.rs"] {
            source.push_str(&std::fs::read_to_string(root.join(other)).unwrap());
        }
        let strings = Texts::new(Language::English).strings;
        let tables: BTreeSet<&str> = strings.keys().filter_map(|k| k.split('.').next()).collect();
        let literals = literals(&source);
        for literal in &literals {
            let (table, rest) = literal.split_once('.').unwrap();
            // Keys of experiment files, names of files, and families of keys.
            let other = ["data", "training"].contains(&table)
                || literal.starts_with("network.layers")
                || rest.ends_with("toml")
                || rest.contains('{');
            assert!(
                !tables.contains(table) || other || strings.contains_key(literal),
                "no string for {literal}"
            );
        }
        for info in data::sources() {
            assert!(strings.contains_key(info.description), "{}", info.name);
        }
        let families: Vec<&str> = literals
            .iter()
            .filter(|l| l.ends_with('}') && l.contains(".{"))
            .filter_map(|l| l.split('{').next())
            .collect();
        for key in strings.keys() {
            let in_family = families.iter().any(|f| f.len() > 1 && key.starts_with(f));
            assert!(literals.contains(key) || in_family, "{key} is not used");
        }
    }

    /// Not boxes: asks the font set for a glyph of every character.
    #[test]
    fn the_fonts_have_a_glyph_for_everything_that_can_be_shown() {
        let mut shown: BTreeMap<char, String> = BTreeMap::new();
        let mut note = |text: &str| {
            for c in text.chars() {
                shown.entry(c).or_insert_with(|| text.to_owned());
            }
        };
        for language in Language::ALL {
            note(language.name());
            Texts::new(language).strings.values().for_each(|s| note(s));
        }
        for info in data::sources() {
            note(info.name);
            if info.inputs == 784 {
                continue; // names are digits, and r0c0 like those of the digits
            }
            let data = data::prepare(&DataConfig::of(info.name), 1, Path::new(".")).unwrap();
            data.feature_names.iter().for_each(|n| note(n));
            data.task.names().iter().for_each(|n| note(n));
        }
        data::InputFeature::PLANE
            .iter()
            .for_each(|f: &InputFeature| note(f.name()));
        for lesson in crate::lesson::LESSONS {
            note(lesson.toml);
        }
        note("0123456789.,:;+-−×·…–→∞²%/()[]{}<>=≈±∂∇δ±σηαβρε✔");
        let ctx = egui::Context::default();
        ctx.set_fonts(font_definitions());
        ctx.run_ui(egui::RawInput::default(), |_| {})
            .drop_without_applying_deltas();
        ctx.fonts_mut(|fonts| {
            let mut family = fonts.fonts.font(&egui::FontFamily::Proportional);
            let known = family.characters();
            let missing: Vec<_> = shown
                .iter()
                .filter(|(c, _)| **c != '\n' && !known.contains_key(c))
                .collect();
            assert!(missing.is_empty(), "{missing:?}");
            assert!(!known.contains_key(&'\u{13000}'), "the test can fail");
        });
    }
}
