//! What the user chose, kept from one start to the next in a TOML file.

use super::arena::ArenaView;
use super::lecture::Lecture;
use super::micro::Walk;
use super::presenter::{Motion, Presenter};
use super::state::{NetworkView, SurfaceView, ViewMode};
use super::text::{Language, Texts};
use super::theme::Theme;
use super::training::{Notice, Notices, Training};
use crate::experiment::Experiment;
use bevy::app::AppExit;
use bevy::prelude::*;
use bevy::window::RequestRedraw;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Weights in an experiment that is remembered, at most.
const MOST_WEIGHTS: usize = 20_000;
/// How long a change waits for others before the file is written.
const QUIET: Duration = Duration::from_secs(1);
/// The folder of the settings file, instead of the system's usual one.
const FOLDER_VARIABLE: &str = "GRADSCAPE_CONFIG_DIR";

/// Everything about the interface that can be chosen.
#[derive(Resource, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// Colours.
    pub theme: Theme,
    /// Language.
    pub language: Language,
    /// Size of everything, 1 to 3.
    pub scale: f32,
    /// What the window shows.
    pub mode: ViewMode,
    /// At most so many epochs a second; infinite is as fast as it goes.
    pub speed: f64,
    /// Whether the panel on the left is open; by the window's width if not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_panel: Option<bool>,
    /// The same for the right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right_panel: Option<bool>,
    /// Whether the loss curves have a logarithmic axis.
    pub log_loss: bool,
    /// How the network is shown.
    pub network: NetworkView,
    /// How the error surface is shown.
    pub surface: SurfaceView,
    /// Which surface, and who races on it.
    pub arena: ArenaView,
    /// Whether the run is led event by event, and how fast; not kept.
    #[serde(skip)]
    pub walk: Walk,
    /// The lesson that is given; not kept.
    #[serde(skip)]
    pub lecture: Lecture,
    /// Whether something is presented, and the pointer; not kept.
    #[serde(skip)]
    pub presenter: Presenter,
    /// Whether things move that need not.
    pub motion: Motion,
    /// Which exercises have been solved, and which is open.
    pub exercises: Progress,
    /// Whether runs are recorded.
    pub record: bool,
}

/// How far one has come with the exercises.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The names of those that were solved.
    pub solved: BTreeSet<String>,
    /// The open one; not kept.
    #[serde(skip)]
    pub open: Option<String>,
    /// Whether its hint is shown.
    #[serde(skip)]
    pub hint: bool,
}

impl Default for Choices {
    fn default() -> Self {
        Choices {
            theme: Theme::default(),
            language: Language::default(),
            scale: 1.0,
            mode: ViewMode::default(),
            speed: 20.0,
            left_panel: None,
            right_panel: None,
            log_loss: true,
            network: NetworkView::default(),
            surface: SurfaceView::default(),
            arena: ArenaView::default(),
            walk: Walk::default(),
            lecture: Lecture::default(),
            presenter: Presenter::default(),
            motion: Motion::default(),
            exercises: Progress::default(),
            record: true,
        }
    }
}

impl Choices {
    /// The smallest and the largest scale of the interface.
    pub const SCALES: [f32; 2] = [1.0, 3.0];

    /// Whether the scene has the whole screen: in a lesson, and when presenting.
    pub fn presents(&self) -> bool {
        self.presenter.on || self.lecture.lesson.is_some()
    }

    /// The same with every number in its range.
    fn sane(mut self) -> Self {
        let [least, most] = Self::SCALES;
        self.scale = if self.scale.is_finite() {
            self.scale.clamp(least, most)
        } else {
            1.0
        };
        if self.speed.is_nan() || self.speed <= 0.0 {
            self.speed = f64::INFINITY;
        }
        let fresh = SurfaceView::default();
        if !(self.surface.range.is_finite() && self.surface.range > 0.0) {
            self.surface.range = fresh.range;
        }
        self.surface.grid = self.surface.grid.clamp(9, 257);
        self.arena = self.arena.sane();
        self.network.connection_budget = self.network.connection_budget.clamp(1, 1_000_000);
        self
    }
}

/// The content of the settings file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The experiment shown last, as TOML.
    #[serde(skip_serializing_if = "Option::is_none")]
    experiment: Option<String>,
    /// The folder that its relative paths start from.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<PathBuf>,
    /// The rest.
    pub choices: Choices,
}

/// Why settings cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// There is no home folder.
    #[error("there is no folder for settings; name one in {FOLDER_VARIABLE}")]
    NoFolder,
    /// The file is there and cannot be used.
    #[error("the settings in {} cannot be read and are left aside: {message}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The file cannot be written.
    #[error("the settings cannot be kept in {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Where settings are kept: `settings.toml` in the folder that the environment
/// variable `GRADSCAPE_CONFIG_DIR` names, else in the user's folder for settings.
pub fn settings_path() -> Option<PathBuf> {
    let folder = match std::env::var_os(FOLDER_VARIABLE).filter(|v| !v.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => directories::ProjectDirs::from("", "", "gradscape")?
            .config_dir()
            .to_path_buf(),
    };
    Some(folder.join("settings.toml"))
}

impl Settings {
    /// What was kept, or the defaults in the environment's language where
    /// nothing was; with a notice if something was and cannot be used.
    pub fn load() -> (Settings, Option<Notice>) {
        let fresh = || Settings {
            choices: Choices {
                language: Language::of_environment(),
                ..Choices::default()
            },
            ..Settings::default()
        };
        let Some(path) = settings_path() else {
            return (fresh(), None);
        };
        match Self::read(&path) {
            Ok(Some(settings)) => (settings, None),
            Ok(None) => (fresh(), None),
            Err(error) => {
                let notice = Notice {
                    message: error.to_string(),
                    error: true,
                };
                (fresh(), Some(notice))
            }
        }
    }

    /// The settings in a file; `None` if there is no such file.
    pub fn read(path: &Path) -> Result<Option<Settings>, SettingsError> {
        let wrong = |message: String| SettingsError::Read {
            path: path.into(),
            message,
        };
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(error.to_string())),
            Ok(text) => text,
        };
        let mut settings: Settings =
            toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))?;
        settings.choices = settings.choices.sane();
        Ok(Some(settings))
    }

    /// Writes the file whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), SettingsError> {
        let failed = |source: std::io::Error| SettingsError::Write {
            path: path.into(),
            source,
        };
        let text = toml::to_string(self).map_err(|e| failed(std::io::Error::other(e)))?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let draft = path.with_extension(format!("toml.{}", std::process::id()));
        std::fs::write(&draft, text)
            .and_then(|()| std::fs::rename(&draft, path))
            .map_err(|source| {
                // What was half written is of no use to anybody.
                let _ = std::fs::remove_file(&draft);
                failed(source)
            })
    }

    /// The experiment shown last, if it is still a valid one.
    pub fn experiment(&self) -> Option<Experiment> {
        let mut experiment = Experiment::parse(self.experiment.as_deref()?, "settings").ok()?;
        if let Some(folder) = &self.folder {
            experiment.base.clone_from(folder);
        }
        Some(experiment)
    }

    /// Remembers an experiment; not one that has a large network's weights in it, which
    /// would be written at every change.
    pub fn set_experiment(&mut self, experiment: &Experiment) {
        let weights = experiment.network.weights.as_ref();
        if weights.is_some_and(|weights| weights.len() > MOST_WEIGHTS) {
            return;
        }
        self.experiment = experiment.to_toml().ok();
        // Relative to the working directory, it would mean another place at the next start.
        self.folder = std::path::absolute(&experiment.base).ok();
        if experiment.base.as_os_str().is_empty() {
            self.folder = std::env::current_dir().ok();
        }
    }
}

/// Applies settings at the start and keeps what changes. Add it after
/// [`GradscapePlugins`](super::GradscapePlugins) and [`UiPlugin`](super::ui::UiPlugin).
pub struct SettingsPlugin {
    /// What was loaded.
    pub settings: Settings,
    /// What the user should know about the loading.
    pub notice: Option<Notice>,
}

impl Plugin for SettingsPlugin {
    fn build(&self, app: &mut App) {
        let choices = &self.settings.choices;
        app.insert_resource(choices.clone())
            .insert_resource(choices.theme)
            .insert_resource(Texts::new(choices.language))
            .insert_resource(choices.network.clone())
            .insert_resource(choices.surface.clone())
            .insert_resource(choices.motion)
            .insert_resource(Keeper {
                path: settings_path(),
                kept: self.settings.clone(),
                experiment: None,
                learning_rate: f64::NAN,
                pending: None,
            })
            .add_systems(Startup, apply_mode)
            .add_systems(Last, keep);
        if let Some(notice) = &self.notice {
            let mut notices = app.world_mut().get_resource_or_init::<Notices>();
            notices.0.push(notice.clone());
        }
    }
}

fn apply_mode(choices: Res<Choices>, mut next: ResMut<NextState<ViewMode>>) {
    next.set(choices.mode);
}

/// What is in the file, and what waits to be.
#[derive(Resource)]
struct Keeper {
    path: Option<PathBuf>,
    kept: Settings,
    experiment: Option<Arc<crate::train::Problem>>,
    learning_rate: f64,
    pending: Option<(Settings, Instant)>,
}

fn keep(
    mut keeper: ResMut<Keeper>,
    choices: Res<Choices>,
    training: Res<Training>,
    mut exits: MessageReader<AppExit>,
    mut notices: ResMut<Notices>,
    redraw: Option<ResMut<Messages<RequestRedraw>>>,
) {
    // What is trained elsewhere is not what one goes on with here.
    let is_own = training.elsewhere.is_none();
    let new_problem = keeper
        .experiment
        .as_ref()
        .is_none_or(|known| !Arc::ptr_eq(known, &training.problem));
    let new_rate = keeper.learning_rate != training.snapshot.base_learning_rate;
    let (new_problem, new_rate) = (is_own && new_problem, is_own && new_rate);
    if new_problem || new_rate || choices.is_changed() {
        let mut now = keeper
            .pending
            .as_ref()
            .map_or(&keeper.kept, |(s, _)| s)
            .clone();
        now.choices = choices.clone();
        if new_problem || new_rate {
            // With the step size in force, which can be changed while it runs.
            let mut experiment = training.problem.experiment.clone();
            let rate = training.snapshot.base_learning_rate;
            experiment.training.optimizer.learning_rate = rate;
            now.set_experiment(&experiment);
            keeper.learning_rate = rate;
            keeper.experiment = Some(Arc::clone(&training.problem));
        }
        keeper.pending = (now != keeper.kept).then(|| (now, Instant::now()));
    }
    let leaving = exits.read().next().is_some();
    let Some((settings, since)) = &keeper.pending else {
        return;
    };
    if !leaving && since.elapsed() < QUIET {
        // At rest the next frame would come when it is too late.
        if let Some(mut redraw) = redraw {
            redraw.write(RequestRedraw);
        }
        return;
    }
    let settings = settings.clone();
    let result = match &keeper.path {
        Some(path) => settings.write(path),
        None => Err(SettingsError::NoFolder),
    };
    if let Err(error) = result {
        // Said once: where it cannot be written now it cannot be later.
        keeper.path = None;
        if !matches!(error, SettingsError::NoFolder) {
            notices.0.push(Notice {
                message: error.to_string(),
                error: true,
            });
        }
    }
    keeper.kept = settings;
    keeper.pending = None;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed() -> Settings {
        let mut settings = Settings::default();
        settings.choices.theme = Theme::LIGHT;
        settings.choices.language = Language::Chinese;
        settings.choices.scale = 1.75;
        settings.choices.speed = f64::INFINITY;
        settings.choices.right_panel = Some(false);
        settings.choices.mode = ViewMode::Together;
        settings.choices.surface.directions = crate::landscape::Directions::Weights(3, 9);
        let text = "seed = 3\n[data]\nsource = \"moons\"\n[network]\nloss = \"cross-entropy\"\n";
        settings.set_experiment(&Experiment::parse(text, "test").unwrap());
        settings
    }

    #[test]
    fn what_is_written_is_read_back_and_leaves_no_draft() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/settings.toml");
        let settings = changed();
        settings.write(&path).unwrap();
        assert_eq!(Settings::read(&path).unwrap().unwrap(), settings);
        assert_eq!(settings.experiment().unwrap().data.source, "moons");
        let files = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1);
    }

    #[test]
    fn a_broken_file_is_an_error_that_names_it_and_a_missing_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        assert!(Settings::read(&path).unwrap().is_none());
        for broken in ["[choices", "[choices]\ntheme = \"pink\"", "\u{0}"] {
            std::fs::write(&path, broken).unwrap();
            let error = Settings::read(&path).unwrap_err().to_string();
            assert!(error.contains("settings.toml"), "{error}");
        }
    }

    #[test]
    fn numbers_out_of_range_and_unknown_keys_do_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let text = "later = 1\n[choices]\nscale = 99.0\nspeed = -1.0\n[choices.surface]\ngrid = 1\nrange = nan\n";
        std::fs::write(&path, text).unwrap();
        let choices = Settings::read(&path).unwrap().unwrap().choices;
        assert_eq!((choices.scale, choices.speed), (3.0, f64::INFINITY));
        assert_eq!((choices.surface.grid, choices.surface.range), (9, 1.0));
    }

    #[test]
    fn an_experiment_that_no_longer_reads_is_forgotten() {
        let settings = Settings {
            experiment: Some("seed = \"x\"".to_owned()),
            ..Settings::default()
        };
        assert_eq!(settings.experiment(), None);
    }
}
