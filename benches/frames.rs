//! Time per frame on the headless renderer while training runs and everything
//! is recoloured every frame: `cargo bench --bench frames [-- NAME...]`.
//!
//! `live` in place of a name measures real time instead: training on its thread
//! with and without the error surface in view, steps, frames and surfaces a second.
//! `large` measures large networks: the time to the first frame, frames while the camera turns,
//! and the memory that all of it took; with a file that ends in .onnx that model, too.
//!
//! Prints the median, fastest and slowest of the frames. On a software renderer
//! the figures depend on how busy the processor is: compare within one run.
#![allow(clippy::print_stdout)]

use gradscape::app::capture::{Shot, Sight, bench, bench_orbit};
use gradscape::app::live::live;
use gradscape::app::ui::Tab;
use gradscape::app::{ArenaView, Item, Language, NetworkView, SurfaceView, Theme, ViewMode};
use gradscape::compare::Variant;
use gradscape::experiment::Experiment;
use gradscape::insight::outline::{Found, read_model};
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

/// What of the inside of the network is shown.
#[derive(Debug, Clone, Copy)]
enum Inside {
    /// Neurons and connections alone.
    Plain,
    /// Weights as heat maps.
    Maps,
    /// Fields on neurons.
    Fields,
    /// A selected unit's kernel.
    Kernel,
    /// Two networks beside it.
    Beside,
    /// A tab of the panel.
    Tab(Tab),
}

fn main() -> Result<(), Box<dyn Error>> {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let adapter = gradscape::app::graphics::find_adapter()?;
    if wanted.iter().any(|w| w == "live") {
        return measure_live(&adapter.name);
    }
    if wanted.iter().any(|w| w == "large") {
        return measure_large(&adapter.name, wanted.iter().find(|w| w.ends_with(".onnx")));
    }
    println!(
        "{} at 1280x720, {FRAMES} frames each, milliseconds",
        adapter.name
    );
    println!(
        "{:<44} {:>8} {:>8} {:>8} {:>6}",
        "", "median", "fastest", "slowest", "fps"
    );
    for (name, sample, view, panels, budget, inside) in [
        (
            "2-8-8-1, network",
            "spiral",
            ViewMode::Network,
            false,
            4_000,
            Inside::Plain,
        ),
        (
            "2-8-8-1, heat maps",
            "spiral",
            ViewMode::Network,
            false,
            4_000,
            Inside::Maps,
        ),
        (
            "2-8-8-1, fields",
            "spiral",
            ViewMode::Network,
            false,
            4_000,
            Inside::Fields,
        ),
        (
            "2-8-8-1, both views and panels",
            "spiral",
            ViewMode::Both,
            true,
            4_000,
            Inside::Plain,
        ),
        (
            "64-32-10, network",
            "digits",
            ViewMode::Network,
            false,
            4_000,
            Inside::Plain,
        ),
        (
            "64-32-10, heat maps",
            "digits",
            ViewMode::Network,
            false,
            4_000,
            Inside::Maps,
        ),
        (
            "64-32-10, both views and panels",
            "digits",
            ViewMode::Both,
            true,
            4_000,
            Inside::Plain,
        ),
        (
            "784-128-64-10, 4,000 connections",
            "mnist",
            ViewMode::Network,
            false,
            4_000,
            Inside::Plain,
        ),
        (
            "784-128-64-10, heat maps",
            "mnist",
            ViewMode::Network,
            false,
            4_000,
            Inside::Maps,
        ),
        (
            "784-128-64-10, 20,000 connections",
            "mnist",
            ViewMode::Network,
            false,
            20_000,
            Inside::Plain,
        ),
        (
            "784-128-64-10, all 109,184 connections",
            "mnist",
            ViewMode::Network,
            false,
            200_000,
            Inside::Plain,
        ),
        (
            "LeNet, 9,278 units, 4,000 connections",
            "lenet",
            ViewMode::Network,
            false,
            4_000,
            Inside::Plain,
        ),
        (
            "LeNet, 9,278 units, heat maps",
            "lenet",
            ViewMode::Network,
            false,
            4_000,
            Inside::Maps,
        ),
        (
            "LeNet, 9,278 units, a kernel at work",
            "lenet",
            ViewMode::Network,
            false,
            4_000,
            Inside::Kernel,
        ),
        (
            "LeNet, 9,278 units, 40,000 connections",
            "lenet",
            ViewMode::Network,
            false,
            40_000,
            Inside::Plain,
        ),
        (
            "2-8-8-1, two beside it",
            "spiral",
            ViewMode::Network,
            false,
            4_000,
            Inside::Beside,
        ),
        (
            "2-8-8-1, panels, network",
            "spiral",
            ViewMode::Network,
            true,
            4_000,
            Inside::Plain,
        ),
        (
            "2-8-8-1, panels, tab of weights",
            "spiral",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Weights),
        ),
        (
            "2-8-8-1, panels, tab of feature maps",
            "spiral",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Features),
        ),
        (
            "2-8-8-1, panels, tab of histograms",
            "spiral",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Histograms),
        ),
        (
            "2-8-8-1, panels, tab of gradient flow",
            "spiral",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Flow),
        ),
        (
            "2-8-8-1, panels, tab of diagnosis",
            "spiral",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Diagnosis),
        ),
        (
            "64-32-10, two beside it",
            "digits",
            ViewMode::Network,
            false,
            4_000,
            Inside::Beside,
        ),
        (
            "64-32-10, panels, network",
            "digits",
            ViewMode::Network,
            true,
            4_000,
            Inside::Plain,
        ),
        (
            "64-32-10, panels, tab of weights",
            "digits",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Weights),
        ),
        (
            "64-32-10, panels, tab of feature maps",
            "digits",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Features),
        ),
        (
            "64-32-10, panels, tab of histograms",
            "digits",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Histograms),
        ),
        (
            "64-32-10, panels, tab of gradient flow",
            "digits",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Flow),
        ),
        (
            "64-32-10, panels, tab of diagnosis",
            "digits",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Diagnosis),
        ),
        (
            "LeNet, two beside it",
            "lenet",
            ViewMode::Network,
            false,
            4_000,
            Inside::Beside,
        ),
        (
            "LeNet, panels, network",
            "lenet",
            ViewMode::Network,
            true,
            4_000,
            Inside::Plain,
        ),
        (
            "LeNet, panels, tab of weights",
            "lenet",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Weights),
        ),
        (
            "LeNet, panels, tab of feature maps",
            "lenet",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Features),
        ),
        (
            "LeNet, panels, tab of histograms",
            "lenet",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Histograms),
        ),
        (
            "LeNet, panels, tab of gradient flow",
            "lenet",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Flow),
        ),
        (
            "LeNet, panels, tab of diagnosis",
            "lenet",
            ViewMode::Network,
            true,
            4_000,
            Inside::Tab(Tab::Diagnosis),
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
            frame_time: std::time::Duration::from_millis(33),
            past: None,
            replay: false,
            epochs: 1,
            steps: 1,
            orbit: 0.0,
            theme: Theme::DARK,
            language: Language::English,
            scale: 1.0,
            panels,
            smooth: false,
            network: NetworkView {
                connection_budget: budget,
                maps: matches!(inside, Inside::Maps),
                fields: matches!(inside, Inside::Fields),
                ..NetworkView::default()
            },
            surface: SurfaceView {
                grid: 33,
                ..SurfaceView::default()
            },
            arena: ArenaView::default(),
            race_at: 0,
            events: None,
            rivals: match inside {
                Inside::Beside => [Variant::Deeper, Variant::Wider]
                    .into_iter()
                    .filter_map(|variant| variant.of(&experiment))
                    .collect(),
                _ => Vec::new(),
            },
            inside: match inside {
                Inside::Tab(tab) => Some(tab),
                _ => None,
            },
            beside: None,
        };
        // A unit of the second convolution, which reads six channels.
        let kernel = matches!(inside, Inside::Kernel).then_some(Item::Neuron {
            column: 3,
            unit: 455,
        });
        let mut seconds = bench(&shot, FRAMES, kernel)?;
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

/// A residual network of 89 layers with 32 million parameters, on images of 28 by 28.
fn residual() -> String {
    let mut layers = String::from(
        "{ conv = 64, kernel = 3, padding = 1, activation = \"relu\", name = \"stem\" },\n",
    );
    let (mut before, mut block) = ("stem".to_owned(), 0);
    for (stage, (filters, blocks)) in [(64, 6), (128, 8), (256, 10), (512, 4)]
        .into_iter()
        .enumerate()
    {
        for k in 0..blocks {
            block += 1;
            let narrows = stage > 0 && k == 0;
            let (stride, mut skip) = (1 + usize::from(narrows), before.clone());
            if narrows {
                skip = format!("down{block}");
                layers += &format!(
                    "{{ conv = {filters}, kernel = 1, stride = 2, from = \"{before}\", name = \"{skip}\" }},\n"
                );
            }
            layers += &format!(
                "{{ conv = {filters}, kernel = 3, padding = 1, stride = {stride}, activation = \"relu\", from = \"{before}\", name = \"a{block}\" }},\n\
                 {{ conv = {filters}, kernel = 3, padding = 1, name = \"b{block}\" }},\n\
                 {{ add = \"{skip}\", activation = \"relu\", name = \"sum{block}\" }},\n"
            );
            before = format!("sum{block}");
        }
    }
    layers + "\"global_avg_pool\","
}

/// Large networks, and a model's file where one is named.
fn measure_large(adapter: &str, model: Option<&String>) -> Result<(), Box<dyn Error>> {
    println!(
        "{adapter} at 1280x720, panels on, the camera turning, {FRAMES} frames each, milliseconds"
    );
    println!(
        "{:<44} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "", "first", "median", "fastest", "slowest", "MB"
    );
    let dense = |units: usize| format!("{{ dense = {units}, activation = \"relu\" }},\n");
    let cases = [
        (
            "60 dense layers of 64, 0.2 M",
            "digits",
            dense(64).repeat(59),
        ),
        ("89 layers, residual, 32 M", "mnist", residual()),
        (
            "784-4096-4096-2304-10, 29 M",
            "mnist",
            [4096, 4096, 2304].map(dense).concat(),
        ),
    ];
    for (name, source, layers) in cases {
        let text = format!(
            "[data]\nsource = \"{source}\"\nlimit = 200\n[network]\nlayers = [\n{layers}]\n\
             loss = \"cross-entropy\"\ninit = \"he\"\n[training]\noptimizer = {{ name = \"adam\", \
             learning_rate = 0.001 }}\nbatch = 32\nepochs = 10\n"
        );
        let begun = std::time::Instant::now();
        let experiment = Experiment::parse(&text, name)?;
        let problem = Arc::new(Problem::new(&experiment)?);
        for (what, open_all) in [("", false), (", all open", true)] {
            let sight = Sight {
                open_all,
                ..Sight::default()
            };
            let made = if open_all {
                0.0
            } else {
                begun.elapsed().as_secs_f64()
            };
            line(&format!("{name}{what}"), made, &large(&problem), &sight)?;
        }
    }
    let Some(path) = model else { return Ok(()) };
    let begun = std::time::Instant::now();
    let found = match read_model(Path::new(path), |_| true) {
        Some(Ok(Found::Foreign(foreign))) => foreign,
        Some(Ok(Found::Experiment(_))) | None => return Ok(()),
        Some(Err(why)) => return Err(why.into()),
    };
    let read = begun.elapsed().as_secs_f64();
    let file = format!("{}/experiments/spiral.toml", env!("CARGO_MANIFEST_DIR"));
    let behind = Arc::new(Problem::new(&Experiment::read(Path::new(&file))?)?);
    for (what, open_all) in [("", false), (", all open", true)] {
        let sight = Sight {
            model: Some(Arc::clone(&found)),
            open_all,
            ..Sight::default()
        };
        let name = format!("{}{what}", found.name());
        line(&name, read, &large(&behind), &sight)?;
    }
    Ok(())
}

fn line(name: &str, before: f64, shot: &Shot, sight: &Sight) -> Result<(), Box<dyn Error>> {
    let (first, mut seconds) = bench_orbit(shot, sight, FRAMES)?;
    seconds.sort_by(f64::total_cmp);
    let ms = |i: usize| 1e3 * seconds[i];
    println!(
        "{name:<44} {:>8.0} {:>8.1} {:>8.1} {:>8.1} {:>8.0}",
        1e3 * (before + first),
        ms(FRAMES / 2),
        ms(0),
        ms(FRAMES - 1),
        most_memory().unwrap_or(f64::NAN)
    );
    Ok(())
}

/// The most memory that the process had so far, in megabytes, where the system says it.
fn most_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes / 1e3)
}

fn large(problem: &Arc<Problem>) -> Shot {
    Shot {
        problem: Arc::clone(problem),
        params: None,
        view: ViewMode::Network,
        size: (1280, 720),
        frames: FRAMES,
        frame_time: std::time::Duration::from_millis(33),
        past: None,
        replay: false,
        epochs: 0,
        steps: 1,
        orbit: 0.0,
        theme: Theme::DARK,
        language: Language::English,
        scale: 1.0,
        panels: true,
        smooth: false,
        network: NetworkView::default(),
        surface: SurfaceView::default(),
        arena: ArenaView::default(),
        race_at: 0,
        events: None,
        rivals: Vec::new(),
        inside: None,
        beside: None,
    }
}

/// Seconds for each line of the live table.
const SECONDS: f64 = 6.0;

fn measure_live(adapter: &str) -> Result<(), Box<dyn Error>> {
    println!("{adapter} at 1280x720, panels on, training in real time, {SECONDS} s each");
    println!(
        "{:<24} {:>10} {:>10} {:>8} {:>12} {:>12} {:>6}",
        "", "view", "steps/s", "fps", "slowest, ms", "surfaces/s", "side"
    );
    for sample in ["spiral", "digits", "mnist"] {
        let file = format!("{}/experiments/{sample}.toml", env!("CARGO_MANIFEST_DIR"));
        let mut experiment = Experiment::read(Path::new(&file))?;
        experiment.training.epochs = 10_000_000;
        let problem = Arc::new(Problem::new(&experiment)?);
        for (name, view) in [("network", ViewMode::Network), ("both", ViewMode::Both)] {
            let shot = Shot {
                problem: Arc::clone(&problem),
                params: None,
                view,
                size: (1280, 720),
                frames: 1,
                frame_time: std::time::Duration::from_millis(33),
                past: None,
                replay: false,
                epochs: 0,
                steps: 1,
                orbit: 0.0,
                theme: Theme::DARK,
                language: Language::English,
                scale: 1.0,
                panels: true,
                smooth: false,
                network: NetworkView::default(),
                surface: SurfaceView::default(),
                arena: ArenaView::default(),
                race_at: 0,
                events: None,
                rivals: Vec::new(),
                inside: None,
                beside: None,
            };
            let live = live(&shot, SECONDS)?;
            println!(
                "{sample:<24} {name:>10} {:>10.0} {:>8.1} {:>12.0} {:>12.1} {:>6}",
                live.steps,
                live.frames,
                1e3 * live.slowest,
                live.surfaces,
                live.side
            );
        }
    }
    Ok(())
}
