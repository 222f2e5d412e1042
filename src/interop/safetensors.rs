//! Parameters and gradients as safetensors: one tensor for each block of the
//! layout, `layers.K.weight` `[out, in]` and `layers.K.bias` `[out]`.

use super::{InteropError, read_bytes};
use crate::nn::Layout;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::path::Path;

/// One value per parameter, in the layout's order.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// Written as F32.
    Single(&'a [f32]),
    /// Written as F64.
    Double(&'a [f64]),
}

impl Values<'_> {
    fn len(&self) -> usize {
        match self {
            Values::Single(v) => v.len(),
            Values::Double(v) => v.len(),
        }
    }

    /// Refuses values that are not one for each parameter.
    pub(super) fn fit(&self, path: &Path, layout: &Layout) -> Result<(), InteropError> {
        if self.len() == layout.len() {
            return Ok(());
        }
        Err(InteropError::format(
            path,
            format!(
                "{} values for {} parameters are not written",
                self.len(),
                layout.len()
            ),
        ))
    }

    /// Little-endian bytes of a part.
    fn bytes(&self, range: std::ops::Range<usize>) -> (Dtype, Vec<u8>) {
        match self {
            Values::Single(v) => (
                Dtype::F32,
                v[range].iter().flat_map(|v| v.to_le_bytes()).collect(),
            ),
            Values::Double(v) => (
                Dtype::F64,
                v[range].iter().flat_map(|v| v.to_le_bytes()).collect(),
            ),
        }
    }
}

/// Writes the parameters of a network, as F32.
///
/// # Errors
/// When the file cannot be written, or `params` is not as long as the layout.
pub fn write_params(path: &Path, layout: &Layout, params: &[f32]) -> Result<(), InteropError> {
    write_tensors(path, layout, Values::Single(params), &[])
}

/// Writes one value for each parameter, and named numbers beside them as F64
/// tensors of shape `[]`.
///
/// # Errors
/// When the file cannot be written, or `values` is not as long as the layout.
pub fn write_tensors(
    path: &Path,
    layout: &Layout,
    values: Values<'_>,
    scalars: &[(&str, f64)],
) -> Result<(), InteropError> {
    values.fit(path, layout)?;
    let mut blocks: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = layout
        .tensors()
        .iter()
        .map(|tensor| {
            let (dtype, bytes) = values.bytes(tensor.range.clone());
            (tensor.key(), dtype, tensor.shape.clone(), bytes)
        })
        .collect();
    for (name, value) in scalars {
        let bytes = value.to_le_bytes().to_vec();
        blocks.push(((*name).to_owned(), Dtype::F64, Vec::new(), bytes));
    }
    let views = blocks
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name.as_str(), view))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| InteropError::format(path, error.to_string()))?;
    let bytes = safetensors::serialize(views, None)
        .map_err(|error| InteropError::format(path, error.to_string()))?;
    crate::files::replace(path, &bytes).map_err(|error| InteropError::io(path, error))
}

/// Reads parameters for `layout`, in its order. F32, F64, F16 and BF16 are
/// read. Tensors whose names do not start with `layers.` are passed over.
///
/// # Errors
/// When the file is no safetensors file, lacks a tensor, has one of another
/// shape or type, has layers that the network lacks, or a number that is not
/// finite.
pub fn read_params(path: &Path, layout: &Layout) -> Result<Vec<f32>, InteropError> {
    parse(path, &read_bytes(path)?, layout)
}

/// Why `bytes` are no safetensors file: where they are too few for what they state, that it
/// is cut.
pub(super) fn safetensors_fault(bytes: &[u8], error: &SafeTensorError) -> String {
    let have = bytes.len();
    let header = bytes.first_chunk().map(|b| u64::from_le_bytes(*b));
    match (header, error) {
        (None, _) => format!("is cut, or is not a safetensors file: it has {have} bytes"),
        (Some(header), SafeTensorError::InvalidHeaderLength) => format!(
            "is cut, or is not a safetensors file: its header would have {header} bytes, and the \
             whole file has {have}"
        ),
        (_, SafeTensorError::MetadataIncompleteBuffer) => format!(
            "is cut, or something was written behind it: its tensors do not end where the file \
             does, after {have} bytes"
        ),
        _ => format!("is not a safetensors file: {error}"),
    }
}

fn parse(path: &Path, bytes: &[u8], layout: &Layout) -> Result<Vec<f32>, InteropError> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| InteropError::format(path, safetensors_fault(bytes, &error)))?;
    let mut params = vec![0.0_f32; layout.len()];
    for tensor in layout.tensors() {
        let name = tensor.key();
        let fault = |message: String| InteropError::array(path, &name, message);
        let view = file.tensor(&name).map_err(|_| {
            let mut present = file.names();
            present.sort_unstable();
            fault(format!(
                "is not there; the network needs it with the shape {:?}, and the file holds {}",
                tensor.shape,
                listed(&present)
            ))
        })?;
        if view.shape() != tensor.shape {
            return Err(fault(format!(
                "has the shape {:?}; the network needs {:?}",
                view.shape(),
                tensor.shape
            )));
        }
        let values = numbers(&view).ok_or_else(|| {
            fault(format!(
                "has the type {:?}; allowed are F32, F64, F16 and BF16",
                view.dtype()
            ))
        })?;
        if let Some(index) = values.iter().position(|v| !v.is_finite()) {
            return Err(fault(format!(
                "value {index} is {} as an F32; weights have to be finite",
                values[index]
            )));
        }
        params[tensor.range.clone()].copy_from_slice(&values);
    }
    let known: Vec<String> = layout.tensors().iter().map(|t| t.key()).collect();
    let mut names = file.names();
    names.sort_unstable();
    match names
        .iter()
        .find(|name| name.starts_with("layers.") && !known.iter().any(|k| k == *name))
    {
        Some(name) => Err(InteropError::array(
            path,
            name,
            format!(
                "does not belong to this network, which has {}",
                listed(&known.iter().map(String::as_str).collect::<Vec<_>>())
            ),
        )),
        None => Ok(params),
    }
}

/// A tensor's numbers, or `None` for a type that is not read. The format
/// guarantees as many bytes as the shape needs.
fn numbers(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let data = view.data();
    Some(match view.dtype() {
        Dtype::F32 => data
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect(),
        Dtype::F64 => data
            .as_chunks::<8>()
            .0
            .iter()
            .map(|b| f64::from_le_bytes(*b) as f32)
            .collect(),
        Dtype::F16 => data
            .as_chunks::<2>()
            .0
            .iter()
            .map(|b| from_half(u16::from_le_bytes(*b)))
            .collect(),
        Dtype::BF16 => data
            .as_chunks::<2>()
            .0
            .iter()
            .map(|b| f32::from_bits(u32::from(u16::from_le_bytes(*b)) << 16))
            .collect(),
        _ => return None,
    })
}

/// An IEEE 754 half-precision number: 1 sign, 5 exponent, 10 fraction bits.
pub(super) fn from_half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from((bits >> 10) & 31);
    let fraction = f32::from(bits & 1023);
    let magnitude = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * 2f32.powi(exponent - 25),
    };
    sign * magnitude
}

fn listed(names: &[&str]) -> String {
    const MOST: usize = 12;
    let more = names.len().saturating_sub(MOST);
    let shown = names[..names.len() - more].join(", ");
    match (names.is_empty(), more) {
        (true, _) => "nothing".to_owned(),
        (_, 0) => shown,
        _ => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Loss, Network};

    fn network() -> Network {
        let layers = [(3, Activation::Tanh), (1, Activation::Linear)];
        Network::dense(2, &layers, Loss::HalfSquaredError).unwrap()
    }

    fn file(tensors: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
        let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
            (
                *name,
                TensorView::new(*dtype, shape.clone(), bytes).unwrap(),
            )
        });
        safetensors::serialize(views, None).unwrap()
    }

    fn as_read(bytes: &[u8]) -> Result<Vec<f32>, String> {
        parse(Path::new("w.safetensors"), bytes, network().layout()).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_written_is_read_back_bit_for_bit() {
        let network = network();
        let params: Vec<f32> = (0..13).map(|i| 0.1 * i as f32 - 0.7).collect();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("w.safetensors");
        write_params(&path, network.layout(), &params).unwrap();
        assert_eq!(read_params(&path, network.layout()).unwrap(), params);
        let once = std::fs::read(&path).unwrap();
        write_params(&path, network.layout(), &params).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), once);
    }

    #[test]
    fn every_float_type_is_read() {
        let half = |v: f32| -> u16 {
            // Exact for the small integers used here.
            if v == 0.0 {
                return 0;
            }
            let bits = v.to_bits();
            let exponent = ((bits >> 23) & 255) as i32 - 127 + 15;
            ((bits >> 31) << 15) as u16 | (exponent as u16) << 10 | ((bits >> 13) & 1023) as u16
        };
        let values: Vec<f32> = (0..6).map(|i| i as f32 - 2.0).collect();
        let doubles = values.iter().flat_map(|&v| f64::from(v).to_le_bytes());
        let halves = values[..3].iter().flat_map(|&v| half(v).to_le_bytes());
        let brains = values[..3]
            .iter()
            .flat_map(|&v| ((v.to_bits() >> 16) as u16).to_le_bytes());
        let bytes = file(&[
            ("layers.0.weight", Dtype::F64, vec![3, 2], doubles.collect()),
            ("layers.0.bias", Dtype::F16, vec![3], halves.collect()),
            ("layers.1.weight", Dtype::BF16, vec![1, 3], brains.collect()),
            (
                "layers.1.bias",
                Dtype::F32,
                vec![1],
                9f32.to_le_bytes().into(),
            ),
            ("loss", Dtype::F64, vec![], 1f64.to_le_bytes().into()),
        ]);
        let mut expected = values.clone();
        expected.extend(&values[..3]);
        expected.extend(&values[..3]);
        expected.push(9.0);
        assert_eq!(as_read(&bytes).unwrap(), expected);
    }

    #[test]
    fn half_precision_is_read_as_its_standard_defines_it() {
        assert_eq!(from_half(0x3c00), 1.0);
        assert_eq!(from_half(0xc000), -2.0);
        assert_eq!(from_half(0x3555), 0.333_251_95);
        assert_eq!(from_half(0x0001), 2f32.powi(-24));
        assert_eq!(from_half(0x7bff), 65504.0);
        assert_eq!(from_half(0xfc00), f32::NEG_INFINITY);
        assert!(from_half(0x7e00).is_nan());
    }

    #[test]
    fn errors_name_the_tensor_and_what_is_needed() {
        let floats = |n: usize| 0.5f32.to_le_bytes().repeat(n);
        let good = [
            ("layers.0.weight", Dtype::F32, vec![3, 2], floats(6)),
            ("layers.0.bias", Dtype::F32, vec![3], floats(3)),
            ("layers.1.weight", Dtype::F32, vec![1, 3], floats(3)),
            ("layers.1.bias", Dtype::F32, vec![1], floats(1)),
        ];
        assert_eq!(as_read(&file(&good)).unwrap(), vec![0.5; 13]);
        let missing = as_read(&file(&good[..3])).unwrap_err();
        assert!(
            missing.contains("layers.1.bias") && missing.contains("[1]"),
            "{missing}"
        );
        let mut turned = good.clone();
        turned[0].2 = vec![2, 3];
        let turned = as_read(&file(&turned)).unwrap_err();
        assert!(
            turned.contains("[2, 3]") && turned.contains("[3, 2]"),
            "{turned}"
        );
        let mut whole = good.clone();
        whole[1].1 = Dtype::I32;
        let whole = as_read(&file(&whole)).unwrap_err();
        assert!(
            whole.contains("layers.0.bias") && whole.contains("I32"),
            "{whole}"
        );
        let mut infinite = good.clone();
        infinite[2].3[8..12].copy_from_slice(&f32::NAN.to_le_bytes());
        let infinite = as_read(&file(&infinite)).unwrap_err();
        assert!(
            infinite.contains("layers.1.weight") && infinite.contains("value 2"),
            "{infinite}"
        );
        let mut deeper = good.to_vec();
        deeper.push(("layers.2.bias", Dtype::F32, vec![1], floats(1)));
        let deeper = as_read(&file(&deeper)).unwrap_err();
        assert!(deeper.contains("layers.2.bias"), "{deeper}");
    }

    #[test]
    fn garbage_is_an_error_and_never_a_panic() {
        let good = file(&[("layers.0.bias", Dtype::F32, vec![1], vec![0; 4])]);
        for cut in 0..good.len() {
            assert!(as_read(&good[..cut]).is_err());
        }
        for place in 0..good.len().min(64) {
            let mut bad = good.clone();
            bad[place] ^= 0xff;
            assert!(as_read(&bad).is_err());
        }
        assert!(as_read(&[0xff; 64]).is_err());
    }
}
