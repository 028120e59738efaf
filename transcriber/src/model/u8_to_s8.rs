//! An encoder's matrices of u8 become s8 on processors with VNNI: there ONNX Runtime multiplies u8 · s8 several times as
//! fast as u8 · u8. A matrix and its zero point are both less by 128, so every product stays equal to the bit. Without
//! VNNI u8 · s8 overflows (`vpmaddubsw` saturates at 16 bits), so the published file is used. Decoders gain nothing:
//! one token at a time, all the time goes into reading their matrices.

use std::collections::{HashMap, HashSet};

use super::onnx::{GraphProto, INT8, ModelProto, TensorProto, UINT8};

/// Rewrites a network. Returns whether there was a matrix to rewrite.
pub(super) fn apply(model: &mut ModelProto) -> bool {
    let Some(graph) = &mut model.graph else { return false };
    let mut uses = Uses::default();
    uses.read(graph);
    let of_u8 = graph.initializer.iter().filter(|tensor| tensor.data_type == Some(UINT8));
    let unsigned: HashSet<&str> = of_u8.map(TensorProto::name).collect();
    let pairs = uses.pairs().filter(|(matrix, zero)| unsigned.contains(matrix) && unsigned.contains(zero));
    let rewritten: HashSet<String> =
        pairs.flat_map(|(matrix, zero)| [matrix, zero]).map(str::to_owned).collect();
    for tensor in graph.initializer.iter_mut().filter(|tensor| rewritten.contains(tensor.name())) {
        subtract_128(tensor);
    }
    !rewritten.is_empty()
}

/// Turns a tensor of u8 into one of s8: every number less 128.
fn subtract_128(tensor: &mut TensorProto) {
    tensor.data_type = Some(INT8);
    for byte in tensor.raw_data.iter_mut().flatten() {
        // Flipping the highest bit takes 128 off, in two's complement.
        *byte ^= 0x80;
    }
    // onnx.proto allows small tensors of eight bits in `int32_data` in place of raw bytes.
    for number in &mut tensor.int32_data {
        *number -= 128;
    }
}

/// The uses of tensors in a graph and those within it.
#[derive(Default)]
struct Uses {
    /// Matrices with their zero points, as inputs of `MatMulInteger`.
    multiplied: HashSet<(String, String)>,
    /// The inputs of everything else.
    otherwise: HashSet<String>,
}

impl Uses {
    fn read(&mut self, graph: &GraphProto) {
        for node in &graph.node {
            match node.input.as_slice() {
                [left, matrix, left_zero, zero] if node.op_type() == "MatMulInteger" => {
                    self.multiplied.insert((matrix.clone(), zero.clone()));
                    self.otherwise.extend([left.clone(), left_zero.clone()]);
                }
                inputs => self.otherwise.extend(inputs.iter().cloned()),
            }
            for inner in node.attribute.iter().filter_map(|attribute| attribute.g.as_ref()) {
                self.read(inner);
            }
        }
    }

    /// Returns the matrices and zero points that belong to one another alone.
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut times: HashMap<&str, usize> = HashMap::new();
        for name in self.multiplied.iter().flat_map(|(matrix, zero)| [matrix, zero]) {
            *times.entry(name).or_default() += 1;
        }
        // A tensor that anything else reads must keep its numbers.
        let alone = move |name: &str| times.get(name) == Some(&1) && !self.otherwise.contains(name);
        let pairs = self.multiplied.iter().map(|(matrix, zero)| (matrix.as_str(), zero.as_str()));
        pairs.filter(move |(matrix, zero)| alone(matrix) && alone(zero))
    }
}

#[cfg(test)]
mod tests {
    use ort::value::Tensor;
    use prost::Message;

    use super::*;
    use crate::{
        model::{onnx, processor::Processor, session},
        runtime::Runtime,
    };

    const ENCODER: &[u8] = include_bytes!("../../demo/onnx/encoder_model_quantized.onnx");
    const DECODER: &[u8] = include_bytes!("../../demo/onnx/decoder_model_merged_quantized.onnx");

    /// Returns the numbers of tensors of u8 and of s8.
    fn signs(model: &ModelProto) -> (usize, usize) {
        let tensors = &model.graph.as_ref().unwrap().initializer;
        let of = |data_type| tensors.iter().filter(|tensor| tensor.data_type == Some(data_type)).count();
        (of(UINT8), of(INT8))
    }

    #[test]
    fn matrices_and_their_zero_points_are_signed() {
        // Two convolutions stay, and so does the embedding, which is looked up in too.
        for (network, stays) in [(ENCODER, 2), (DECODER, 2)] {
            let mut model = onnx::read(network).unwrap();
            let (before, 0) = signs(&model) else { panic!("signed already") };
            assert!(apply(&mut model));
            assert_eq!(signs(&model), (2 * stays, before - 2 * stays));
            assert!(model.encoded_len().abs_diff(network.len()) < 1024);
            assert!(!apply(&mut model), "once rewritten");
        }
        let mut plain = onnx::read(include_bytes!("../../demo/onnx/encoder_model.onnx")).unwrap();
        assert!(!apply(&mut plain), "in f32");
    }

    /// The encoder's output for a sound that rises and falls.
    fn encoded(network: &[u8]) -> Vec<u32> {
        let mut encoder =
            session::builder(Runtime::load(None).unwrap(), 1).unwrap().commit_from_memory(network).unwrap();
        let shape = encoder.inputs()[0].dtype().tensor_shape().unwrap().to_vec();
        let (bands, frames) = (shape[1] as usize, shape[2] as usize);
        let spectrogram: Vec<f32> = (0..bands * frames).map(|n| (n as f32 * 0.01).sin()).collect();
        let input = Tensor::from_array(([1, bands, frames], spectrogram)).unwrap();
        let outputs = encoder.run(ort::inputs![input]).unwrap();
        let (_, numbers) = outputs["last_hidden_state"].try_extract_tensor::<f32>().unwrap();
        numbers.iter().map(|number| number.to_bits()).collect()
    }

    #[test]
    fn a_signed_encoder_gives_the_same_to_the_bit() {
        let mut model = onnx::read(ENCODER).unwrap();
        assert!(apply(&mut model));
        // Elsewhere its products overflow, and it is never used.
        if Processor::here() == Processor::Vnni {
            assert!(encoded(&model.encode_to_vec()) == encoded(ENCODER));
        }
    }
}
