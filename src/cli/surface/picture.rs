//! The picture of a surface: what its axes are and where it was taken.

use super::Computed;
use super::subject::Subject;
use crate::cli::CliError;
use crate::cli::report::parameter_name;
use crate::cli::source::Source;
use crate::figure::{ContourFigure, Heights, Tone, tick_label};
use crate::landscape::{Directions, Measure, Misleads, Quantity, Scope, Spanned, misleads};
use serde::{Deserialize, Serialize};

/// What is known about a surface before its first height is, in words and for
/// programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Caption {
    /// What the surface is of.
    pub title: String,
    /// The network, and which weights the plane goes through.
    pub place: String,
    /// What is measured, over which samples.
    pub measured: String,
    /// What the plane holds of the path and what moves within it; may be empty.
    pub remark: String,
    /// What x is.
    pub x_label: String,
    /// What y is.
    pub y_label: String,
    /// What the heights are: `loss` or `accuracy`.
    pub height: String,
    /// The directions as they are given on the command line.
    pub directions: String,
    /// The facts.
    pub facts: Facts,
}

/// What is known about a plane and its measure, for programs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Which parameters move, as on the command line.
    pub scope: String,
    /// What is measured.
    pub measure: Measure,
    /// Over how many samples.
    pub samples: usize,
    /// The share of the path's squared length that each component explains.
    pub shares: Option<[f64; 2]>,
    /// The eigenvalue of each direction.
    pub eigenvalues: Option<[f64; 2]>,
    /// The residual of each eigenpair.
    pub residuals: Option<[f64; 2]>,
    /// The length of the gradient.
    pub gradient_norm: Option<f64>,
    /// The steps of the checkpoints that were taken from the recorded path.
    pub checkpoint_steps: Option<[u64; 3]>,
}

impl Caption {
    /// What to say of `subject` along the plane that it spans at `source`'s weights.
    ///
    /// # Errors
    /// When there is nothing to measure.
    pub fn new(source: &Source, subject: &Subject, spanned: &Spanned) -> Result<Self, CliError> {
        let problem = &source.problem;
        let gauge = subject.measured.gauge(source)?;
        let [x_label, y_label] = labels(source, subject, spanned);
        let place = match (&subject.checkpoints, spanned.steps) {
            (Some([a, b, c]), _) => format!("through {}, {} and {}", a.name, b.name, c.name),
            (None, Some([a, b, c])) => format!("through steps {a}, {b} and {c}"),
            (None, None) => match (source.given, source.path.last()) {
                (true, Some(last)) => format!("through the weights after {} epochs", last.epoch),
                (true, None) => "through the given weights".to_owned(),
                (false, _) => "through the initial weights".to_owned(),
            },
        };
        let widths = problem.network.widths();
        let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
        let mut remark = Vec::new();
        if let Some([x, y]) = spanned.shares {
            remark.push(format!(
                "the components explain {} and {} of the path",
                percent(x),
                percent(y)
            ));
        }
        if subject.scope != Scope::Whole {
            remark.push(format!("only {} moves", subject.scope));
        }
        let accuracy = subject.measured.measure.quantity == Quantity::Accuracy;
        Ok(Caption {
            title: format!(
                "{}: {} surface",
                problem.experiment.title(),
                if accuracy { "accuracy" } else { "error" }
            ),
            place: format!("network {}, {place}", widths.join("-")),
            measured: subject.measured.words(&gauge),
            remark: remark.join("; "),
            x_label,
            y_label,
            height: if accuracy { "accuracy" } else { "loss" }.to_owned(),
            directions: match &subject.checkpoints {
                Some(_) => "checkpoints".to_owned(),
                None => subject.directions.to_string(),
            },
            facts: Facts {
                scope: subject.scope.to_string(),
                measure: subject.measured.measure,
                samples: gauge.samples().len(),
                shares: spanned.shares,
                eigenvalues: spanned.eigenvalues,
                residuals: spanned.residuals,
                gradient_norm: spanned.gradient_norm,
                checkpoint_steps: spanned.steps,
            },
        })
    }
}

/// What each coordinate is.
fn labels(source: &Source, subject: &Subject, spanned: &Spanned) -> [String; 2] {
    let parameter = |index: usize| match source.problem.network.layout().place(index) {
        Some(place) => format!("change of {}", parameter_name(&place)),
        None => String::new(),
    };
    let number = |value: f64| tick_label(format!("{value:.3e}").parse().unwrap_or(value));
    let eigenvector = |k: usize, which: &str| match spanned.eigenvalues {
        Some(values) => format!(
            "eigenvector of the Hessian's {which}, {}",
            number(values[k])
        ),
        None => format!("eigenvector of the Hessian's {which}"),
    };
    if let Some([a, b, c]) = &subject.checkpoints {
        return [&b.name, &c.name].map(|to| format!("from {} (0) to {to} (1)", a.name));
    }
    match subject.directions {
        Directions::Weights(i, j) => [parameter(i), parameter(j)],
        Directions::Random { seed } => [
            format!("random direction 1, filter-normalised (seed {seed})"),
            "random direction 2, filter-normalised".to_owned(),
        ],
        Directions::Path => {
            let of = |k: usize| match spanned.shares {
                Some(shares) => format!(" of the path ({})", percent(shares[k])),
                None => " of the path".to_owned(),
            };
            [
                format!("first principal component{}", of(0)),
                format!("second principal component{}", of(1)),
            ]
        }
        Directions::Hessian => [
            eigenvector(0, "largest eigenvalue in size"),
            eigenvector(1, "second largest in size"),
        ],
        Directions::HessianEnds => [
            eigenvector(0, "largest eigenvalue"),
            eigenvector(1, "smallest eigenvalue"),
        ],
        Directions::Gradient => [
            match spanned.gradient_norm {
                Some(norm) => format!("steepest descent (gradient of length {})", number(norm)),
                None => "steepest descent".to_owned(),
            },
            "the way that the Hessian turns it".to_owned(),
        ],
        Directions::Checkpoints(_) => {
            let [a, b, c] = spanned.steps.unwrap_or_default();
            [b, c].map(|to| format!("from step {a} (0) to step {to} (1)"))
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// The picture of a surface.
pub fn figure<'a>(caption: &Caption, computed: &'a Computed) -> ContourFigure<'a> {
    let mut subtitle = format!(
        "{}; {}: {:.4} at the centre",
        caption.place, caption.measured, computed.center_loss
    );
    let share = computed.path.share_in_plane().map(|share| {
        let doubt = match misleads(&computed.surface, &computed.path) {
            Some(Misleads::Share(_)) => ", which says little about it",
            Some(Misleads::Gap { .. }) => ", and some of it far from the surface",
            None => "",
        };
        format!("{} of the path lies in the plane{doubt}", percent(share))
    });
    let remarks = [
        Some(caption.remark.clone()).filter(|r| !r.is_empty()),
        share,
    ];
    let remarks: Vec<String> = remarks.into_iter().flatten().collect();
    if !remarks.is_empty() {
        subtitle += "\n";
        subtitle += &remarks.join("; ");
    }
    ContourFigure {
        surface: &computed.surface,
        path: (!computed.path.points.is_empty()).then_some(&computed.path),
        title: caption.title.clone(),
        subtitle,
        x_label: caption.x_label.clone(),
        y_label: caption.y_label.clone(),
        height: caption.height.clone(),
        heights: Heights::Auto,
        tone: Tone::Dark,
    }
}
