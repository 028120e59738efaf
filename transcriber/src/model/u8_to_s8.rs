//! An encoder's matrices of unsigned eight-bit numbers on processors that are made for signed ones (VNNI, AMX):
//! there ONNX Runtime multiplies u8 · s8 several times as fast as u8 · u8. A matrix and its zero point are both less by
//! 128, so every product stays what it was, to the bit. Without VNNI u8 · s8 overflows, and nothing is rewritten. Decoders
//! gain nothing: for one token at a time, all the time goes into reading their matrices.

use std::collections::{HashMap, HashSet};

use super::{
    onnx::{
        ATTRIBUTE, ATTRIBUTE_GRAPH, DATA_TYPE, GRAPH, INITIALIZER, INPUT, INT8, INT32_DATA, NODE, OP_TYPE,
        RAW_DATA, TENSOR_NAME, UINT8, tensors,
    },
    wire::{Message, Value},
};

/// Returns whether this processor is made for it.
pub(super) fn has_vnni() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx512vnni") || std::is_x86_feature_detected!("avxvnni");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Returns the rewritten network, or nothing where there is nothing to rewrite or to gain.
pub(super) fn optimize(network: &[u8]) -> Option<Vec<u8>> {
    if has_vnni() { u8_to_s8(network) } else { None }
}

fn u8_to_s8(network: &[u8]) -> Option<Vec<u8>> {
    let model = Message::read(network)?;
    let graph = Message::read(model.bytes(GRAPH)?)?;
    let mut uses = Uses::default();
    uses.read(&graph)?;
    let tensors = tensors(&graph)?;
    let unsigned: HashSet<&[u8]> = tensors
        .iter()
        .filter(|tensor| tensor.is_of(UINT8))
        .filter_map(|tensor| tensor.bytes(TENSOR_NAME))
        .collect();
    let pairs = uses.pairs().filter(|(matrix, zero)| unsigned.contains(matrix) && unsigned.contains(zero));
    let rewritten: HashSet<&[u8]> = pairs.flat_map(|(matrix, zero)| [matrix, zero]).collect();
    if rewritten.is_empty() {
        return None;
    }
    let graph = graph.edited(INITIALIZER, |tensor| {
        let tensor = Message::read(tensor)?;
        rewritten.contains(tensor.bytes(TENSOR_NAME)?).then(|| less_128(&tensor))
    });
    Some(model.edited(GRAPH, |_| Some(graph.written())).written())
}

/// Returns a tensor of u8 as one of s8: every number less 128.
fn less_128(tensor: &Message<'_>) -> Vec<u8> {
    let mut signed = Message::default();
    for (field, value) in tensor.fields() {
        let value = match (*field, value) {
            (DATA_TYPE, _) => Value::Number(INT8),
            (RAW_DATA, Value::Bytes(bytes)) => {
                Value::from(bytes.iter().map(|byte| byte ^ 0x80).collect::<Vec<_>>())
            }
            // Negative numbers are as long as protobuf has them.
            (INT32_DATA, numbers) => {
                Value::packed(numbers.numbers().into_iter().map(|number| number.wrapping_sub(128)))
            }
            (_, other) => other.clone(),
        };
        signed.push(*field, value);
    }
    signed.written()
}

/// The uses of tensors in a graph and those within it.
#[derive(Default)]
struct Uses {
    /// Matrices and zero points that are multiplied together.
    multiplied: HashSet<(Vec<u8>, Vec<u8>)>,
    /// All that is put to any other use.
    otherwise: HashSet<Vec<u8>>,
}

impl Uses {
    fn read(&mut self, graph: &Message<'_>) -> Option<()> {
        for node in graph.all(NODE) {
            let node = Message::read(node)?;
            let inputs: Vec<Vec<u8>> = node.all(INPUT).map(<[u8]>::to_vec).collect();
            match <[_; 4]>::try_from(inputs) {
                Ok([left, matrix, left_zero, zero]) if node.bytes(OP_TYPE) == Some(b"MatMulInteger") => {
                    self.multiplied.insert((matrix, zero));
                    self.otherwise.extend([left, left_zero]);
                }
                Ok(inputs) => self.otherwise.extend(inputs),
                Err(inputs) => self.otherwise.extend(inputs),
            }
            for attribute in node.all(ATTRIBUTE) {
                if let Some(inner) = Message::read(attribute)?.bytes(ATTRIBUTE_GRAPH) {
                    self.read(&Message::read(inner)?)?;
                }
            }
        }
        Some(())
    }

    /// Returns the matrices and zero points that belong to one another alone.
    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut times: HashMap<&[u8], usize> = HashMap::new();
        for name in self.multiplied.iter().flat_map(|(matrix, zero)| [matrix, zero]) {
            *times.entry(name).or_default() += 1;
        }
        let alone = move |name: &[u8]| times.get(name) == Some(&1) && !self.otherwise.contains(name);
        let pairs = self.multiplied.iter().map(|(matrix, zero)| (matrix.as_slice(), zero.as_slice()));
        pairs.filter(move |(matrix, zero)| alone(matrix) && alone(zero))
    }
}

#[cfg(test)]
mod tests {
    use ort::value::Tensor;

    use super::*;
    use crate::{model::builder, runtime::Runtime};

    const ENCODER: &[u8] = include_bytes!("../../demo/onnx/encoder_model_quantized.onnx");
    const DECODER: &[u8] = include_bytes!("../../demo/onnx/decoder_model_merged_quantized.onnx");

    /// The numbers of bytes of each sign.
    fn signs(network: &[u8]) -> (usize, usize) {
        let model = Message::read(network).unwrap();
        let graph = Message::read(model.bytes(GRAPH).unwrap()).unwrap();
        let tensors = tensors(&graph).unwrap();
        let of = |data_type| tensors.iter().filter(|tensor| tensor.is_of(data_type)).count();
        (of(UINT8), of(INT8))
    }

    #[test]
    fn matrices_and_their_zero_points_are_signed() {
        // Two convolutions stay, and so does the embedding, which is looked up in too.
        for (network, stays) in [(ENCODER, 2), (DECODER, 2)] {
            let (before, 0) = signs(network) else { panic!("signed already") };
            let rewritten = u8_to_s8(network).unwrap();
            assert_eq!(signs(&rewritten), (2 * stays, before - 2 * stays));
            assert!(rewritten.len().abs_diff(network.len()) < 1024);
        }
    }

    #[test]
    fn other_networks_stay_as_they_are() {
        assert_eq!(u8_to_s8(&u8_to_s8(ENCODER).unwrap()), None, "once rewritten");
        assert_eq!(u8_to_s8(include_bytes!("../../demo/onnx/encoder_model.onnx")), None, "in f32");
        for len in (0..ENCODER.len()).step_by(10_007) {
            assert_eq!(u8_to_s8(&ENCODER[..len]), None, "the first {len} bytes");
        }
    }

    /// The encoder's output for a sound that rises and falls.
    fn encoded(network: &[u8]) -> Vec<u32> {
        let mut encoder =
            builder(Runtime::load(None).unwrap(), 1).unwrap().commit_from_memory(network).unwrap();
        let shape = encoder.inputs()[0].dtype().tensor_shape().unwrap().to_vec();
        let (bands, frames) = (shape[1] as usize, shape[2] as usize);
        let spectrogram: Vec<f32> = (0..bands * frames).map(|n| (n as f32 * 0.01).sin()).collect();
        let input = Tensor::from_array(([1, bands, frames], spectrogram)).unwrap();
        let outputs = encoder.run(ort::inputs![input]).unwrap();
        let (_, numbers) = outputs["last_hidden_state"].try_extract_tensor::<f32>().unwrap();
        numbers.iter().map(|number| number.to_bits()).collect()
    }

    #[test]
    fn an_optimized_encoder_gives_the_same_to_the_bit() {
        let Some(optimize) = optimize(ENCODER) else {
            assert!(!has_vnni(), "only processors without VNNI take it as it is");
            return;
        };
        assert!(encoded(&optimize) == encoded(ENCODER));
    }
}
