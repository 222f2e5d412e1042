//! From a plan of a capture to its file.

use super::CapturePlan;
use crate::cli::{CliError, Out};

/// How long the last frame of a film is shown before it begins again, in seconds.
#[cfg(feature = "app")]
const REST: f64 = 1.5;

/// Renders a plan into its file.
///
/// # Errors
/// When nothing can be drawn here, or the file cannot be written.
#[cfg(feature = "app")]
pub fn shoot(plan: &CapturePlan, out: &mut Out) -> Result<(), CliError> {
    use super::{InsideName, ViewName};
    use crate::app::capture::{Shot, Sight, capture_told};
    use crate::app::ui::Tab;
    use crate::app::{
        ArenaView, Ground, HeatView, Item, Language, NetworkView, SurfaceView, Theme, ViewMode,
    };
    use crate::cli::interrupt::Interrupt;
    use crate::figure::{Film, FilmFormat, FilmPlan, Pixels};
    use std::sync::Arc;

    let usual = SurfaceView::default();
    let racing = !plan.arena.racers.is_empty();
    let last = plan.arena.race_steps + (plan.frames * plan.steps) as u64;
    let mut arena = ArenaView {
        racing,
        steps: last.max(ArenaView::default().steps),
        ..ArenaView::default()
    };
    if racing {
        arena.racers.clone_from(&plan.arena.racers);
    }
    if let Some(function) = &plan.arena.function {
        arena.ground = Ground::Function;
        arena.function.clone_from(&function.text);
        (arena.domain, arena.start) = (function.domain, function.start);
        arena.log_height = plan.log;
    }
    let shot = Shot {
        problem: Arc::clone(&plan.problem),
        params: plan.params.as_deref().map(Arc::from),
        view: match plan.view {
            ViewName::Network => ViewMode::Network,
            ViewName::Surface => ViewMode::Surface,
            ViewName::Both => ViewMode::Both,
            ViewName::Together => ViewMode::Together,
        },
        size: plan.size,
        frames: plan.frames,
        epochs: plan.epochs,
        events: plan.events,
        steps: plan.steps,
        orbit: plan.orbit,
        theme: Theme::from(plan.theme),
        language: Language::from(plan.language),
        scale: plan.scale,
        panels: plan.panels,
        smooth: true,
        past: plan.past.clone(),
        replay: plan.replay,
        frame_time: std::time::Duration::from_secs_f64(1.0 / plan.rate),
        network: NetworkView {
            maps: plan.maps,
            fields: plan.fields,
            heat: HeatView {
                colors: plan.colors,
                own_scale: plan.own_scale,
            },
            ..NetworkView::default()
        },
        arena,
        race_at: plan.arena.race_steps,
        beside: plan.arena.beside,
        rivals: plan.with.clone(),
        inside: plan.inside.map(|name| match name {
            InsideName::Structure => Tab::Structure,
            InsideName::Weights => Tab::Weights,
            InsideName::Filters => Tab::Filters,
            InsideName::Features => Tab::Features,
            InsideName::Batch => Tab::Batch,
            InsideName::Histograms => Tab::Histograms,
            InsideName::Curves => Tab::Curves,
            InsideName::Scores => Tab::Scores,
            InsideName::Flow => Tab::Flow,
            InsideName::Diagnosis => Tab::Diagnosis,
            InsideName::Explanation => Tab::Explanation,
            InsideName::Maximise => Tab::Maximise,
            InsideName::Similarity => Tab::Similarity,
            InsideName::Compare => Tab::Compare,
        }),
        surface: SurfaceView {
            directions: plan.directions.unwrap_or(usual.directions),
            scope: plan.scope.clone(),
            measure: plan.measure,
            range: plan.range.unwrap_or(usual.range),
            log_height: plan.log || usual.log_height,
            ..usual
        },
    };
    let interrupt = Interrupt::listen();
    let before = out.start_bar(plan.epochs as u64, "training");
    let bar = out.start_bar(plan.frames as u64, "frames");
    let mut film = match FilmFormat::of(&plan.out) {
        Some(_) => Some(Film::create(
            &plan.out,
            FilmPlan {
                size: plan.size,
                frames: plan.frames,
                rate: plan.rate,
                rest: REST,
            },
        )?),
        None => None,
    };
    let selected = plan
        .select
        .map(|[column, unit]| Item::Neuron { column, unit });
    let sight = Sight {
        selected,
        model: plan.model.clone(),
        open_all: plan.open_all,
        find: plan.find.clone(),
    };
    let train = |epochs: usize| {
        before.set_position(epochs as u64);
        !interrupt.is_raised()
    };
    let done = capture_told(&shot, &sight, train, |index, frame| {
        if interrupt.is_raised() {
            return Err("interrupted; nothing was written".to_owned());
        }
        before.finish_and_clear();
        bar.inc(1);
        let last = index + 1 == plan.frames;
        let pixels = Pixels {
            width: frame.width,
            height: frame.height,
            rgba: frame.rgba,
        };
        let kept = match &mut film {
            Some(film) => film.add(&pixels),
            None if last => pixels.png().and_then(|bytes| {
                crate::files::replace(&plan.out, &bytes).map_err(|source| {
                    crate::figure::FigureError::Io {
                        path: plan.out.clone(),
                        source,
                    }
                })
            }),
            None => Ok(()),
        };
        kept.map_err(|error| error.to_string())
    });
    out.end_bar();
    done.map_err(|error| CliError::Failed(error.to_string()))?;
    film.map_or(Ok(()), |film| Ok(film.finish()?))
}

/// Renders a plan into its file.
///
/// # Errors
/// Always: this build has no graphics.
#[cfg(not(feature = "app"))]
pub fn shoot(_: &CapturePlan, _: &mut Out) -> Result<(), CliError> {
    Err(crate::cli::no_graphics())
}
