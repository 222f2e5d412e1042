//! `gradscape open` and `gradscape` alone: the window.

use super::CliError;
use clap::Args;

/// Open the window, with an experiment if one is named
#[derive(Args, Debug, Clone, Default)]
pub struct OpenArgs {
    /// An experiment file, a recorded run, a folder that `train` wrote, the name of a sample, or a model
    ///
    /// A model of another program (.onnx, .h5, .keras, .pt, .pth, .safetensors, .npz) that the
    /// engine cannot express is shown as a graph.
    #[arg(value_name = "FILE")]
    file: Option<String>,
    /// The data of a model or of what is watched: a built-in name, or a CSV, NPZ or IDX file
    #[arg(long, value_name = "SOURCE")]
    data: Option<String>,
    /// Show what is trained elsewhere: a folder of logs or checkpoints, tcp, or tcp:PORT
    #[arg(long, value_name = "SOURCE", conflicts_with = "file")]
    watch: Option<String>,
    /// With --watch tcp, listen at this address instead of on this machine alone
    #[arg(long, value_name = "ADDR:PORT", requires = "watch")]
    listen: Option<std::net::SocketAddr>,
}

/// Obeys `gradscape open`.
///
/// # Errors
/// When the experiment cannot be read, or no window can be opened.
#[cfg(feature = "app")]
pub fn run(args: &OpenArgs) -> Result<(), CliError> {
    use super::samples::SAMPLES;
    use crate::app::run::Opening;
    use crate::app::{Notice, Settings};
    use crate::interop::is_model;
    use crate::train::Problem;
    use std::sync::Arc;

    if let Some(source) = &args.watch {
        let kind = crate::watch::SourceKind::parse(source, args.listen);
        return watch(&kind.map_err(CliError::Usage)?, args.data.clone());
    }
    if args.data.is_some() && args.file.is_none() {
        return Err(CliError::Usage(
            "--data goes with a model's FILE, or with --watch".to_owned(),
        ));
    }
    let mut run = None;
    let mut load = |name: &str| -> Result<Problem, CliError> {
        let experiment = match &args.data {
            Some(data) => super::source::find_experiment_on(name, Some(data))?,
            None => {
                let (experiment, recorded) = super::source::find(name)?;
                if let Some(super::source::Recorded::File(path)) = recorded {
                    run = Some(path);
                }
                experiment
            }
        };
        Ok(Problem::new(&experiment)?)
    };
    let (settings, mut notice) = Settings::load();
    let named = args.file.as_deref();
    // A model may be large: the window is there first, and says how far it has come.
    let model = named.map(std::path::PathBuf::from);
    let model = model.filter(|path| args.data.is_none() && is_model(path) && path.is_file());
    let problem = match named {
        Some(_) if model.is_some() => load(SAMPLES[0].name)?,
        Some(file) => load(file)?,
        None => match settings.experiment().map(|e| Problem::new(&e)) {
            Some(Ok(problem)) => problem,
            // What was shown last is no longer there: say so and begin anew.
            Some(Err(error)) => {
                notice = Some(Notice {
                    message: error.to_string(),
                    error: true,
                });
                load(SAMPLES[0].name)?
            }
            None => load(SAMPLES[0].name)?,
        },
    };
    let opening = Opening {
        problem: Arc::new(problem),
        file: model,
        start: args.file.is_none(),
        settings: Some((settings, notice)),
        run,
        runs: crate::run::Catalogue::standard(),
        lecture: None,
        watch: None,
    };
    show(&opening)
}

/// Obeys `gradscape watch --window` and `gradscape open --watch`.
///
/// # Errors
/// When no window can be opened.
#[cfg(feature = "app")]
pub fn watch(kind: &crate::watch::SourceKind, data: Option<String>) -> Result<(), CliError> {
    use crate::app::{Settings, WatchWish};
    use crate::train::Problem;
    let (settings, notice) = Settings::load();
    // Until a network is told, what was shown last stands there.
    let last = settings.experiment().and_then(|e| Problem::new(&e).ok());
    let problem = match last {
        Some(problem) => problem,
        None => Problem::new(&super::source::find(super::samples::SAMPLES[0].name)?.0)?,
    };
    show(&crate::app::run::Opening {
        problem: std::sync::Arc::new(problem),
        start: false,
        settings: Some((settings, notice)),
        file: None,
        run: None,
        runs: crate::run::Catalogue::standard(),
        lecture: None,
        watch: Some(WatchWish::Start(kind.clone(), data)),
    })
}

/// Opens the window and waits until it is closed.
///
/// # Errors
/// When it cannot be opened, or an error closed it.
#[cfg(feature = "app")]
pub(super) fn show(opening: &crate::app::run::Opening) -> Result<(), CliError> {
    match crate::app::run::run(opening) {
        Ok(true) => Ok(()),
        Ok(false) => Err(CliError::Failed(
            "the window was closed by an error; its message is above".to_owned(),
        )),
        Err(error) => Err(CliError::Failed(error.to_string())),
    }
}

/// Obeys `gradscape open`.
///
/// # Errors
/// Always: this build has no graphics.
#[cfg(not(feature = "app"))]
pub fn run(_: &OpenArgs) -> Result<(), CliError> {
    Err(super::no_graphics())
}

/// Obeys `gradscape watch --window` and `gradscape open --watch`.
///
/// # Errors
/// Always: this build has no graphics.
#[cfg(not(feature = "app"))]
pub fn watch(_: &crate::watch::SourceKind, _: Option<String>) -> Result<(), CliError> {
    Err(super::no_graphics())
}

/// Why no window can be opened here, if so.
#[cfg(feature = "app")]
pub fn obstacle() -> Option<String> {
    let found = crate::app::graphics::find_display();
    found.err().map(|error| match error {
        crate::app::graphics::GraphicsError::NoDisplay(why) => why,
        other => other.to_string(),
    })
}

/// Why no window can be opened here, if so.
#[cfg(not(feature = "app"))]
pub fn obstacle() -> Option<String> {
    Some("this build has no window (it was made without the feature `app`)".to_owned())
}
