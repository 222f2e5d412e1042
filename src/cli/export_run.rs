//! `gradscape export-run`: what is known of a run, in other programs' formats.

use super::interrupt::Interrupt;
use super::report_page::relief;
use super::run_source::{RunArgs, interrupted};
use super::surface::ThemeName;
use super::{CliError, Out};
use crate::figure::{
    ContourFigure, DistributionsFigure, HeatColors, HeatColumn, HeatFigure, Heights, LayerSpreads,
    NetworkFigure, Progress, ScoresFigure, Svg, Tone, TrainingFigure, write_figure,
};
use crate::insight::distributions::Spread;
use crate::insight::run_record::{Origin, RunRecord, evenly};
use crate::insight::scores::Answers;
use crate::insight::tiles;
use crate::interop::report::Relief;
use crate::interop::{
    NetworkModel, SurfaceFile, SurfaceFormat, write_epochs_csv, write_network_glb,
    write_run_events, write_run_npz, write_steps_csv, write_surface_file,
};
use crate::landscape::Measure;
use crate::nn::{ParamRole, Workspace};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Write what is known of a run as tables, arrays, 3D models and charts
///
/// A name's ending says what is written; a name without an ending is a folder that gets
/// all of it.
#[derive(Args, Debug, Clone)]
pub struct ExportRunArgs {
    #[command(flatten)]
    run: RunArgs,
    // Its help names the endings.
    #[arg(long, value_name = "FILE|DIR", required = true, value_parser = target, help = help())]
    out: Vec<Target>,
    /// The colours of pictures and models
    #[arg(long, default_value = "dark")]
    theme: ThemeName,
    /// Compute surfaces at N by N points
    #[arg(long, value_name = "N", default_value = "49", value_parser = clap::value_parser!(u16).range(5..=1001))]
    grid: u16,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

/// One of the things that a run is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thing {
    Steps,
    Epochs,
    Arrays,
    Events,
    Surface,
    Network,
    NetworkChart,
    Weights,
    Histograms,
    Confusion,
    Curves,
}

/// What a name asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    path: PathBuf,
    thing: Option<Thing>,
}

/// Endings and what they mean. An ending that is part of another stands behind it. Of
/// surfaces it is followed by any ending of a surface's file.
const ENDINGS: [(&str, Thing, &str); 10] = [
    (".steps.csv", Thing::Steps, "figures of single steps"),
    (".csv", Thing::Epochs, "epochs"),
    (".npz", Thing::Arrays, "epochs, steps, path and weights"),
    (".tfevents", Thing::Events, "an event file for TensorBoard"),
    (".glb", Thing::Network, "the network in 3D"),
    (".network.svg", Thing::NetworkChart, "the network"),
    (".weights.svg", Thing::Weights, "weights"),
    (".histograms.svg", Thing::Histograms, "weights through time"),
    (".confusion.svg", Thing::Confusion, "the confusion matrix"),
    (".svg", Thing::Curves, "curves"),
];

/// Files of a folder with all of it.
const ALL: [&str; 13] = [
    "history.csv",
    "history.steps.csv",
    "run.npz",
    "tensorboard/run.tfevents",
    "network.glb",
    "path.surface.glb",
    "path.surface.csv",
    "path.surface.svg",
    "curves.svg",
    "picture.network.svg",
    "layers.weights.svg",
    "layers.histograms.svg",
    "validation.confusion.svg",
];

fn help() -> String {
    let endings = ENDINGS.map(|(ending, _, what)| format!("{ending} ({what})"));
    format!(
        "Write this: {}, .surface. with any ending of a surface's file (.surface.glb: the error \
         surface with the path), or a folder with all of it; may be given several times",
        endings.join(", ")
    )
}

fn target(text: &str) -> Result<Target, String> {
    let path = PathBuf::from(text);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    let is_surface = SurfaceFormat::of(&path).is_ok()
        && name
            .rsplit_once(".surface.")
            .is_some_and(|(_, end)| !end.is_empty());
    let thing = match is_surface {
        true => Some(Thing::Surface),
        false => ENDINGS
            .iter()
            .find(|(ending, _, _)| name.ends_with(ending))
            .map(|(_, thing, _)| *thing),
    };
    if thing.is_none() && name.contains('.') && !path.is_dir() {
        let endings: Vec<&str> = ENDINGS.iter().map(|(ending, _, _)| *ending).collect();
        return Err(format!(
            "runs are written as {} or .surface. with the ending of a surface's file, or into a folder",
            endings.join(", ")
        ));
    }
    Ok(Target { path, thing })
}

/// What `--json` prints.
#[derive(Serialize)]
struct ExportObject<'a> {
    name: &'a str,
    epochs: usize,
    files: &'a [PathBuf],
    left_out: &'a [String],
}

/// Obeys `gradscape export-run`.
///
/// # Errors
/// When the run cannot be read or made, a file cannot be written, or it is interrupted.
pub fn run(args: &ExportRunArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let interrupt = Interrupt::listen();
    let record = args.run.record(&mut out, &interrupt)?;
    let mut export = Export {
        record: &record,
        relief: None,
        grid: usize::from(args.grid),
        tone: args.theme.into(),
        interrupt: &interrupt,
        files: Vec::new(),
        left_out: Vec::new(),
    };
    for target in &args.out {
        match target.thing {
            Some(thing) => export.write(thing, &target.path, &mut out)?,
            None => export.folder(&target.path, &mut out)?,
        }
    }
    let (files, left_out) = (export.files, export.left_out);
    out.object(&ExportObject {
        name: &record.name,
        epochs: record.last_row().map_or(0, |row| row.epoch),
        files: &files,
        left_out: &left_out,
    })?;
    for file in &files {
        out.say(format!("written to {}", file.display()))?;
    }
    for why in &left_out {
        out.say(format!("left out: {why}"))?;
    }
    Ok(())
}

/// A run that is being written.
struct Export<'a> {
    record: &'a RunRecord,
    relief: Option<Relief>,
    grid: usize,
    tone: Tone,
    interrupt: &'a Interrupt,
    files: Vec<PathBuf>,
    left_out: Vec<String>,
}

impl Export<'_> {
    /// All of it into a folder. What this run does not have is left out and named.
    fn folder(&mut self, dir: &Path, out: &mut Out) -> Result<(), CliError> {
        std::fs::create_dir_all(dir).map_err(|error| CliError::io(dir, error))?;
        for name in ALL {
            let path = dir.join(name);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).map_err(|error| CliError::io(parent, error))?;
            }
            let Ok(Target {
                thing: Some(thing), ..
            }) = target(&path.to_string_lossy())
            else {
                continue;
            };
            if let Some(why) = self.lacks(thing) {
                self.left_out.push(format!("{name}: {why}"));
                continue;
            }
            self.write(thing, &path, out)?;
        }
        Ok(())
    }

    /// Why this run has no such thing.
    fn lacks(&self, thing: Thing) -> Option<&'static str> {
        let problem = &self.record.problem;
        match thing {
            Thing::Steps if self.record.steps.is_empty() => {
                Some("a folder keeps no figures of single steps; --again trains it once more")
            }
            Thing::Confusion if !problem.data.task.is_classification() => {
                Some("only classes can be confused")
            }
            _ => None,
        }
    }

    fn write(&mut self, thing: Thing, path: &Path, out: &mut Out) -> Result<(), CliError> {
        if self.interrupt.is_raised() {
            return Err(interrupted());
        }
        let record = self.record;
        match thing {
            Thing::Epochs => write_epochs_csv(path, record)?,
            Thing::Steps => write_steps_csv(path, record)?,
            Thing::Arrays => write_run_npz(path, record)?,
            Thing::Events => write_run_events(path, record, begin(record))?,
            Thing::Network => self.network_model(path)?,
            Thing::Surface => self.surface(path, out)?,
            Thing::Curves => self.chart(path, self.curves()?)?,
            Thing::NetworkChart => self.chart(path, self.network())?,
            Thing::Weights => self.chart(path, self.weights()?)?,
            Thing::Histograms => self.chart(path, self.histograms()?)?,
            Thing::Confusion => self.chart(path, self.confusion()?)?,
        }
        self.files.push(path.to_owned());
        Ok(())
    }

    fn chart(&self, path: &Path, svg: Svg) -> Result<(), CliError> {
        Ok(write_figure(path, svg, 1.0)?)
    }

    /// Units a column, in words.
    fn widths(&self) -> String {
        let widths = self.record.problem.network.widths();
        let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
        format!("network {}", widths.join("-"))
    }

    fn curves(&self) -> Result<Svg, CliError> {
        let record = self.record;
        let figure = TrainingFigure {
            rows: &record.rows,
            steps: &record.steps,
            over: Progress::Epoch,
            smooth: None,
            log: false,
            title: record.name.clone(),
            subtitle: self.widths(),
            tone: self.tone,
        };
        Ok(figure.draw()?)
    }

    /// What the units say to the first sample.
    fn values(&self) -> Vec<Vec<f32>> {
        let problem = &self.record.problem;
        let sample = problem.train.select(&[0]);
        let mut workspace = Workspace::new(&problem.network, 1);
        problem
            .network
            .forward(self.record.params(), sample.x.view(), &mut workspace);
        let layers = 0..problem.network.layers().len();
        std::iter::once(sample.x.row(0).to_vec())
            .chain(layers.map(|layer| workspace.a(layer).row(0).to_vec()))
            .collect()
    }

    fn image(&self) -> Option<(usize, usize)> {
        let image = self.record.problem.data.image?;
        (image.channels == 1).then_some((image.height, image.width))
    }

    fn network(&self) -> Svg {
        let problem = &self.record.problem;
        NetworkFigure {
            network: &problem.network,
            params: self.record.params(),
            values: &self.values(),
            image: self.image(),
            outputs: problem.data.task.names(),
            title: self.record.name.clone(),
            subtitle: self.widths(),
            tone: self.tone,
        }
        .draw()
    }

    fn network_model(&self, path: &Path) -> Result<(), CliError> {
        let model = NetworkModel {
            network: &self.record.problem.network,
            params: self.record.params(),
            values: &self.values(),
            image: self.image(),
            title: self.record.name.clone(),
            tone: self.tone,
        };
        Ok(write_network_glb(path, &model)?)
    }

    fn weights(&self) -> Result<Svg, CliError> {
        let network = &self.record.problem.network;
        let figure = HeatFigure {
            title: self.record.name.clone(),
            subtitle: "Weights, a row for each unit, a column for each input".to_owned(),
            columns: vec![HeatColumn {
                heading: String::new(),
                tiles: tiles::weights(network, self.record.params(), 0..network.layers().len()),
            }],
            colors: HeatColors::default(),
            shared: true,
            tone: self.tone,
        };
        Ok(figure.draw()?)
    }

    fn histograms(&self) -> Result<Svg, CliError> {
        let network = &self.record.problem.network;
        let path = &self.record.path;
        let chosen = evenly(path.len(), 24);
        let tensors = network.layout().tensors().iter();
        let weights: Vec<_> = tensors.filter(|t| t.role == ParamRole::Weight).collect();
        let spreads: Vec<Vec<(u64, Spread)>> = weights
            .iter()
            .map(|tensor| {
                let points = chosen.iter().map(|&k| &path[k]);
                let spread = |point: &crate::train::PathPoint| {
                    let spread = Spread::of(&point.params[tensor.range.clone()])?;
                    Some((point.step, spread))
                };
                points.filter_map(spread).collect()
            })
            .collect();
        let layers: Vec<LayerSpreads<'_>> = weights
            .iter()
            .zip(&spreads)
            .map(|(tensor, spreads)| LayerSpreads {
                name: tiles::name_of(network, tensor.layer),
                moments: spreads
                    .iter()
                    .map(|(step, spread)| (*step, spread))
                    .collect(),
            })
            .collect();
        let figure = DistributionsFigure {
            layers: &layers,
            quantity: "weight",
            title: self.record.name.clone(),
            subtitle: "Each layer's weights, from step to step".to_owned(),
            tone: self.tone,
        };
        Ok(figure.ridges(60, false)?)
    }

    fn confusion(&self) -> Result<Svg, CliError> {
        let problem = &self.record.problem;
        let (samples, part) = match problem.validation.is_empty() {
            true => (&problem.train, "training"),
            false => (&problem.validation, "validation"),
        };
        let answers = Answers::of(problem, self.record.params(), samples);
        let figure = ScoresFigure {
            answers: &answers,
            title: self.record.name.clone(),
            subtitle: format!("{} {part} samples", samples.len()),
            tone: self.tone,
        };
        Ok(figure.confusion()?)
    }

    fn surface(&mut self, path: &Path, out: &mut Out) -> Result<(), CliError> {
        if self.relief.is_none() {
            self.relief = relief(self.record, self.grid, self.interrupt, out)?;
        }
        let Some(relief) = &self.relief else {
            return Err(CliError::Failed(format!(
                "{}: this run has no error surface",
                path.display()
            )));
        };
        let labels = match (relief.random, relief.spanned.shares) {
            (Some(seed), _) => [1, 2].map(|k| format!("random direction {k} (seed {seed})")),
            (None, Some(shares)) => {
                [("first", shares[0]), ("second", shares[1])].map(|(which, share)| {
                    format!(
                        "{which} principal component of the path ({:.1} %)",
                        100.0 * share
                    )
                })
            }
            (None, None) => ["x", "y"].map(str::to_owned),
        };
        let [x_label, y_label] = labels;
        let [some, all] = relief.samples;
        let over = match some == all {
            true => format!("{all} training samples"),
            false => format!("{some} of {all} training samples"),
        };
        let file = SurfaceFile {
            figure: ContourFigure {
                surface: &relief.surface,
                path: (!relief.path.points.is_empty()).then_some(&relief.path),
                title: format!("{}: error surface", self.record.name),
                subtitle: format!(
                    "{}; loss of {over}: {:.4} at the centre",
                    self.widths(),
                    relief.center_loss
                ),
                x_label,
                y_label,
                height: "loss".to_owned(),
                heights: Heights::Auto,
                tone: self.tone,
            },
            plane: Some(&relief.spanned.plane),
            measure: Measure::default(),
        };
        Ok(write_surface_file(path, &file)?)
    }
}

/// When the run began, in seconds since 1970: now, less what it took, where it was made
/// for this.
fn begin(record: &RunRecord) -> f64 {
    let made = record.made.as_deref().and_then(|made| made.parse().ok());
    let made: jiff::Timestamp = made.unwrap_or_else(jiff::Timestamp::now);
    let begin = made.as_millisecond() as f64 / 1000.0;
    match record.origin {
        // It says when it began; others say when they were done.
        Origin::File | Origin::Watched => begin,
        Origin::Trained | Origin::Folder => begin - record.seconds.unwrap_or(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_ending_says_what_is_written() {
        let thing = |name: &str| target(name).map(|t| t.thing);
        assert_eq!(thing("a.csv"), Ok(Some(Thing::Epochs)));
        assert_eq!(thing("a.STEPS.csv"), Ok(Some(Thing::Steps)));
        assert_eq!(thing("a.surface.path.csv"), Ok(Some(Thing::Surface)));
        assert_eq!(thing("b/a.surface.glb"), Ok(Some(Thing::Surface)));
        assert_eq!(thing("a.glb"), Ok(Some(Thing::Network)));
        assert_eq!(thing("a.svg"), Ok(Some(Thing::Curves)));
        assert_eq!(thing("a.network.svg"), Ok(Some(Thing::NetworkChart)));
        assert_eq!(thing("out/all"), Ok(None));
        assert!(thing("a.doc").is_err());
        for name in ALL {
            assert!(matches!(thing(name), Ok(Some(_))), "{name}");
        }
    }
}
