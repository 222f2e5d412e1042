//! A race's files: tables of the paths, and pictures.

use super::RaceArgs;
use super::arena::{Arena, View};
use super::table::number;
use crate::cli::interrupt::Interrupt;
use crate::cli::run_folder::write;
use crate::cli::surface::ending;
use crate::cli::{CliError, Out};
use crate::figure::{PathsFigure, RaceCurve, RaceCurvesFigure, RacePath, write_figure};
use crate::race::{Course, Race, Racer};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A file of a race, by its ending.
pub(super) fn output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ending(&path).as_deref() {
        Some("csv" | "json" | "png" | "svg") => Ok(path),
        _ => Err("races are written as .csv, .json, .png or .svg".to_owned()),
    }
}

/// A picture, by its ending.
pub(super) fn picture(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ending(&path).as_deref() {
        Some("png" | "svg") => Ok(path),
        _ => Err("pictures end in .png or .svg".to_owned()),
    }
}

/// Writes everything that was asked for; gives the files.
pub(super) fn write_all<'a>(
    args: &'a RaceArgs,
    arena: &Arena,
    race: &Race,
    interrupt: &Interrupt,
    out: &mut Out,
) -> Result<Vec<&'a PathBuf>, CliError> {
    let is_picture = |p: &&PathBuf| matches!(ending(p).as_deref(), Some("png" | "svg"));
    let on_network = matches!(race.course(), Course::Network { .. });
    // A table of a network's paths has their places in the plane.
    let wanted = args.out.iter().any(|p| is_picture(&p) || on_network);
    let view = if wanted {
        let bar = out.start_bar(1, "surface");
        let view = arena.view(race, args.grid, args.range, interrupt);
        bar.inc(1);
        out.end_bar();
        Some(view?)
    } else {
        None
    };
    for file in &args.out {
        match (ending(file).as_deref(), &view) {
            (Some("csv"), view) => write_csv(file, race, view.as_ref())?,
            (Some("json"), view) => write_json(file, arena, race, view.as_ref())?,
            (_, Some(view)) => {
                write_figure(file, paths_figure(args, arena, race, view).draw()?, 1.5)?;
            }
            (_, None) => {}
        }
    }
    for file in &args.losses {
        let figure = curves_figure(args, arena, race);
        write_figure(file, figure.draw()?, 1.5)?;
    }
    Ok(args.out.iter().chain(&args.losses).collect())
}

/// The paths in the order of the standings.
fn paths_figure<'a>(
    args: &RaceArgs,
    arena: &Arena,
    race: &Race,
    view: &'a View,
) -> PathsFigure<'a> {
    let mut contour = view.contour(format!(
        "{}: race after {} steps",
        short(arena.title()),
        race.steps()
    ));
    contour.tone = args.theme.into();
    contour.heights = args.heights.into();
    let paths = race
        .standings()
        .into_iter()
        .enumerate()
        .filter_map(|(i, s)| {
            let at = race.racers().iter().position(|r| r.id() == s.id)?;
            Some(RacePath {
                color: s.color,
                number: i + 1,
                label: if s.diverged {
                    format!("{}: diverged", s.name)
                } else {
                    format!("{}: {}", s.name, number(s.loss))
                },
                points: view.paths[at].clone(),
            })
        });
    PathsFigure {
        paths: paths.collect(),
        contour,
        marks: view.minima.clone(),
    }
}

fn curves_figure(args: &RaceArgs, arena: &Arena, race: &Race) -> RaceCurvesFigure {
    let curve = |racer: &Racer| RaceCurve {
        color: racer.color(),
        name: racer.name().to_owned(),
        points: match racer.weight_path() {
            [] => racer
                .ball_path()
                .iter()
                .map(|p| (p.step, p.value))
                .collect(),
            path => path.iter().map(|p| (p.step, p.loss)).collect(),
        },
    };
    let on_network = matches!(race.course(), Course::Network { .. });
    RaceCurvesFigure {
        curves: race.racers().iter().map(curve).collect(),
        title: format!(
            "{}: race after {} steps",
            short(arena.title()),
            race.steps()
        ),
        subtitle: if on_network {
            "the same start, the same batches in the same order".to_owned()
        } else {
            "the same start".to_owned()
        },
        quantity: if on_network { "training loss" } else { "value" }.to_owned(),
        tone: args.theme.into(),
    }
}

/// A title that fits above a picture.
fn short(title: &str) -> String {
    const MOST: usize = 40;
    if title.chars().count() <= MOST {
        return title.to_owned();
    }
    let beginning: String = title.chars().take(MOST - 1).collect();
    format!("{beginning}…")
}

/// A point of a path as files have it.
#[derive(Debug, Clone, Copy, Serialize)]
struct Row {
    step: u64,
    loss: f64,
    x: f64,
    y: f64,
    /// The loss of the plane under it, for networks.
    slice_loss: Option<f64>,
}

fn rows(racer: &Racer, index: usize, view: Option<&View>) -> Vec<Row> {
    match view.and_then(|view| view.on_plane.get(index)) {
        Some(path) => path
            .points
            .iter()
            .map(|p| Row {
                step: p.step,
                loss: p.recorded_loss,
                x: p.x,
                y: p.y,
                slice_loss: Some(p.slice_loss),
            })
            .collect(),
        None => racer
            .ball_path()
            .iter()
            .map(|p| Row {
                step: p.step,
                loss: p.value,
                x: p.at[0],
                y: p.at[1],
                slice_loss: None,
            })
            .collect(),
    }
}

/// Columns `racer`, `step`, `loss`, `x`, `y` and `slice_loss`, racer by racer.
fn write_csv(path: &Path, race: &Race, view: Option<&View>) -> Result<(), CliError> {
    let failed = |error: csv::Error| CliError::Failed(format!("{}: {error}", path.display()));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(["racer", "step", "loss", "x", "y", "slice_loss"])
        .map_err(failed)?;
    for (i, racer) in race.racers().iter().enumerate() {
        for row in rows(racer, i, view) {
            let record = (
                racer.name(),
                row.step,
                row.loss,
                row.x,
                row.y,
                row.slice_loss,
            );
            writer.serialize(record).map_err(failed)?;
        }
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| CliError::io(path, error.into_error()))?;
    write(path, &bytes)
}

/// The standings with the paths.
fn write_json(
    path: &Path,
    arena: &Arena,
    race: &Race,
    view: Option<&View>,
) -> Result<(), CliError> {
    #[derive(Serialize)]
    struct Path<'a> {
        racer: &'a str,
        points: Vec<Row>,
    }
    let paths: Vec<Path<'_>> = race
        .racers()
        .iter()
        .enumerate()
        .map(|(i, racer)| Path {
            racer: racer.name(),
            points: rows(racer, i, view),
        })
        .collect();
    let value = serde_json::json!({
        "course": arena.title(),
        "steps": race.steps(),
        "target": race.target(),
        "standings": race.standings(),
        "paths": paths,
    });
    let text = serde_json::to_string_pretty(&value)
        .map_err(|error| CliError::Failed(error.to_string()))?;
    write(path, format!("{text}\n").as_bytes())
}
