//! `gradscape lesson`: a lesson in the window, or as pictures.

use super::CliError;
use super::capture::LangName;
use super::surface::ThemeName;
use crate::lesson::{LESSONS, Lesson};
use clap::Args;
use std::path::{Path, PathBuf};

/// Give a lesson: scene by scene, full screen; or list the lessons
#[derive(Args, Debug, Clone)]
pub struct LessonArgs {
    /// The name of a lesson, or a file of your own; without it, what lessons there are
    #[arg(value_name = "NAME|FILE")]
    lesson: Option<String>,

    /// Write a picture of each scene into this folder instead of opening the window
    #[arg(long, value_name = "DIR", requires = "lesson")]
    capture: Option<PathBuf>,

    /// The size of the pictures, in pixels
    #[arg(long, value_name = "WxH", default_value = "1280x720", value_parser = super::capture::size, requires = "capture")]
    size: (u32, u32),

    /// The language; in the window it is the one chosen there last
    #[arg(long, value_name = "LANG", value_enum)]
    lang: Option<LangName>,

    /// The theme; in the window it is the one chosen there last
    #[arg(long, value_name = "THEME", value_enum)]
    theme: Option<ThemeName>,
}

/// Obeys `gradscape lesson`.
///
/// # Errors
/// When there is no such lesson, it is wrong, or nothing can be drawn here.
pub fn run(args: &LessonArgs) -> Result<(), CliError> {
    let Some(name) = &args.lesson else {
        return list();
    };
    let lesson = Lesson::find(name).map_err(|error| CliError::Failed(error.to_string()))?;
    match &args.capture {
        Some(folder) => capture(args, lesson, folder),
        None => open(args, lesson, name),
    }
}

#[allow(clippy::print_stdout)] // the list is what was asked for
fn list() -> Result<(), CliError> {
    for bundled in LESSONS {
        let lesson =
            Lesson::find(bundled.name).map_err(|error| CliError::Failed(error.to_string()))?;
        println!(
            "{:<20} {} ({} scenes)\n{:<20} {}",
            bundled.name,
            lesson.title.en,
            lesson.scenes.len(),
            "",
            lesson.summary.en
        );
    }
    Ok(())
}

#[cfg(feature = "app")]
fn open(args: &LessonArgs, lesson: Lesson, name: &str) -> Result<(), CliError> {
    use crate::app::run::Opening;
    use crate::app::{Language, Lecture, Settings, Theme};
    use std::sync::Arc;

    let (mut settings, _) = Settings::load();
    if let Some(lang) = args.lang {
        settings.choices.language = Language::from(lang);
    }
    if let Some(theme) = args.theme {
        settings.choices.theme = Theme::from(theme);
    }
    let problem = first_problem(&lesson)?;
    let is_file = name.ends_with(".toml");
    let opening = Opening {
        problem: Arc::new(problem),
        file: None,
        start: false,
        settings: Some((settings, None)),
        run: None,
        // What is shown in a lesson is nobody's own.
        runs: None,
        lecture: Some(Lecture::of(lesson, is_file.then(|| PathBuf::from(name)))),
        watch: None,
    };
    super::open::show(&opening)
}

#[cfg(feature = "app")]
fn first_problem(lesson: &Lesson) -> Result<crate::train::Problem, CliError> {
    let experiment = lesson
        .experiment_of(0)
        .ok_or_else(|| CliError::Failed("the lesson has no scene".to_owned()))?;
    Ok(crate::train::Problem::new(&experiment)?)
}

/// What the first scene shows, so that nothing else is prepared before it.
#[cfg(feature = "app")]
fn first_view(lesson: &Lesson) -> crate::app::ViewMode {
    let first = lesson.scenes.first().map(|scene| scene.view);
    first.unwrap_or_default().into()
}

#[cfg(feature = "app")]
fn capture(args: &LessonArgs, lesson: Lesson, folder: &Path) -> Result<(), CliError> {
    use crate::app::capture::{Shot, capture_lesson};
    use crate::app::{ArenaView, Language, NetworkView, SurfaceView, Theme};
    use crate::figure::Pixels;
    use std::sync::Arc;

    std::fs::create_dir_all(folder).map_err(|error| CliError::io(folder, error))?;
    let shot = Shot {
        problem: Arc::new(first_problem(&lesson)?),
        params: None,
        view: first_view(&lesson),
        size: args.size,
        frames: 1,
        frame_time: std::time::Duration::from_millis(33),
        past: None,
        replay: false,
        epochs: 0,
        steps: 1,
        orbit: 0.0,
        theme: args.theme.map_or(Theme::DARK, Theme::from),
        language: args.lang.map_or(Language::English, Language::from),
        scale: 1.0,
        panels: true,
        smooth: true,
        network: NetworkView::default(),
        surface: SurfaceView::default(),
        arena: ArenaView::default(),
        race_at: 0,
        rivals: Vec::new(),
        inside: None,
        beside: None,
        events: None,
    };
    let interrupt = super::interrupt::Interrupt::listen();
    let mut out = super::Out::stdout(false);
    let bar = out.start_bar(lesson.scenes.len() as u64, "scenes");
    let done = capture_lesson(&shot, &Arc::new(lesson), |scene, frame| {
        if interrupt.is_raised() {
            return Err("interrupted; the pictures before are there".to_owned());
        }
        bar.inc(1);
        let pixels = Pixels {
            width: frame.width,
            height: frame.height,
            rgba: frame.rgba,
        };
        let bytes = pixels.png().map_err(|error| error.to_string())?;
        let path = folder.join(format!("scene-{:02}.png", scene + 1));
        std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    });
    out.end_bar();
    done.map_err(|error| CliError::Failed(error.to_string()))
}

#[cfg(not(feature = "app"))]
fn open(_: &LessonArgs, _: Lesson, _: &str) -> Result<(), CliError> {
    Err(super::no_graphics())
}

#[cfg(not(feature = "app"))]
fn capture(_: &LessonArgs, _: Lesson, _: &Path) -> Result<(), CliError> {
    Err(super::no_graphics())
}

#[cfg(feature = "app")]
impl From<LangName> for crate::app::Language {
    fn from(name: LangName) -> Self {
        match name {
            LangName::En => crate::app::Language::English,
            LangName::Zh => crate::app::Language::Chinese,
        }
    }
}

#[cfg(feature = "app")]
impl From<ThemeName> for crate::app::Theme {
    fn from(name: ThemeName) -> Self {
        match name {
            ThemeName::Dark => crate::app::Theme::DARK,
            ThemeName::Light => crate::app::Theme::LIGHT,
        }
    }
}
