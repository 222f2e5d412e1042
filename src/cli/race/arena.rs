//! What a race is run on, and the surface that its paths are drawn over.

use crate::cli::CliError;
use crate::cli::interrupt::Interrupt;
use crate::cli::source::Source;
use crate::figure::{ContourFigure, Heights};
use crate::landscape::{
    Analytic, Axis, Gauge, HeightField, PathOnPlane, Slice, Surface, evaluate, path_on_plane,
    principal_plane,
};
use crate::race::{Course, Race, Racer};
use std::sync::Arc;

/// A course, with what it is called.
pub(super) struct Arena {
    course: Course,
    title: String,
}

/// A surface with the racers' paths as it sees them.
pub(super) struct View {
    pub surface: Surface,
    /// A path for each racer.
    pub paths: Vec<Vec<[f64; 2]>>,
    /// Of a network: the paths with their losses in the plane and beside it.
    pub on_plane: Vec<PathOnPlane>,
    pub minima: Vec<[f64; 2]>,
    pub subtitle: String,
    pub labels: [String; 2],
    pub height: &'static str,
}

impl Arena {
    pub(super) fn function(course: Course) -> Self {
        let title = match &course {
            Course::Analytic { function, .. } => function.name().to_owned(),
            Course::Network { problem, .. } => problem.experiment.title().to_owned(),
        };
        Arena { course, title }
    }

    /// From the source's weights, in the experiment's order of batches.
    pub(super) fn network(source: Source) -> Self {
        let seed = source.problem.experiment.seed;
        Arena {
            title: source.problem.experiment.title().to_owned(),
            course: Course::Network {
                start: source.params.into(),
                seed,
                problem: source.problem,
            },
        }
    }

    pub(super) fn course(&self) -> &Course {
        &self.course
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    pub(super) fn default_steps(&self) -> u64 {
        match &self.course {
            Course::Analytic { .. } => 500,
            Course::Network { problem, .. } => {
                let training = &problem.experiment.training;
                let n = problem.train.len();
                let steps = n.div_ceil(training.batch.size(n).max(1));
                (steps * training.epochs) as u64
            }
        }
    }

    pub(super) fn headline(&self, race: &Race) -> String {
        let from = match race.course() {
            Course::Analytic {
                function,
                start: [x, y],
                noise,
            } => {
                let noise = noise.map_or(String::new(), |noise| {
                    format!(", noise of {} on the gradients", noise.deviation)
                });
                let formula = match function.builtin() {
                    Some(builtin) => format!(" = {}", builtin.formula()),
                    None => String::new(),
                };
                format!("{formula}, from ({x}, {y}){noise}")
            }
            Course::Network { problem, seed, .. } => format!(
                ": {} parameters, {} samples, batches of seed {seed}",
                problem.network.layout().len(),
                problem.train.len()
            ),
        };
        format!("{}{from}: {} steps", self.title, race.steps())
    }

    /// The surface for the picture, and the paths on it.
    pub(super) fn view(
        &self,
        race: &Race,
        grid: Option<usize>,
        range: Option<Axis>,
        interrupt: &Interrupt,
    ) -> Result<View, CliError> {
        match &self.course {
            Course::Analytic { function, .. } => {
                // An even number: a minimum of 0 in the middle is no grid point, and
                // heights may be logarithms.
                function_view(function, race, grid.unwrap_or(200), range, interrupt)
            }
            Course::Network { problem, start, .. } => {
                let gauge = Gauge::training_loss(problem);
                network_view(gauge, start, race, grid.unwrap_or(51), range, interrupt)
            }
        }
    }
}

impl View {
    /// The surface as a picture without paths.
    pub(super) fn contour(&self, title: String) -> ContourFigure<'_> {
        let [x_label, y_label] = self.labels.clone();
        ContourFigure {
            surface: &self.surface,
            path: None,
            title,
            subtitle: self.subtitle.clone(),
            x_label,
            y_label,
            height: self.height.to_owned(),
            heights: Heights::Auto,
            tone: crate::figure::Tone::Dark,
        }
    }
}

fn computed<F: HeightField>(
    field: &F,
    [x, y]: [Axis; 2],
    interrupt: &Interrupt,
) -> Result<Surface, CliError> {
    evaluate(field, x, y, interrupt.flag(), |_| {}, |_| {}).ok_or_else(interrupted)
}

fn interrupted() -> CliError {
    CliError::Failed("interrupted; nothing is written".to_owned())
}

fn function_view(
    function: &Arc<Analytic>,
    race: &Race,
    grid: usize,
    range: Option<Axis>,
    interrupt: &Interrupt,
) -> Result<View, CliError> {
    let axes = crate::cli::functions::axes(function, grid, range)?;
    Ok(View {
        surface: computed(&**function, axes, interrupt)?,
        paths: race.racers().iter().map(ball_path).collect(),
        on_plane: Vec::new(),
        minima: function.minima().iter().map(|m| m.at).collect(),
        subtitle: match function.builtin() {
            Some(builtin) => builtin.formula().to_owned(),
            None => String::new(),
        },
        labels: ["x".to_owned(), "y".to_owned()],
        height: "value",
    })
}

/// The path, with where it has come to at its end.
fn ball_path(racer: &Racer) -> Vec<[f64; 2]> {
    let path = racer.ball_path().iter().map(|p| p.at);
    path.chain(racer.ball()).collect()
}

/// The plane through the start along the first two principal components of all
/// paths together.
fn network_view(
    gauge: Gauge<'_>,
    start: &[f32],
    race: &Race,
    grid: usize,
    range: Option<Axis>,
    interrupt: &Interrupt,
) -> Result<View, CliError> {
    let racers = race.racers();
    let points: Vec<&[f32]> = racers
        .iter()
        .flat_map(|r| r.weight_path().iter().map(|p| &*p.params))
        .collect();
    let plane = principal_plane(start, &points)
        .map_err(|error| CliError::Failed(error.to_string()))?
        .ok_or_else(|| {
            CliError::Failed(
                "the paths span no plane to draw; make more --steps, or leave the picture out"
                    .to_owned(),
            )
        })?;
    let (plane, shares) = plane;
    let range = range.map_or((-1.0, 1.0), |r| (r.lo, r.hi));
    let axes = [Axis::new(range.0, range.1, grid)?; 2];
    let surface = computed(&Slice::new(gauge, &plane), axes, interrupt)?;
    let mut on_plane = Vec::new();
    for racer in racers {
        let path = path_on_plane(gauge, &plane, racer.weight_path(), interrupt.flag());
        on_plane.push(path.ok_or_else(interrupted)?);
    }
    let (mut outside, mut total) = (0.0, 0.0);
    for point in on_plane.iter().flat_map(|p| &p.points) {
        outside += point.residual_squared;
        total += point.distance_squared;
    }
    let held = if total > 0.0 {
        100.0 * (1.0 - outside / total)
    } else {
        100.0
    };
    Ok(View {
        surface,
        paths: on_plane
            .iter()
            .map(|p| p.points.iter().map(|p| [p.x, p.y]).collect())
            .collect(),
        on_plane,
        minima: Vec::new(),
        subtitle: format!(
            "plane through the start along the paths' principal components;\n\
             {held:.1} % of all paths lie in it ({:.1} % and {:.1} %)",
            100.0 * shares[0],
            100.0 * shares[1]
        ),
        labels: [
            "first principal component of all paths".to_owned(),
            "second principal component of all paths".to_owned(),
        ],
        height: "loss",
    })
}
