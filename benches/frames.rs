//! Time per frame on the headless renderer while training runs and everything
//! is recoloured every frame: `cargo bench --bench frames [-- NAME...]`.
//!
//! Prints the median, fastest and slowest of the frames. On a software renderer
//! the figures depend on how busy the processor is: compare within one run.
#![allow(clippy::print_stdout)]

use gradscape::app::capture::{Shot, bench};
use gradscape::app::{ArenaView, Language, NetworkView, SurfaceView, Theme, ViewMode};
use gradscape::experiment::Experiment;
use gradscape::train::Problem;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

const FRAMES: usize = 60;

/// After LeCun et al. 1998, with what has become usual since: ReLU, max pooling.
const LENET: &str = r#"
    [data]
    source = "mnist"
    limit = 3000
    [network]
    layers = [
        { conv = 6, kernel = 5, padding = 2, activation = "relu" }, { max_pool = 2 },
        { conv = 16, kernel = 5, activation = "relu" }, { max_pool = 2 }, "flatten",
        { dense = 120, activation = "relu" }, { dense = 84, activation = "relu" },
    ]
    loss = "cross-entropy"
    init = "he"
    [training]
    optimizer = { name = "adam", learning_rate = 0.001 }
    batch = 32
    epochs = 10
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let adapter = gradscape::app::graphics::find_adapter()?;
    println!(
        "{} at 1280x720, {FRAMES} frames each, milliseconds",
        adapter.name
    );
    println!(
        "{:<44} {:>8} {:>8} {:>8} {:>6}",
        "", "median", "fastest", "slowest", "fps"
    );
    for (name, sample, view, panels, budget) in [
        (
            "2-8-8-1, network",
            "spiral",
            ViewMode::Network,
            false,
            4_000,
        ),
        (
            "2-8-8-1, both views and panels",
            "spiral",
            ViewMode::Both,
            true,
            4_000,
        ),
        (
            "64-32-10, network",
            "digits",
            ViewMode::Network,
            false,
            4_000,
        ),
        (
            "64-32-10, both views and panels",
            "digits",
            ViewMode::Both,
            true,
            4_000,
        ),
        (
            "784-128-64-10, 4,000 connections",
            "mnist",
            ViewMode::Network,
            false,
            4_000,
        ),
        (
            "784-128-64-10, 20,000 connections",
            "mnist",
            ViewMode::Network,
            false,
            20_000,
        ),
        (
            "784-128-64-10, all 109,184 connections",
            "mnist",
            ViewMode::Network,
            false,
            200_000,
        ),
        (
            "LeNet, 9,278 units, 4,000 connections",
            "lenet",
            ViewMode::Network,
            false,
            4_000,
        ),
        (
            "LeNet, 9,278 units, 40,000 connections",
            "lenet",
            ViewMode::Network,
            false,
            40_000,
        ),
    ] {
        if !wanted.is_empty() && !wanted.iter().any(|w| name.contains(w.as_str())) {
            continue;
        }
        let file = format!("{}/experiments/{sample}.toml", env!("CARGO_MANIFEST_DIR"));
        let mut experiment = match sample {
            "lenet" => Experiment::parse(LENET, "LeNet")?,
            _ => Experiment::read(Path::new(&file))?,
        };
        experiment.training.epochs = 100_000;
        let shot = Shot {
            problem: Arc::new(Problem::new(&experiment)?),
            params: None,
            view,
            size: (1280, 720),
            frames: FRAMES,
            epochs: 1,
            steps: 1,
            orbit: 0.0,
            theme: Theme::Dark,
            language: Language::English,
            scale: 1.0,
            panels,
            smooth: false,
            network: NetworkView {
                connection_budget: budget,
                ..NetworkView::default()
            },
            surface: SurfaceView {
                grid: 33,
                ..SurfaceView::default()
            },
            arena: ArenaView::default(),
            race_at: 0,
            beside: None,
        };
        let mut seconds = bench(&shot, FRAMES)?;
        seconds.sort_by(f64::total_cmp);
        let ms = |i: usize| 1e3 * seconds[i];
        let median = ms(FRAMES / 2);
        println!(
            "{name:<44} {median:>8.1} {:>8.1} {:>8.1} {:>6.1}",
            ms(0),
            ms(FRAMES - 1),
            1e3 / median
        );
    }
    Ok(())
}
