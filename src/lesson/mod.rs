//! Lessons: scenes that a lecturer goes through, each with what is shown, how far it
//! has come, and a caption in both languages. A file of TOML; `docs/lessons.md` has
//! the keys.

mod exercise;
mod scene;

pub use exercise::{Attempt, Exercise, Figure, Goal, Short, Verdict};
pub use scene::{
    Both, CameraPose, ConnectionsOf, NeuronsOf, Play, Question, Race, Scene, Select, SurfacePlan,
    ViewName,
};

use crate::experiment::{Experiment, ExperimentError, samples};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A lesson.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// What it is called.
    pub title: Both,
    /// What it is about, in a sentence.
    pub summary: Both,
    /// What is shown, one after the other.
    pub scenes: Vec<Scene>,
    experiments: BTreeMap<String, Experiment>,
}

/// Why a lesson cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum LessonError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is no lesson.
    #[error("{origin}: {message}")]
    Syntax {
        /// The file, or the lesson's name.
        origin: String,
        /// Where, what, and what to do.
        message: String,
    },
    /// One of its experiments is wrong.
    #[error("{origin}, experiments.{name}: {error}")]
    Experiment {
        /// The file, or the lesson's name.
        origin: String,
        /// Which experiment.
        name: String,
        /// Why.
        error: Box<ExperimentError>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: Both,
    summary: Both,
    #[serde(default)]
    experiments: BTreeMap<String, toml::Table>,
    scene: Vec<Scene>,
}

/// A lesson that comes with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bundled {
    /// What to call it by.
    pub name: &'static str,
    /// The file.
    pub toml: &'static str,
}

macro_rules! bundled {
    ($($name:literal),* $(,)?) => {
        /// All lessons that come with the program, in the order in which they build on
        /// one another.
        pub const LESSONS: &[Bundled] = &[$(Bundled {
            name: $name,
            toml: include_str!(concat!("../../assets/lessons/", $name, ".toml")),
        }),*];
    };
}

bundled!(
    "single-neuron",
    "xor",
    "back-propagation",
    "chain-rule",
    "learning-rate",
    "minima",
    "momentum",
    "noise",
    "vanishing-gradients",
    "exploding-gradients",
    "overfitting",
    "symmetry",
    "batch-normalisation",
    "digits",
    "hagan",
    "levenberg-marquardt",
);

impl Lesson {
    /// The bundled lesson of this name, or the one in the file.
    ///
    /// # Errors
    /// When there is neither, or it is wrong.
    pub fn find(name: &str) -> Result<Self, LessonError> {
        match LESSONS.iter().find(|lesson| lesson.name == name) {
            Some(lesson) => Lesson::parse(lesson.toml, lesson.name, Path::new("")),
            None if name.ends_with(".toml") => Lesson::read(Path::new(name)),
            None => {
                let names: Vec<&str> = LESSONS.iter().map(|l| l.name).collect();
                Err(LessonError::Syntax {
                    origin: name.to_owned(),
                    message: format!(
                        "there is no lesson of that name; there are {}, or give a file that ends \
                         in .toml",
                        names.join(", ")
                    ),
                })
            }
        }
    }

    /// The lesson in a file. Paths in its experiments start from its folder.
    ///
    /// # Errors
    /// When it cannot be read, or is wrong.
    pub fn read(path: &Path) -> Result<Self, LessonError> {
        let text = std::fs::read_to_string(path).map_err(|error| LessonError::Read {
            path: path.to_owned(),
            error,
        })?;
        let base = path.parent().unwrap_or(Path::new(""));
        Lesson::parse(&text, &path.display().to_string(), base)
    }

    /// The lesson that `text` has.
    ///
    /// # Errors
    /// When it is no TOML, has a key too many or too few, or a scene that cannot be.
    pub fn parse(text: &str, origin: &str, base: &Path) -> Result<Self, LessonError> {
        let syntax = |message: String| LessonError::Syntax {
            origin: origin.to_owned(),
            message,
        };
        let file: File = toml::from_str(text).map_err(|e| syntax(e.to_string()))?;
        let mut experiments = BTreeMap::new();
        for (name, table) in file.experiments {
            let text = table.to_string();
            let found = Experiment::parse(&text, &format!("{origin}, experiments.{name}"));
            let checked = found.and_then(|mut experiment| {
                experiment.base = base.to_owned();
                let title = experiment.title().to_owned();
                experiment
                    .validate()
                    .map_err(|error| ExperimentError::Value {
                        origin: title,
                        line: None,
                        error,
                    })?;
                Ok(experiment)
            });
            let experiment = checked.map_err(|error| LessonError::Experiment {
                origin: origin.to_owned(),
                name: name.clone(),
                error: Box::new(error),
            })?;
            experiments.insert(name, experiment);
        }
        let lesson = Lesson {
            title: file.title,
            summary: file.summary,
            scenes: file.scene,
            experiments,
        };
        if lesson.scenes.is_empty() {
            return Err(syntax("it has no scene; write [[scene]]".to_owned()));
        }
        for (index, scene) in lesson.scenes.iter().enumerate() {
            let wrong = scene.check().err().or_else(|| {
                lesson.experiment_of(index).is_none().then(|| {
                    format!(
                        "experiment: {:?} is neither under [experiments] nor a sample",
                        scene.experiment
                    )
                })
            });
            if let Some(wrong) = wrong {
                let title = &scene.title.en;
                return Err(syntax(format!("scene {} ({title}), {wrong}", index + 1)));
            }
        }
        Ok(lesson)
    }

    /// The experiment of scene `index`, from 0: of the lesson's own, or a sample.
    pub fn experiment_of(&self, index: usize) -> Option<Experiment> {
        let name = &self.scenes.get(index)?.experiment;
        let own = self.experiments.get(name).cloned();
        own.or_else(|| {
            let sample = samples::SAMPLES.iter().find(|s| s.name == name)?;
            Experiment::parse(sample.toml, sample.name).ok()
        })
    }
}
