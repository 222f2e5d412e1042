//! Renders one frame of an experiment without a window, through the library.
//!
//! `cargo run --release --example picture -- EXPERIMENT.toml OUT.png [network|surface|both|together] [dark|light] [en|zh] [EPOCHS] [WxH] [panels] [SCALE]`

use gradscape::app::capture::{Shot, capture};
use gradscape::app::{ArenaView, Language, NetworkView, SurfaceView, Theme, ViewMode};
use gradscape::experiment::Experiment;
use gradscape::train::Problem;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let arg = |i: usize| args.get(i).map_or("", String::as_str);
    let experiment = Experiment::read(Path::new(arg(0)))?;
    let size = arg(6)
        .split_once('x')
        .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    let shot = Shot {
        problem: Arc::new(Problem::new(&experiment)?),
        params: None,
        view: match arg(2) {
            "network" => ViewMode::Network,
            "surface" => ViewMode::Surface,
            "together" => ViewMode::Together,
            _ => ViewMode::Both,
        },
        size: size.unwrap_or((1280, 720)),
        frames: 1,
        frame_time: std::time::Duration::from_millis(33),
        past: None,
        replay: false,
        epochs: arg(5).parse().unwrap_or(20),
        steps: 1,
        orbit: 0.0,
        theme: if arg(3) == "light" {
            Theme::LIGHT
        } else {
            Theme::DARK
        },
        language: if arg(4) == "zh" {
            Language::Chinese
        } else {
            Language::English
        },
        scale: arg(8).parse().unwrap_or(1.0),
        panels: arg(7) == "panels",
        smooth: std::env::var("SMOOTH").is_ok(),
        network: NetworkView::default(),
        surface: SurfaceView::default(),
        arena: ArenaView::default(),
        race_at: 0,
        events: None,
        rivals: Vec::new(),
        inside: None,
        beside: None,
    };
    let out = arg(1).to_owned();
    capture(&shot, |_, frame| {
        let file = std::fs::File::create(&out).map_err(|e| e.to_string())?;
        let mut png = png::Encoder::new(file, frame.width, frame.height);
        png.set_color(png::ColorType::Rgba);
        png.set_depth(png::BitDepth::Eight);
        png.write_header()
            .and_then(|mut w| w.write_image_data(&frame.rgba))
            .map_err(|e| e.to_string())
    })?;
    Ok(())
}
