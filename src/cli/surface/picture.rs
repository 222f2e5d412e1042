//! The picture of a surface: what its axes are and where it was taken.

use super::Computed;
use crate::cli::report::parameter_name;
use crate::cli::source::Source;
use crate::figure::{ContourFigure, Heights, Tone};
use crate::landscape::Directions;
use serde::{Deserialize, Serialize};

/// What is known about a surface before its first height is, in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Caption {
    /// What the surface is of.
    pub title: String,
    /// The network, and which weights the plane goes through.
    pub place: String,
    /// What x is.
    pub x_label: String,
    /// What y is.
    pub y_label: String,
    /// The directions as they are given on the command line.
    pub directions: String,
}

impl Caption {
    /// What to say of the surface through `source`'s weights along `directions`.
    pub fn new(source: &Source, directions: Directions) -> Self {
        let problem = &source.problem;
        let label = |index: usize| match problem.network.layout().place(index) {
            Some(place) => format!("change of {}", parameter_name(&place)),
            None => String::new(),
        };
        let (x_label, y_label) = match directions {
            Directions::Weights(i, j) => (label(i), label(j)),
            Directions::Random { seed } => (
                format!("random direction 1, filter-normalised (seed {seed})"),
                "random direction 2, filter-normalised".to_owned(),
            ),
            Directions::Path => (
                "first principal component of the path".to_owned(),
                "second principal component of the path".to_owned(),
            ),
            Directions::Hessian => (
                "eigenvector of the Hessian's largest eigenvalue in size".to_owned(),
                "eigenvector of the second largest in size".to_owned(),
            ),
            Directions::HessianEnds => (
                "eigenvector of the Hessian's largest eigenvalue".to_owned(),
                "eigenvector of its smallest eigenvalue".to_owned(),
            ),
            Directions::Gradient => (
                "steepest descent".to_owned(),
                "what the Hessian turns it to".to_owned(),
            ),
            Directions::Checkpoints(_) => (
                "from the first checkpoint to the second".to_owned(),
                "from the first checkpoint to the third".to_owned(),
            ),
        };
        let place = match (source.given, source.path.last()) {
            (true, Some(last)) => format!("through the weights after {} epochs", last.epoch),
            (true, None) => "through the given weights".to_owned(),
            (false, _) => "through the initial weights".to_owned(),
        };
        let widths: Vec<String> = problem
            .network
            .widths()
            .iter()
            .map(usize::to_string)
            .collect();
        Caption {
            title: format!("{}: error surface", problem.experiment.title()),
            place: format!("network {}, {place}", widths.join("-")),
            x_label,
            y_label,
            directions: directions.to_string(),
        }
    }
}

/// The picture of a surface.
pub fn figure<'a>(caption: &Caption, computed: &'a Computed) -> ContourFigure<'a> {
    let mut subtitle = format!(
        "{}; loss {:.4} at the centre",
        caption.place, computed.center_loss
    );
    if let Some(share) = computed.path.share_in_plane() {
        subtitle += &format!("\n{:.1} % of the path lies in the plane", 100.0 * share);
    }
    ContourFigure {
        surface: &computed.surface,
        path: (!computed.path.points.is_empty()).then_some(&computed.path),
        title: caption.title.clone(),
        subtitle,
        x_label: caption.x_label.clone(),
        y_label: caption.y_label.clone(),
        height: "loss".to_owned(),
        heights: Heights::Auto,
        tone: Tone::Dark,
    }
}
