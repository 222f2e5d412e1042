//! Trains the spiral, then computes the error surface around the weights it
//! arrived at and writes it as a table of x, y and loss.
//!
//! `cargo run --release --example surface_csv --no-default-features -- surface.csv`

#![allow(clippy::print_stdout)] // an example's result

use gradscape::experiment::Experiment;
use gradscape::landscape::{Axis, Directions, Gauge, Slice, evaluate, path_on_plane};
use gradscape::train::{Problem, Session, TrainCommand};
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const EXPERIMENT: &str = r#"
seed = 7
data = { source = "spiral", samples = 400, noise = 0.0, scale = "standard" }
training = { optimizer = { name = "adam", learning_rate = 0.02 }, batch = 32, epochs = 100 }
[network]
layers = [{ dense = 8, activation = "tanh" }, { dense = 8, activation = "tanh" }]
loss = "cross-entropy"
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).unwrap_or("surface.csv".into());
    let experiment = Experiment::parse(EXPERIMENT, "the example")?;
    let problem = Arc::new(Problem::new(&experiment)?);
    let mut session = Session::new(Arc::clone(&problem));
    session.command(TrainCommand::Start);
    while session.advance() {}

    // A plane through the weights, spanned by two random directions that are
    // as long, unit by unit, as the weights themselves.
    let network = &problem.network;
    let directions = Directions::Random { seed: 1 };
    let plane = directions.plane(network.layout(), session.trainer().params())?;
    let axis = Axis::new(-1.0, 1.0, 41)?;
    // Raised from another thread this would end the computation early.
    let cancel = AtomicBool::new(false);
    let gauge = Gauge::training_loss(&problem);
    let done = |_points: usize| {};
    let surface = evaluate(
        &Slice::new(gauge, &plane),
        axis,
        axis,
        &cancel,
        done,
        |_level| {},
    )
    .ok_or("cancelled")?;

    let mut csv = BufWriter::new(File::create(&file)?);
    writeln!(csv, "x,y,loss")?;
    for (row, y) in surface.loss.rows().into_iter().zip(&surface.y) {
        for (loss, x) in row.iter().zip(&surface.x) {
            writeln!(csv, "{x},{y},{loss}")?;
        }
    }
    csv.flush()?;

    let points = session.trajectory().points();
    let path = path_on_plane(gauge, &plane, points, &cancel).ok_or("cancelled")?;
    println!("{} losses written to {file}", surface.loss.len());
    println!(
        "{:.1} % of the optimiser's path lies in this plane",
        100.0 * path.share_in_plane().unwrap_or(0.0)
    );
    Ok(())
}
