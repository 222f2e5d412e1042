//! The picture of a surface: what its axes are and where it was taken.

use super::Computed;
use crate::cli::report::parameter_name;
use crate::cli::source::Source;
use crate::figure::{ContourFigure, Heights, Tone};
use crate::landscape::Directions;

/// The picture of a surface: what its axes are and where it was taken.
pub fn figure<'a>(
    source: &Source,
    directions: Directions,
    computed: &'a Computed,
) -> ContourFigure<'a> {
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
    let mut subtitle = format!(
        "network {}, {place}; loss {:.4} at the centre",
        widths.join("-"),
        computed.center_loss
    );
    if let Some(share) = computed.path.share_in_plane() {
        subtitle += &format!("\n{:.1} % of the path lies in the plane", 100.0 * share);
    }
    ContourFigure {
        surface: &computed.surface,
        path: (!computed.path.points.is_empty()).then_some(&computed.path),
        title: format!("{}: error surface", problem.experiment.title()),
        subtitle,
        x_label,
        y_label,
        heights: Heights::Auto,
        tone: Tone::Dark,
    }
}
