//! How the numbers of tensors that came are spread, so that activations, and all that is told
//! of a network that the engine does not have, are seen over time.

use super::news::{Group, Logged, News, TensorFrame};
use crate::insight::histogram::Histogram;
use crate::interop::EventHistogram;
use std::sync::Arc;

/// The bins of a histogram: TensorBoard's number.
const BINS: usize = 30;

/// A histogram for each tensor of the `wanted` groups that holds finite numbers, called as it
/// came: `activations/fc1`. Empty bins are left out.
pub fn spreads(frame: &TensorFrame, wanted: &[Group]) -> Vec<News> {
    let tensors = frame.tensors();
    let wanted = tensors
        .iter()
        .filter(|(group, _)| wanted.contains(group))
        .filter_map(|(group, tensor)| {
            let numbers = tensor.floats()?;
            let found = Histogram::of(numbers, BINS, None);
            let filled = found.counts.iter().enumerate().filter(|(_, n)| **n > 0);
            let bins: Vec<[f64; 3]> = filled
                .map(|(k, &n)| [found.edge(k), found.edge(k + 1), n as f64])
                .collect();
            (!bins.is_empty()).then(|| {
                News::Histogram(Logged {
                    run: Arc::clone(&frame.run),
                    tag: Arc::from(format!("{}/{}", group.name(), tensor.name)),
                    step: frame.step,
                    wall_time: frame.wall_time,
                    value: EventHistogram { bins },
                })
            })
        });
    wanted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::{Dtype, TensorView};

    fn frame(tensors: &[(&str, &[f32])]) -> TensorFrame {
        let bytes: Vec<Vec<u8>> = tensors
            .iter()
            .map(|(_, values)| values.iter().flat_map(|v| v.to_le_bytes()).collect())
            .collect();
        let views = tensors.iter().zip(&bytes).map(|((name, values), bytes)| {
            let view = TensorView::new(Dtype::F32, vec![values.len()], bytes).unwrap();
            (*name, view)
        });
        TensorFrame {
            run: Arc::from("run"),
            step: 40,
            wall_time: 0.0,
            body: safetensors::serialize(views, None).unwrap().into(),
            grouped: true,
        }
    }

    #[test]
    fn numbers_of_the_wanted_groups_are_counted_and_others_are_not() {
        let frame = frame(&[
            ("activations/fc1", &[0.0, 0.0, 1.0, 3.0, f32::NAN]),
            ("weights/fc1", &[1.0]),
            ("activations/lost", &[f32::NAN]),
        ]);
        let news = spreads(&frame, &[Group::Activations]);
        let [News::Histogram(found)] = &news[..] else {
            panic!("{news:?}")
        };
        assert_eq!((&*found.tag, found.step), ("activations/fc1", 40));
        let bins = &found.value.bins;
        assert_eq!(bins.len(), 3);
        assert_eq!(bins[0], [0.0, 0.1, 2.0]);
        assert_eq!(bins[2][1..], [3.0, 1.0]);
        assert_eq!(found.value.total(), 4.0);
        assert_eq!(spreads(&frame, &Group::ALL).len(), 2);
    }
}
