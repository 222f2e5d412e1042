//! Two-dimensional pictures, as SVG and, through resvg, as PNG. They need no
//! graphics driver and no font of the system's: any machine can make them.

mod contour;
mod contour_legend;
mod contour_parts;
mod curves;
mod density;
mod distributions;
mod explanation;
mod field;
mod film;
mod flow;
mod fonts;
mod heat;
mod heat_table;
mod histograms;
mod levels;
mod line;
mod marching;
mod matrices;
mod maximised;
mod missing;
mod network;
mod overlay;
mod parallel;
mod paths;
mod plot;
mod race_curves;
mod range_test;
mod raster;
mod scale;
mod scores;
mod structure;
mod style;
mod svg;
mod sweep;
mod sweep_axes;
mod symlog;
mod table;
mod ticks;
mod training;
mod units;
mod ways;

pub use contour::{ContourFigure, Heights};
pub use curves::CurvesFigure;
pub use density::DensityFigure;
pub use distributions::{DistributionsFigure, LayerSpreads};
pub use explanation::{Attribution, Covered, ExplanationFigure, Look};
pub use field::{FieldFigure, PlanePoint};
pub use film::{Film, FilmFormat, FilmPlan};
pub use flow::FlowFigure;
pub use fonts::{CJK, LATIN, MATH};
pub use heat_table::HeatTable;
pub use histograms::HistogramsFigure;
pub use line::LineFigure;
pub use marching::contour_lines;
pub use matrices::{HeatColors, HeatColumn, HeatFigure};
pub use maximised::{Exhibit, MaximisedFigure};
pub use missing::Missing;
pub use network::{Column, NetworkFigure, NetworkPlan, PlannedLink};
pub use overlay::{OverlayFigure, OverlaySeries};
pub use parallel::{
    ParallelAxis, ParallelFigure, ParallelMarks, PlacedAxis, result_color, short_key,
};
pub use paths::{PathsFigure, RacePath};
pub use race_curves::{RaceCurve, RaceCurvesFigure};
pub use range_test::RangeTestFigure;
pub use raster::{Pixels, rasterise, write_figure};
pub use scale::Scale;
pub use scores::ScoresFigure;
pub use structure::StructureFigure;
pub use style::{Style, Tone};
pub use svg::Svg;
pub use sweep::SweepFigure;
pub use sweep_axes::{LossAxis, SettingAxis};
pub use table::ShareTableFigure;
pub use ticks::{log_ticks, nice_ticks, tick_label};
pub use training::{Progress, TrainingFigure};
pub use units::UnitsFigure;
pub use ways::WaysFigure;

use std::path::PathBuf;

/// Why a picture cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// The SVG cannot be turned into pixels.
    #[error("the picture cannot be drawn: {0}")]
    Raster(String),
    /// The file cannot be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The name's ending says nothing that is known.
    #[error("{}: pictures end in .png or .svg", path.display())]
    Ending {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to draw.
    #[error("{0}")]
    Empty(&'static str),
}
