//! Trains a network on exclusive or with the core alone: no window, no engine.
//!
//! `cargo run --release --example xor --no-default-features`

#![allow(clippy::print_stdout)] // an example's result

use gradscape::nn::{Activation, Init, Loss, Network, Workspace};
use gradscape::optim::OptimizerKind;
use gradscape::rng::{Stream, stream};
use ndarray::array;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let x = array![[0.0_f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let y = array![[0.0_f32], [1.0], [1.0], [0.0]];

    // 2 inputs, 3 hidden units, 1 output. The network holds no weights: all
    // parameters are one flat vector beside it.
    let layers = [(3, Activation::Tanh), (1, Activation::Sigmoid)];
    let network = Network::dense(2, &layers, Loss::BinaryCrossEntropy)?;
    let mut rng = stream(7, Stream::Init);
    let mut params: Vec<f32> = network.initialise(Init::Xavier, 1.0, 0.0, &mut rng);

    let adam = OptimizerKind::Adam {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
    };
    let mut optimizer = adam.build(params.len());
    let mut workspace = Workspace::new(&network, x.nrows());
    let mut gradient = vec![0.0; params.len()];
    println!("{} parameters", params.len());
    for step in 0..=500 {
        let loss = network.gradient(&params, x.view(), y.view(), &mut workspace, &mut gradient);
        if step % 100 == 0 {
            println!("step {step:3}  loss {loss:.6}");
        }
        optimizer.step(&mut params, &gradient, 0.05);
    }

    network.forward(&params, x.view(), &mut workspace);
    for (input, output) in x.rows().into_iter().zip(workspace.output().rows()) {
        println!("{} xor {} = {:.4}", input[0], input[1], output[0]);
    }
    Ok(())
}
