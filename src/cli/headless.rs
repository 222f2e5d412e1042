//! The main job without a window: train on handwritten digits and leave
//! pictures, an animation and the run's figures in a folder.

use super::capture::{CapturePlan, ViewName, shoot};
use super::interrupt::Interrupt;
use super::report::{epoch_line, headline, rule_lines, table_head};
use super::run_folder::RunFolder;
use super::source::{Source, SourceArgs, find_experiment};
use super::surface::{Caption, Computed, Subject, axes, compute, figure};
use super::train::{Ending, train_into};
use super::{CliError, Out};
use crate::figure::{
    CurvesFigure, FigureError, Film, FilmPlan, NetworkFigure, Pixels, Tone, rasterise, write_figure,
};
use crate::landscape::{Directions, PathOnPlane};
use crate::nn::Workspace;
use crate::train::{HistoryRow, Problem};
use ndarray::s;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is trained: 64-32-10 on the digits.
const SAMPLE: &str = "digits";
/// Points a side of the surface.
const GRID: usize = 61;
/// Frames of the animation.
const FRAMES: usize = 40;
/// Pixels from top to bottom of the flat one.
const FLAT_HEIGHT: f64 = 400.0;

/// Does the main job in a new folder, after saying why there is no window.
///
/// # Errors
/// When the folder cannot be written, or the run is interrupted.
pub fn run(why: &str) -> Result<(), CliError> {
    let mut out = Out::stdout(false);
    let dir = new_folder(Path::new("gradscape-out"))?;
    out.say(format!(
        "No window: {why}. Training on handwritten digits without one; the results go into {}/",
        dir.display()
    ))?;
    let experiment = find_experiment(SAMPLE)?;
    let problem = Arc::new(Problem::new(&experiment)?);
    let interrupt = Interrupt::listen();
    let folder = RunFolder::create(&dir, &experiment, false)?;
    let epochs = experiment.training.epochs;
    out.say(headline(&problem))?;
    out.say(rule_lines(&problem))?;
    out.say(table_head())?;
    let mut rows = Vec::new();
    let (report, ending) = train_into(
        &problem,
        folder,
        &interrupt,
        &mut out,
        |out, row, seconds| {
            rows.push(*row);
            if row.epoch % 5 == 0 || row.epoch == epochs {
                out.say(epoch_line(row, seconds))?;
            }
            Ok(())
        },
    )?;
    out.say(report.verdict())?;
    if ending != Ending::Finished {
        return Err(CliError::Failed(format!(
            "the run did not finish; what was reached is in {}",
            dir.display()
        )));
    }
    let run = SourceArgs {
        source: dir.display().to_string(),
        ..SourceArgs::default()
    };
    let source = run.load()?;
    // The plane of the path shows it; a straight path has none of its own.
    let mut subject = Subject::along(Directions::Path);
    let spanned = match subject.span(&source, interrupt.flag()) {
        Ok(spanned) => spanned,
        Err(_) => {
            subject = Subject::along(Directions::Random { seed: 0 });
            subject.span(&source, interrupt.flag())?
        }
    };
    let computed = compute(
        subject.measured.gauge(&source)?,
        &source.path,
        &spanned.plane,
        axes(GRID, spanned.range)?,
        &interrupt,
        &mut out,
    )?;
    draw_curves(&dir, &rows, &problem)?;
    let caption = Caption::new(&source, &subject, &spanned)?;
    let contour = figure(&caption, &computed);
    write_figure(&dir.join("contour.png"), contour.draw()?, 1.0)?;
    draw_scene(&dir, &source, &caption, &computed, &mut out)?;
    out.say(format!("Everything is in {}/:", dir.display()))?;
    for (file, what) in [
        ("network.png", "the network after training"),
        ("surface.png", "the error surface around its weights"),
        ("training.gif", "network and surface while it learns"),
        ("curves.png", "loss and accuracy over the epochs"),
        ("contour.png", "the error surface with the optimiser's path"),
        ("history.csv", "every epoch's figures (also history.jsonl)"),
        ("summary.json", "what the run came to"),
        (
            "experiment.toml",
            "what was run; `gradscape train` runs it again",
        ),
        (
            "weights.safetensors",
            "the weights; path.npz has the way there",
        ),
    ] {
        out.say(format!("  {file:<20} {what}"))?;
    }
    Ok(())
}

/// The first of `base`, `base-2`, `base-3` ... that does not exist.
fn new_folder(base: &Path) -> Result<PathBuf, CliError> {
    let name = base.display();
    let mut candidates = std::iter::once(base.to_owned())
        .chain((2..10_000).map(|n| PathBuf::from(format!("{name}-{n}"))));
    candidates
        .find(|dir| !dir.exists())
        .ok_or_else(|| CliError::Failed(format!("{name}-2 to {name}-9999 all exist; remove some")))
}

fn draw_curves(dir: &Path, rows: &[HistoryRow], problem: &Problem) -> Result<(), CliError> {
    let widths: Vec<String> = problem
        .network
        .widths()
        .iter()
        .map(usize::to_string)
        .collect();
    let curves = CurvesFigure {
        rows,
        title: problem.experiment.title().to_owned(),
        subtitle: format!(
            "network {}, {}; {} training and {} validation samples",
            widths.join("-"),
            problem.experiment.training.optimizer.kind().name(),
            problem.train.len(),
            problem.validation.len()
        ),
        tone: Tone::Dark,
    };
    Ok(write_figure(&dir.join("curves.png"), curves.draw()?, 1.0)?)
}

/// The network, the surface and the film: in 3D where this machine can, else
/// flat, saying so.
fn draw_scene(
    dir: &Path,
    source: &Source,
    caption: &Caption,
    computed: &Computed,
    out: &mut Out,
) -> Result<(), CliError> {
    let problem = &source.problem;
    let still = |view, name: &str| {
        let mut plan = CapturePlan::still(problem, view, dir.join(name));
        // Training takes the loss down by orders of magnitude.
        plan.log = true;
        plan
    };
    let mut film = still(ViewName::Both, "training.gif");
    film.epochs = 0;
    film.size = (960, 540);
    film.frames = FRAMES;
    film.steps = film_steps(problem);
    film.orbit = 12.0;
    let plans = [
        still(ViewName::Network, "network.png"),
        still(ViewName::Surface, "surface.png"),
        film,
    ];
    for plan in &plans {
        match shoot(plan, out) {
            Ok(()) => {}
            Err(CliError::OutputClosed) => return Err(CliError::OutputClosed),
            Err(error) => {
                out.say(format!(
                    "No 3D pictures: {error}. Drawing flat ones instead."
                ))?;
                return draw_flat(dir, source, caption, computed, out);
            }
        }
    }
    Ok(())
}

/// Steps from one frame to the next, so that the film ends with the training.
fn film_steps(problem: &Problem) -> usize {
    let training = &problem.experiment.training;
    let batch = training.batch.size(problem.train.len()).max(1);
    let steps = training.epochs * problem.train.len().div_ceil(batch);
    steps.div_ceil(FRAMES - 1).max(1)
}

fn draw_flat(
    dir: &Path,
    source: &Source,
    caption: &Caption,
    computed: &Computed,
    out: &mut Out,
) -> Result<(), CliError> {
    let problem = &source.problem;
    let values = activations(problem, &source.params);
    let network = network_figure(
        problem,
        &source.params,
        &values,
        "after training".to_owned(),
    );
    write_figure(&dir.join("network.png"), network.draw(), 1.5)?;
    let contour = figure(caption, computed);
    write_figure(&dir.join("surface.png"), contour.draw()?, 1.5)?;
    let points = &source.path;
    let last = points.len().saturating_sub(1);
    let mut chosen: Vec<usize> = (0..FRAMES).map(|k| k * last / (FRAMES - 1)).collect();
    chosen.retain(|&index| index < points.len());
    let frame = |index: usize| -> Result<Pixels, FigureError> {
        let point = &points[index];
        let values = activations(problem, &point.params);
        let words = format!("epoch {}, training loss {:.4}", point.epoch, point.loss);
        let network = network_figure(problem, &point.params, &values, words);
        let so_far = PathOnPlane {
            points: computed.path.points[..=index].to_vec(),
        };
        let mut surface = figure(caption, computed);
        surface.path = Some(&so_far);
        let left = rasterise(
            &network.draw().finish(),
            FLAT_HEIGHT / NetworkFigure::HEIGHT,
        )?;
        let scale = FLAT_HEIGHT / surface.total_height();
        let right = rasterise(&surface.draw()?.finish(), scale)?;
        Ok(side_by_side(&left, &right))
    };
    let bar = out.start_bar(chosen.len() as u64, "frames");
    let pictures: Vec<Pixels> = chosen
        .par_iter()
        .map(|&index| {
            let picture = frame(index);
            bar.inc(1);
            picture
        })
        .collect::<Result<_, _>>()?;
    out.end_bar();
    let Some(first) = pictures.first() else {
        return Ok(());
    };
    let plan = FilmPlan {
        size: (first.width, first.height),
        frames: pictures.len(),
        rate: 10.0,
        rest: 2.0,
    };
    let mut film = Film::create(&dir.join("training.gif"), plan)?;
    for picture in &pictures {
        film.add(picture)?;
    }
    Ok(film.finish()?)
}

/// The values of the first validation sample, input first, layer by layer.
fn activations(problem: &Problem, params: &[f32]) -> Vec<Vec<f32>> {
    let part = if problem.validation.is_empty() {
        &problem.train
    } else {
        &problem.validation
    };
    let network = &problem.network;
    let mut workspace = Workspace::new(network, 1);
    let x = part.x.slice(s![..1, ..]);
    network.forward(params, x, &mut workspace);
    let layers = (0..network.layers().len()).map(|l| workspace.a(l).iter().copied().collect());
    std::iter::once(x.iter().copied().collect())
        .chain(layers)
        .collect()
}

fn network_figure<'a>(
    problem: &'a Problem,
    params: &'a [f32],
    values: &'a [Vec<f32>],
    caption: String,
) -> NetworkFigure<'a> {
    NetworkFigure {
        network: &problem.network,
        params,
        values,
        image: problem.data.image.map(|i| (i.height, i.width)),
        outputs: problem.data.task.names(),
        title: problem.experiment.title().to_owned(),
        subtitle: caption,
        tone: Tone::Dark,
    }
}

/// Two pictures of one height as one.
fn side_by_side(left: &Pixels, right: &Pixels) -> Pixels {
    let height = left.height.min(right.height);
    let row = |picture: &Pixels, y: u32| {
        let bytes = 4 * picture.width as usize;
        let start = bytes * y as usize;
        start..start + bytes
    };
    let mut rgba = Vec::with_capacity(4 * ((left.width + right.width) * height) as usize);
    for y in 0..height {
        rgba.extend_from_slice(&left.rgba[row(left, y)]);
        rgba.extend_from_slice(&right.rgba[row(right, y)]);
    }
    Pixels {
        width: left.width + right.width,
        height,
        rgba,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_gets_a_folder_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("out");
        for name in ["out", "out-2", "out-3"] {
            let folder = new_folder(&base).unwrap();
            assert_eq!(folder, dir.path().join(name));
            std::fs::create_dir(&folder).unwrap();
        }
    }

    #[test]
    fn pictures_are_put_side_by_side_row_by_row() {
        let picture = |width: u32, value: u8| Pixels {
            width,
            height: 2,
            rgba: vec![value; 8 * width as usize],
        };
        let both = side_by_side(&picture(1, 1), &picture(2, 2));
        assert_eq!((both.width, both.height), (3, 2));
        let firsts: Vec<u8> = both.rgba.chunks(4).map(|p| p[0]).collect();
        assert_eq!(firsts, [1, 2, 2, 1, 2, 2]);
    }
}
