//! A surface as a page that turns in any browser: Plotly and the data inside it,
//! nothing loaded from elsewhere.

use super::html::{escape, fill, json_in_script};
use super::{InteropError, SurfaceFile};
use crate::colormap::viridis;
use crate::figure::{Scale, log_ticks, nice_ticks, tick_label};
use flate2::read::GzDecoder;
use serde::Serialize;
use std::io::Read;
use std::path::Path;

/// The page, with places for what differs.
const PAGE: &str = include_str!("surface.html");
/// plotly.js-gl3d-dist-min; see assets/plotly/README.md.
const PLOTLY: &[u8] = include_bytes!("../../assets/plotly/plotly-gl3d.min.js.gz");
/// Gaps are drawn at no more of the path's points than this.
const GAPS: usize = 60;

/// What the page's script reads. Numbers that are not finite become `null`.
#[derive(Serialize)]
struct Data<'a> {
    x_label: &'a str,
    y_label: &'a str,
    height: &'a str,
    x: &'a [f64],
    y: &'a [f64],
    z: Vec<Vec<Option<f64>>>,
    lo: f64,
    hi: f64,
    log: bool,
    log_possible: bool,
    ticks: Vec<f64>,
    labels: Vec<String>,
    log_ticks: Vec<f64>,
    log_labels: Vec<String>,
    colorscale: Vec<(f32, String)>,
    colors: Colors,
    path: Option<PathData>,
}

#[derive(Serialize)]
struct Colors {
    background: String,
    text: String,
    faint: String,
    grid: String,
    path: String,
    gap: String,
}

#[derive(Serialize)]
struct PathData {
    step: Vec<u64>,
    x: Vec<f64>,
    y: Vec<f64>,
    r#true: Vec<f64>,
    slice: Vec<f64>,
    gap: Vec<f64>,
    gap_at: Vec<usize>,
}

/// The whole page.
pub(super) fn bytes(path: &Path, file: &SurfaceFile<'_>) -> Result<Vec<u8>, InteropError> {
    let figure = &file.figure;
    let style = figure.tone.style();
    let data = serde_json::to_string(&data(file, figure.scale()?))
        .map_err(|error| InteropError::format(path, error.to_string()))?;
    let mut plotly = String::new();
    GzDecoder::new(PLOTLY)
        .read_to_string(&mut plotly)
        .map_err(|error| InteropError::io(path, error))?;
    let title = match figure.title.as_str() {
        "" => "error surface",
        title => title,
    };
    let mut subtitle: String = figure
        .subtitle
        .lines()
        .map(|line| format!("<p>{}</p>", escape(line)))
        .collect();
    if let Some(note) = figure.missing().words() {
        subtitle += &format!("<p>{}</p>", escape(&note));
    }
    let page = fill(
        PAGE,
        &[
            ("VERSION", env!("CARGO_PKG_VERSION")),
            ("TITLE", &escape(title)),
            ("SUBTITLE", &subtitle),
            ("BACKGROUND", &style.background.css()),
            ("TEXT", &style.text.css()),
            ("FAINT", &style.faint.css()),
            ("GRID", &style.grid.css()),
            ("ACCENT", &style.training.css()),
            ("PLOTLY", &plotly),
            ("DATA", &json_in_script(&data)),
        ],
    );
    Ok(page.into_bytes())
}

fn data<'a>(file: &'a SurfaceFile<'_>, scale: Scale) -> Data<'a> {
    let (figure, surface) = (&file.figure, file.surface());
    let style = figure.tone.style();
    let finite = |v: f64| v.is_finite().then_some(v);
    let points: Vec<_> = file
        .path()
        .iter()
        .filter(|p| {
            [p.x, p.y, p.true_loss, p.slice_loss]
                .iter()
                .all(|v| v.is_finite())
        })
        .collect();
    let above_0 = scale.lo > 0.0
        && points
            .iter()
            .all(|p| p.true_loss > 0.0 && p.slice_loss > 0.0);
    let every = points.len().div_ceil(GAPS).max(1);
    let ticks = nice_ticks(scale.lo, scale.hi, 7);
    let log_ticks = log_ticks(scale.lo, scale.hi);
    let labels = |ticks: &[f64]| ticks.iter().map(|&t| tick_label(t)).collect();
    let column =
        |of: fn(&crate::landscape::PlanePoint) -> f64| points.iter().map(|p| of(p)).collect();
    Data {
        x_label: &figure.x_label,
        y_label: &figure.y_label,
        height: &figure.height,
        x: &surface.x,
        y: &surface.y,
        z: surface
            .loss
            .rows()
            .into_iter()
            .map(|row| row.iter().map(|&v| finite(v)).collect())
            .collect(),
        lo: scale.lo,
        hi: scale.hi,
        log: scale.log && above_0,
        log_possible: above_0,
        labels: labels(&ticks),
        ticks,
        log_labels: labels(&log_ticks),
        log_ticks,
        colorscale: (0_u8..=32)
            .map(|k| f32::from(k) / 32.0)
            .map(|t| (t, viridis(t).css()))
            .collect(),
        colors: Colors {
            background: style.background.css(),
            text: style.text.css(),
            faint: style.faint.css(),
            grid: style.grid.css(),
            path: style.path.css(),
            gap: style.gap.css(),
        },
        path: (!points.is_empty()).then(|| PathData {
            step: points.iter().map(|p| p.step).collect(),
            x: column(|p| p.x),
            y: column(|p| p.y),
            r#true: column(|p| p.true_loss),
            slice: column(|p| p.slice_loss),
            gap: column(|p| p.gap()),
            gap_at: (0..points.len()).step_by(every).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_that_is_put_in_cannot_end_its_element() {
        let mut plotly = String::new();
        GzDecoder::new(PLOTLY).read_to_string(&mut plotly).unwrap();
        assert!(plotly.contains("MIT"));
        let lower = plotly.to_ascii_lowercase();
        assert!(!lower.contains("</script") && !lower.contains("<!--"));
    }
}
