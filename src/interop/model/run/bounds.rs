//! How large the outputs of a node can become, for the operators whose outputs have sizes that
//! are values of their inputs: a few bytes can ask for any amount of memory.

use super::Read;
use super::graph::RawNode;
use tract_onnx::prelude::Tensor;

/// The values that a node's output may have: a bound on what a file can make the program
/// allocate.
pub(super) const MOST_VALUES: usize = 1 << 27;

/// Refuses a node whose output would have more than [`MOST_VALUES`].
pub(super) fn check(node: &RawNode<'_>, reads: &[Option<Read>]) -> Result<(), String> {
    let Some(values) = asked(node, reads)? else {
        return Ok(());
    };
    if values <= MOST_VALUES as f64 {
        return Ok(());
    }
    Err(format!(
        "its output would have {values:.0} values, and at most {MOST_VALUES} are computed"
    ))
}

/// The number of values that the node is asked for; `None` where that follows from the shapes
/// of its inputs alone.
fn asked(node: &RawNode<'_>, reads: &[Option<Read>]) -> Result<Option<f64>, String> {
    let tensor = |slot: usize| {
        reads
            .get(slot)
            .and_then(Option::as_ref)
            .map(|read| &*read.0)
    };
    let numbers = |slot: usize| tensor(slot).map(numbers).transpose();
    let length = |slot: usize| tensor(slot).map_or(0.0, |t| t.len() as f64);
    let product = |all: &[f64]| all.iter().map(|n| n.abs().max(1.0)).product::<f64>();
    Ok(match node.op {
        "ConstantOfShape" => numbers(0)?.map(|sides| product(&sides)),
        "Expand" => numbers(1)?.map(|sides| {
            let own = tensor(0).map_or(&[][..], Tensor::shape);
            let rank = own.len().max(sides.len());
            let side = |all: &dyn Fn(usize) -> f64, length: usize, k: usize| {
                (k + length).checked_sub(rank).map_or(1.0, all)
            };
            (0..rank)
                .map(|k| {
                    let a = side(&|at| own[at] as f64, own.len(), k);
                    let b = side(&|at| sides[at], sides.len(), k);
                    a.max(b).max(1.0)
                })
                .product()
        }),
        "Tile" => numbers(1)?.map(|times| length(0) * product(&times)),
        "Range" => match (numbers(0)?, numbers(1)?, numbers(2)?) {
            (Some(from), Some(to), Some(step)) => match (&from[..], &to[..], &step[..]) {
                ([from], [to], [step]) if *step != 0.0 => Some(((to - from) / step).abs()),
                _ => return Err("its limits are not three numbers".to_owned()),
            },
            _ => None,
        },
        "Resize" | "Upsample" => {
            let sizes = numbers(3)?.filter(|sizes| !sizes.is_empty());
            let place = if node.op == "Resize" && reads.len() > 2 {
                2
            } else {
                1
            };
            let scales = numbers(place)?.filter(|scales| !scales.is_empty());
            let own: Vec<f64> = node
                .singles("scales")?
                .iter()
                .map(|&x| f64::from(x))
                .collect();
            match (sizes, scales, own.is_empty()) {
                (Some(sizes), ..) => Some(product(&sizes)),
                (None, Some(scales), _) => Some(length(0) * product(&scales)),
                (None, None, false) => Some(length(0) * product(&own)),
                (None, None, true) => None,
            }
        }
        "OneHot" => numbers(1)?.map(|depth| length(0) * product(&depth)),
        "Pad" => {
            let pads = match numbers(1)? {
                Some(pads) => pads,
                None => node.wholes("pads")?.iter().map(|&n| n as f64).collect(),
            };
            let sides = tensor(0).map_or(&[][..], Tensor::shape);
            let all: f64 = pads.iter().map(|n| n.abs()).sum();
            let each = sides.iter().enumerate().map(|(k, &side)| {
                // With axes of their own it is not told here which side gets which.
                let more = match pads.len() == 2 * sides.len() {
                    true => pads[k].abs() + pads[k + sides.len()].abs(),
                    false => all,
                };
                side as f64 + more
            });
            Some(each.product())
        }
        "RandomNormal" | "RandomUniform" => {
            let sides = node.wholes("shape")?;
            Some(sides.iter().map(|&n| (n as f64).abs().max(1.0)).product())
        }
        "Multinomial" => Some(length(0) * node.whole("sample_size")?.unwrap_or(1) as f64),
        "HannWindow" | "HammingWindow" | "BlackmanWindow" => numbers(0)?.map(|n| product(&n)),
        "MelWeightMatrix" => match (numbers(0)?, numbers(1)?) {
            (Some(bins), Some(length)) => Some(product(&bins) * product(&length)),
            _ => None,
        },
        "DFT" => numbers(1)?.map(|n| length(0) * product(&n)),
        _ => None,
    })
}

/// The values of a tensor of few: sizes, scales, paddings.
fn numbers(tensor: &Tensor) -> Result<Vec<f64>, String> {
    if tensor.len() > 64 {
        return Err(format!(
            "{} numbers where sizes for at most 64 sides belong",
            tensor.len()
        ));
    }
    super::values::wide(tensor).ok_or_else(|| "its sizes are no numbers".to_owned())
}
