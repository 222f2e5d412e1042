//! What of a run goes out of the window: a report, a film, files. Each is made by a command
//! of the program's own beside the window.

use super::RunsPanel;
use crate::app::ui::stage::{Intent, Stage};
use crate::app::ui::widgets::control_id;
use crate::app::{Choices, Errand, Language, Notice, ViewMode};
use crate::data::source_info;
use crate::figure::Tone;
use bevy_egui::egui::{self, DragValue, Key, ProgressBar, Sense, TextEdit, Ui};
use std::path::{Path, PathBuf};

/// Frames of a film unless the user says otherwise, the most, and how many a second.
const FRAMES: usize = 200;
const MOST_FRAMES: usize = 5_000;
const RATE: usize = 25;
/// The sizes of a film, and the scale at which text on it is as large a share of it.
const SIZES: [(&str, &str); 3] = [("1280x720", "1"), ("1920x1080", "1.5"), ("3840x2160", "3")];

/// What is made of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Report,
    Film,
    Files,
}

impl What {
    const ALL: [What; 3] = [What::Report, What::Film, What::Files];

    fn name(self) -> &'static str {
        match self {
            What::Report => "runs/report",
            What::Film => "runs/film",
            What::Files => "runs/files",
        }
    }

    /// What its button says, and what is asked for when it is clicked.
    fn texts(self) -> [&'static str; 2] {
        match self {
            What::Report => ["runs.report", "runs.report_path"],
            What::Film => ["runs.film", "runs.film_path"],
            What::Files => ["runs.files", "runs.files_path"],
        }
    }

    /// Where it goes unless the user says otherwise.
    fn path(self, folder: &Path, run: &Path) -> PathBuf {
        let stem = run.file_stem().unwrap_or_default().to_string_lossy();
        folder.join(match self {
            What::Report => format!("{stem}.html"),
            What::Film => format!("{stem}.gif"),
            What::Files => stem.into_owned(),
        })
    }

    /// The command that makes it; `plane` says whether the run's data have two inputs.
    fn args(
        self,
        run: &Path,
        path: &Path,
        film: Film,
        plane: bool,
        choices: &Choices,
    ) -> Vec<String> {
        let run = run.display().to_string();
        let path = path.display().to_string();
        let language = match choices.language {
            Language::English => "en",
            Language::Chinese => "zh",
        };
        let theme = match choices.theme.tone {
            Tone::Dark => "dark",
            Tone::Light => "light",
        };
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut args = match self {
            What::Report => words(&format!("report --lang {language} --theme {theme}")),
            What::Files => words("export-run"),
            What::Film => {
                let view = match choices.mode {
                    ViewMode::Network => "network",
                    ViewMode::Surface => "surface",
                    ViewMode::Both => "both",
                    ViewMode::Together => "together",
                };
                let (frames, (size, scale)) = (film.frames, SIZES[film.size]);
                let mut args = words(&format!(
                    "capture --replay --frames {frames} --size {size} --scale {scale} --fps {RATE} --orbit 20 --view {view} --lang {language} --theme {theme}"
                ));
                if choices.mode != ViewMode::Network {
                    let surface = &choices.surface;
                    args.extend([
                        format!("--directions={}", surface.directions),
                        format!("--range={}", surface.range),
                    ]);
                    args.extend(surface.log_height.then(|| "--log".to_owned()));
                }
                let network = &choices.network;
                args.extend(network.maps.then(|| "--maps".to_owned()));
                args.extend((network.fields && plane).then(|| "--fields".to_owned()));
                args
            }
        };
        args.extend([run, "--out".to_owned(), path]);
        args
    }
}

/// How large and how long a film is.
#[derive(Debug, Clone, Copy)]
struct Film {
    /// Which of [`SIZES`].
    size: usize,
    frames: usize,
}

impl Default for Film {
    fn default() -> Self {
        Film {
            size: 0,
            frames: FRAMES,
        }
    }
}

/// The one that is at work, and what is being asked before it is.
#[derive(Debug, Default)]
pub(super) struct HandOn {
    typing: Option<(What, String)>,
    errand: Option<Errand>,
    film: Film,
    /// The program, if it is not this one.
    pub(super) program: Option<PathBuf>,
}

impl HandOn {
    /// Whether something is being made.
    pub(super) fn is_busy(&self) -> bool {
        self.errand.is_some()
    }

    /// Says what has been made, or why not.
    pub(super) fn follow(&mut self, stage: &mut Stage<'_>) {
        let Some((errand, end)) = self.errand.as_ref().and_then(|e| Some((e, e.end()?))) else {
            return;
        };
        let shown = errand.path.display();
        let notice = match end {
            Ok(()) => Notice {
                message: stage.texts.with("runs.made", &[("path", &shown)]),
                error: false,
            },
            Err(reason) => Notice {
                message: stage
                    .texts
                    .with("runs.not_made", &[("path", &shown), ("why", &reason)]),
                error: true,
            },
        };
        self.errand = None;
        stage.intents.push(Intent::Notify(notice));
    }

    fn start(&mut self, ctx: &egui::Context, args: &[String], path: PathBuf) -> Result<(), String> {
        let own = match &self.program {
            Some(program) => program.clone(),
            None => std::env::current_exe().map_err(|error| error.to_string())?,
        };
        let ctx = ctx.clone();
        let errand = Errand::start(&own, args, path, move || ctx.request_repaint());
        self.errand = Some(errand.map_err(|error| error.to_string())?);
        Ok(())
    }
}

/// A line in place of the actions, while a path is asked for or something is made; whether
/// there is one.
pub(super) fn line(ui: &mut Ui, runs: &mut RunsPanel, stage: &Stage<'_>) -> bool {
    let button = |ui: &mut Ui, name: &str, key: &str, enabled: bool| {
        let response = ui.add_enabled(enabled, egui::Button::new(stage.texts.get(key)));
        ui.interact(response.rect, control_id(name), Sense::hover());
        response.clicked()
    };
    if let Some(errand) = &mut runs.hand_on.errand {
        let progress = errand.progress();
        ui.horizontal(|ui| {
            let name = errand.path.file_name().unwrap_or_default();
            ui.label(name.to_string_lossy());
            let share = progress.done as f32 / progress.of.max(1) as f32;
            ui.add(
                ProgressBar::new(share)
                    .desired_width(280.0)
                    .show_percentage(),
            );
            if button(ui, "runs/stop", "runs.cancel", true) {
                errand.cancel();
            }
        });
        return true;
    }
    let Some((what, mut text)) = runs.hand_on.typing.take() else {
        return false;
    };
    let Some(run) = runs.chosen.iter().next().cloned() else {
        return false;
    };
    ui.horizontal_wrapped(|ui| {
        let [_, ask] = what.texts();
        ui.label(stage.texts.get(ask));
        let edit = TextEdit::singleline(&mut text).desired_width(match what {
            What::Film => 250.0,
            _ => 420.0,
        });
        let response = ui.push_id(control_id("runs/path"), |ui| ui.add(edit)).inner;
        let film = &mut runs.hand_on.film;
        let mut elsewhere = false;
        if what == What::Film {
            elsewhere = choices_of(ui, film, stage);
        }
        if !elsewhere {
            response.request_focus();
        }
        let named = !text.trim().is_empty();
        let entered = ui.input(|input| input.key_pressed(Key::Enter));
        let escaped = ui.input(|input| input.key_pressed(Key::Escape));
        if button(ui, "runs/make", "runs.ok", named) || (entered && named) {
            let path = PathBuf::from(text.trim());
            let path = std::path::absolute(&path).unwrap_or(path);
            let listed = runs.listing.runs.iter().find(|listed| listed.path == run);
            let data = listed.and_then(|listed| source_info(&listed.info.data));
            let plane = data.is_some_and(|data| data.inputs == 2);
            let args = what.args(&run, &path, runs.hand_on.film, plane, stage.choices);
            runs.fault = runs.hand_on.start(ui.ctx(), &args, path).err();
        } else if !escaped && !button(ui, "runs/cancel", "runs.cancel", true) {
            runs.hand_on.typing = Some((what, text));
        }
    });
    true
}

/// How large and how long a film is to be; whether the user is at these and not at the path.
fn choices_of(ui: &mut Ui, film: &mut Film, stage: &Stage<'_>) -> bool {
    let size = egui::ComboBox::from_id_salt(control_id("runs/film_size"))
        .selected_text(SIZES[film.size].0.replace('x', "×"))
        .width(104.0)
        .show_ui(ui, |ui| {
            for (at, (name, _)) in SIZES.iter().enumerate() {
                ui.selectable_value(&mut film.size, at, name.replace('x', "×"));
            }
        });
    let frames = ui.add(DragValue::new(&mut film.frames).range(2..=MOST_FRAMES));
    ui.label(stage.t("runs.film_frames"));
    size.inner.is_some() || frames.has_focus() || frames.dragged()
}

/// The buttons, for the one run that is chosen.
pub(super) fn buttons(ui: &mut Ui, runs: &mut RunsPanel, stage: &Stage<'_>, one: bool) {
    for what in What::ALL {
        let [key, _] = what.texts();
        let response = ui.add_enabled(one, egui::Button::new(stage.texts.get(key)));
        ui.interact(response.rect, control_id(what.name()), Sense::hover());
        if response.clicked()
            && let Some(run) = runs.chosen.iter().next()
        {
            let path = what.path(&folder(), run);
            runs.hand_on.typing = Some((what, path.display().to_string()));
        }
    }
}

/// Where the user keeps documents, or the working folder.
fn folder() -> PathBuf {
    let documents = directories::UserDirs::new()
        .and_then(|dirs| dirs.document_dir().map(PathBuf::from))
        .filter(|folder| folder.is_dir());
    documents
        .or_else(|| std::env::current_dir().ok())
        .unwrap_or_default()
}
