//! Every string that the interface shows, in every language, from
//! `assets/lang/*.toml`, embedded in the program.

use bevy::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Texts>();
}

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
