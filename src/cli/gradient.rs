//! `gradscape gradient`: the loss over the whole training part and its gradient.

use super::source::SourceArgs;
use super::surface::ending;
use super::{CliError, Out};
use crate::interop::{Values, write_tensor_arrays, write_tensors};
use crate::train::full_gradient;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Compute the loss and the gradient of every parameter
///
/// Both are of the mean data loss over the whole training part, without the
/// penalties of l1 and l2. The file holds `loss` (F64, shape []) and
/// `layers.K.weight` [out, in] and `layers.K.bias` [out] with the gradients.
#[derive(Args, Debug, Clone)]
pub struct GradientArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Write this safetensors file, or NumPy archive where it ends in .npz
    #[arg(long, value_name = "FILE", value_parser = output)]
    out: PathBuf,
    /// Compute and store in double precision
    #[arg(long)]
    double: bool,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct GradientObject {
    loss: f64,
    gradient_norm: f64,
    parameters: usize,
    samples: usize,
    file: PathBuf,
}

fn output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ending(&path).as_deref() {
        None | Some("safetensors" | "npz") => Ok(path),
        _ => Err("gradients are written as .safetensors or .npz".to_owned()),
    }
}

/// Obeys `gradscape gradient`.
///
/// # Errors
/// When something cannot be read or written, or the loss is not finite.
pub fn run(args: &GradientArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let source = args.source.load()?;
    let (network, samples) = (&source.problem.network, &source.problem.train);
    let layout = network.layout();
    let single;
    let double;
    let (loss, values, norm) = if args.double {
        let params: Vec<f64> = source.params.iter().map(|&p| f64::from(p)).collect();
        let (x, y) = (samples.x.mapv(f64::from), samples.y.mapv(f64::from));
        let (loss, gradient) = full_gradient(network, &params, x.view(), y.view());
        double = gradient;
        let norm = double.iter().map(|g| g * g).sum::<f64>().sqrt();
        (loss, Values::Double(&double), norm)
    } else {
        let (x, y) = (samples.x.view(), samples.y.view());
        let (loss, gradient) = full_gradient(network, &source.params, x, y);
        single = gradient;
        let norm = single.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>();
        (loss, Values::Single(&single), norm.sqrt())
    };
    if !loss.is_finite() {
        return Err(CliError::Failed(format!(
            "the loss at these weights is {loss}; nothing is written"
        )));
    }
    let write = match ending(&args.out).as_deref() {
        Some("npz") => write_tensor_arrays,
        _ => write_tensors,
    };
    write(&args.out, layout, values, &[("loss", loss)])?;
    out.object(&GradientObject {
        loss,
        gradient_norm: norm,
        parameters: layout.len(),
        samples: samples.len(),
        file: args.out.clone(),
    })?;
    out.say(format!(
        "loss {loss:.9} over {} samples, gradient norm {norm:.6e}, {} parameters\nwritten to {}",
        samples.len(),
        layout.len(),
        args.out.display()
    ))
}
