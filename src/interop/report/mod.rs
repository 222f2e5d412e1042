//! A run as one page that needs nothing else: what one hands to a colleague or a student.
//!
//! The page is put together from a skeleton, a style sheet and scripts beside this file,
//! the words of all languages, and the run's numbers. It asks for nothing: its policy
//! forbids every request, and what a user wrote stands in it as text alone.
//!
//! Everything is bounded: curves have at most 1500 epochs and 2000 steps, weights 150,000
//! cells over all layers and moments (of larger layers each cell is the mean of several
//! weights, and the page says so), the picture of the network 300 connections a layer.

mod answers;
mod curves;
mod heading;
mod pack;
mod relief;
mod weights;
mod wiring;
mod words;

pub use relief::{Relief, ReliefError};

use super::InteropError;
use super::html::{escape, fill, json_in_script};
use crate::colormap::viridis;
use crate::figure::{Style, Tone};
use crate::insight::run_record::{FoundRecord, RunEvent, RunRecord};
use pack::Packed;
use serde::Serialize;
use std::path::Path;

/// The page without its contents.
const SKELETON: &str = include_str!("report.html");
const STYLE: &str = include_str!("report.css");
/// The scripts, in their order.
const PARTS: [&str; 9] = [
    include_str!("base.js"),
    include_str!("chart.js"),
    include_str!("curves.js"),
    include_str!("relief.js"),
    include_str!("weights.js"),
    include_str!("network.js"),
    include_str!("answers.js"),
    include_str!("story.js"),
    include_str!("main.js"),
];

/// How the page is shown first. Whoever reads it can change both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportOptions {
    /// `en` or `zh`; none for the reader's own.
    pub language: Option<&'static str>,
    /// Dark or light; none for the reader's own.
    pub tone: Option<Tone>,
}

/// All that the scripts read.
#[derive(Serialize)]
struct Data<'a> {
    program: &'static str,
    language: Option<&'static str>,
    theme: Option<&'static str>,
    words: words::Words,
    colors: Colors,
    run: heading::Heading<'a>,
    curves: curves::Curves,
    relief: Option<relief::ReliefData>,
    weights: weights::Weights,
    network: wiring::Wiring,
    answers: answers::Answered,
    findings: Option<&'a [FoundRecord]>,
    events: &'a [RunEvent],
}

/// The colours of both themes, and the map of losses.
#[derive(Serialize)]
struct Colors {
    /// 64 colours of three bytes.
    viridis: Packed,
    dark: ToneColors,
    light: ToneColors,
}

#[derive(Serialize)]
struct ToneColors {
    background: String,
    text: String,
    faint: String,
    grid: String,
    training: String,
    validation: String,
    path: String,
    /// 65 colours of three bytes from the most negative to the most positive.
    diverging: Packed,
}

impl ToneColors {
    fn of(style: &Style) -> Self {
        let at = |k: u8| style.diverging.at(f32::from(k) / 32.0 - 1.0).bytes();
        ToneColors {
            background: style.background.css(),
            text: style.text.css(),
            faint: style.faint.css(),
            grid: style.grid.css(),
            training: style.training.css(),
            validation: style.validation.css(),
            path: style.path.css(),
            diverging: Packed::u8((0..=64).flat_map(at)),
        }
    }
}

impl Colors {
    fn new() -> Self {
        let at = |k: u8| viridis(f32::from(k) / 63.0).bytes();
        Colors {
            viridis: Packed::u8((0..64).flat_map(at)),
            dark: ToneColors::of(&Tone::Dark.style()),
            light: ToneColors::of(&Tone::Light.style()),
        }
    }
}

/// The page of a run, with its error surface where there is one.
///
/// # Errors
/// When the experiment cannot be written down. `path` is named in the error.
pub fn report_page(
    path: &Path,
    record: &RunRecord,
    relief: Option<&Relief>,
    options: ReportOptions,
) -> Result<Vec<u8>, InteropError> {
    let failed = |error: &dyn std::fmt::Display| InteropError::format(path, error.to_string());
    let moments = weights::moments(record);
    let theme = options.tone.map(|tone| match tone {
        Tone::Dark => "dark",
        Tone::Light => "light",
    });
    let data = Data {
        program: env!("CARGO_PKG_VERSION"),
        language: options.language,
        theme,
        words: words::words(record.findings.as_deref().unwrap_or_default()),
        colors: Colors::new(),
        run: heading::Heading::of(record).map_err(|error| failed(&error))?,
        curves: curves::Curves::of(record),
        relief: relief.and_then(Relief::data),
        weights: weights::Weights::of(record, &moments),
        network: wiring::Wiring::of(record),
        answers: answers::Answered::of(record, &moments),
        findings: record.findings.as_deref(),
        events: &record.events,
    };
    let json = serde_json::to_string(&data).map_err(|error| failed(&error))?;
    let page = fill(
        SKELETON,
        &[
            ("VERSION", env!("CARGO_PKG_VERSION")),
            ("LANG", options.language.unwrap_or("en")),
            ("THEME", theme.unwrap_or("auto")),
            ("TITLE", &escape(&record.name)),
            ("STYLE", STYLE),
            ("SCRIPT", &PARTS.concat()),
            ("DATA", &json_in_script(&json)),
        ],
    );
    Ok(page.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_script_can_end_its_element_or_ask_for_anything() {
        for part in PARTS {
            let lower = part.to_ascii_lowercase();
            assert!(!lower.contains("</script") && !lower.contains("<!--"));
            for call in ["fetch(", "XMLHttpRequest", "import(", "innerHTML", "eval("] {
                assert!(!part.contains(call), "{call}");
            }
        }
    }
}
