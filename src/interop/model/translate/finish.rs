//! The end of a translation: from the layers that were made to a network and its parameters.

use super::{Builder, Status, Translated};
use crate::nn::{Activation, LayerSpec, Loss, Network, ParamRole, Source};

impl Builder<'_> {
    /// The network, or why there is none.
    pub(super) fn finish(&self, statuses: &[Status]) -> Result<Translated, String> {
        let opaque =
            self.model
                .nodes
                .iter()
                .zip(statuses)
                .filter_map(|(node, status)| match status {
                    Status::Opaque(why) => Some((node, why)),
                    _ => None,
                });
        let opaque: Vec<_> = opaque.collect();
        if let Some((node, why)) = opaque.first() {
            return Err(format!(
                "{} of its {} nodes the engine does not have, first {} ({}): {why}",
                opaque.len(),
                statuses.len(),
                node.name,
                node.op
            ));
        }
        let unknown = statuses.iter().find_map(|status| match status {
            Status::Unknown(why) => Some(why.clone()),
            _ => None,
        });
        if let Some(why) = unknown {
            return Err(why);
        }
        let Some(input) = self.input else {
            return Err("the shape of its samples is not known".to_owned());
        };
        let value = match &self.model.outputs[..] {
            [port] => self.values.get(port.name.as_str()),
            ports => {
                return Err(format!(
                    "it gives {} values; the engine's networks give one",
                    ports.len()
                ));
            }
        };
        let last = self.made.len().checked_sub(1).map(Source::Layer);
        if last.is_none() || value.and_then(|value| value.source) != last {
            return Err("its output is not what its last layer gives".to_owned());
        }
        if let Some(pixels) = value.and_then(|v| v.pixels) {
            return Err(format!("its output is an image of {pixels} pixel by pixel"));
        }
        let layers: Vec<LayerSpec> = self.made.iter().map(|made| made.spec.clone()).collect();
        let loss = match layers.last().map(|layer| layer.activation) {
            Some(Activation::Softmax) => Loss::SoftmaxCrossEntropy,
            Some(Activation::Sigmoid) => Loss::BinaryCrossEntropy,
            _ => Loss::HalfSquaredError,
        };
        let network = Network::new(input, &layers, loss).map_err(|error| error.to_string())?;
        let params = self.params(&network)?;
        Ok(Translated {
            network,
            layers,
            params,
        })
    }

    fn params(&self, network: &Network) -> Result<Vec<f32>, String> {
        let mut params = vec![0.0; network.layout().len()];
        for tensor in network.layout().tensors() {
            let made = &self.made[tensor.layer];
            let given = made.params.iter().find(|(role, _)| *role == tensor.role);
            let into = &mut params[tensor.range.clone()];
            match given {
                Some((_, values)) if values.len() == into.len() => into.copy_from_slice(values),
                Some((_, values)) => {
                    return Err(format!(
                        "{} has {} numbers for its {}, and {:?} are needed",
                        made.spec.name.as_deref().unwrap_or_default(),
                        values.len(),
                        tensor.role.name(),
                        tensor.shape
                    ));
                }
                None => into.fill(match tensor.role {
                    ParamRole::Gain | ParamRole::RunningVariance => 1.0,
                    _ => 0.0,
                }),
            }
        }
        match params.iter().position(|v| !v.is_finite()) {
            None => Ok(params),
            Some(at) => Err(format!(
                "parameter {at} is {}; weights have to be finite",
                params[at]
            )),
        }
    }
}
