//! Eight-bit products whose activations are quantized row by row, in blocks of at most 128 numbers. Published networks take
//! one scale for all numbers of a layer: a single loud one, or a loud window beside it, leaves few steps for the rest, and
//! words are misheard. Weights keep their values; `MatMulNBits` of ONNX Runtime holds them in the same eight bits.

use std::collections::{HashMap, HashSet};

use super::onnx::{AttributeProto, FLOAT, GraphProto, INT8, ModelProto, NodeProto, TensorProto, UINT8};

const DOMAIN: &str = "com.microsoft";
// ONNX Runtime's sizes of a block; the largest that divides a row is taken.
const BLOCKS: [usize; 4] = [128, 64, 32, 16];
// Products are made in eight bits; other levels would widen the weights.
const EIGHT_BITS: i64 = 4;

/// Rewrites a network. Returns whether there was a product to rewrite.
pub(super) fn apply(model: &mut ModelProto) -> bool {
    let Some(graph) = &mut model.graph else { return false };
    let mut weights = Weights::of(&graph.initializer);
    let outer = producers(&graph.node);
    let mut changed = rewrite(&mut graph.node, &Producers::new(), &mut weights);
    // A merged decoder has a branch for the first token, and one for those behind it.
    for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
        if let Some(branch) = &mut attribute.g {
            changed |= rewrite(&mut branch.node, &outer, &mut weights);
        }
    }
    if !changed {
        return false;
    }
    let packed = weights.packed();
    graph.initializer.extend(packed);
    drop_unused(graph);
    model.import(DOMAIN);
    true
}

/// Nodes by the names that they give.
type Producers = HashMap<String, NodeProto>;

fn producers(nodes: &[NodeProto]) -> Producers {
    let of_eight_bits =
        ["DynamicQuantizeLinear", "DequantizeLinear", "Transpose", "Mul", "Cast", "MatMulInteger"];
    let kept = nodes.iter().filter(|node| of_eight_bits.contains(&node.op_type()));
    kept.flat_map(|node| node.output.iter().map(|name| (name.clone(), node.clone()))).collect()
}

/// The nodes that a graph's nodes may read.
struct Scope<'a> {
    inner: Producers,
    outer: &'a Producers,
}

impl Scope<'_> {
    fn made_by(&self, name: &str, op_type: &str) -> Option<&NodeProto> {
        let made = self.inner.get(name).or_else(|| self.outer.get(name));
        made.filter(|node| node.op_type() == op_type)
    }
}

fn rewrite(nodes: &mut [NodeProto], outer: &Producers, weights: &mut Weights<'_>) -> bool {
    let scope = Scope { inner: producers(nodes), outer };
    let mut changed = false;
    for node in nodes {
        let product = scaled(node, &scope, weights).or_else(|| tied(node, &scope, weights));
        if let (Some((input, packed)), Some(output)) = (product, node.output.first()) {
            *node = packed.product(&input, output);
            changed = true;
        }
    }
    changed
}

/// Returns the input and the weights of a node that scales `MatMulInteger`'s sums back to floats.
fn scaled(node: &NodeProto, scope: &Scope<'_>, weights: &mut Weights<'_>) -> Option<(String, Packed)> {
    // ONNX Runtime's quantizer writes a product so: `MatMulInteger` adds up whole numbers, a cast makes floats of
    // them, and they are multiplied by the product of both sides' scales.
    let [left, right] = node.input.as_slice() else { return None };
    if node.op_type() != "Mul" {
        return None;
    }
    let (cast, scales) = match (scope.made_by(left, "Cast"), scope.made_by(right, "Cast")) {
        (Some(cast), None) => (cast, scope.made_by(right, "Mul")?),
        (None, Some(cast)) => (cast, scope.made_by(left, "Mul")?),
        _ => return None,
    };
    let product = scope.made_by(cast.input.first()?, "MatMulInteger")?;
    let [eight, matrix, _, zero] = product.input.as_slice() else { return None };
    let quantized = scope.made_by(eight, "DynamicQuantizeLinear")?;
    let own = quantized.output.get(1)?;
    let scale = scales.input.iter().find(|name| *name != own)?;
    scales.input.contains(own).then_some(())?;
    let packed = weights.pack(&Names { matrix, scale, zero, rows: Rows::Inputs })?;
    Some((quantized.input.first()?.clone(), packed))
}

/// Returns the input and the weights of a product with the embedding, which is dequantized for it.
fn tied(node: &NodeProto, scope: &Scope<'_>, weights: &mut Weights<'_>) -> Option<(String, Packed)> {
    let [input, right] = node.input.as_slice() else { return None };
    if node.op_type() != "MatMul" {
        return None;
    }
    let [transposed, scale, zero] = scope.made_by(right, "DequantizeLinear")?.input.as_slice() else {
        return None;
    };
    let matrix = scope.made_by(transposed, "Transpose")?.input.first()?;
    let packed = weights.pack(&Names { matrix, scale, zero, rows: Rows::Outputs })?;
    Some((input.clone(), packed))
}

/// The owner of a matrix's rows.
#[derive(Clone, Copy, PartialEq)]
enum Rows {
    Inputs,
    Outputs,
}

/// The tensors of a matrix in eight bits.
struct Names<'a> {
    matrix: &'a str,
    scale: &'a str,
    zero: &'a str,
    rows: Rows,
}

/// A network's weights, and those that are packed anew.
struct Weights<'a> {
    tensors: HashMap<String, &'a TensorProto>,
    made: HashMap<String, Packed>,
}

/// Weights as `MatMulNBits` takes them.
#[derive(Clone)]
struct Packed {
    inputs: usize,
    outputs: usize,
    block: usize,
    names: [String; 3],
    tensors: Vec<TensorProto>,
}

impl Packed {
    fn product(&self, input: &str, output: &str) -> NodeProto {
        let [matrix, scales, zeros] = &self.names;
        let mut node = NodeProto::new("MatMulNBits", &[input, matrix, scales, zeros], &[output]);
        node.domain = Some(DOMAIN.to_owned());
        let numbers = [
            ("K", self.inputs as i64),
            ("N", self.outputs as i64),
            ("bits", 8),
            ("block_size", self.block as i64),
            ("accuracy_level", EIGHT_BITS),
        ];
        node.attribute = numbers.map(|(name, number)| AttributeProto::int(name, number)).to_vec();
        node
    }
}

impl<'a> Weights<'a> {
    fn of(tensors: &'a [TensorProto]) -> Self {
        let tensors = tensors.iter().map(|tensor| (tensor.name().to_owned(), tensor)).collect();
        Self { tensors, made: HashMap::new() }
    }

    /// Returns the tensors that were packed, in the order of their names.
    fn packed(self) -> Vec<TensorProto> {
        let mut tensors: Vec<TensorProto> =
            self.made.into_values().flat_map(|packed| packed.tensors).collect();
        tensors.sort_by(|a, b| a.name().cmp(b.name()));
        tensors
    }

    /// Packs a matrix once, for all nodes that multiply with it.
    fn pack(&mut self, names: &Names<'_>) -> Option<Packed> {
        if let Some(packed) = self.made.get(names.matrix) {
            return Some(Packed { tensors: vec![], ..packed.clone() });
        }
        let find = |name: &str| self.tensors.get(name).copied();
        let (matrix, zero) = (find(names.matrix)?, find(names.zero)?);
        let (numbers, zeros, scales) = (eight(matrix)?, eight(zero)?, find(names.scale)?.floats()?);
        let [rows, columns] = *matrix.dims.as_slice() else { return None };
        let (rows, columns) = (rows as usize, columns as usize);
        let (inputs, outputs) = if names.rows == Rows::Inputs { (rows, columns) } else { (columns, rows) };
        let block = BLOCKS.into_iter().find(|block| inputs % block == 0)?;
        // The quantizer states one scale for a whole matrix or, with `per_channel`, one for each output.
        let fits = |count: usize| count == 1 || count == outputs;
        if numbers.len() != inputs * outputs || !fits(scales.len()) || !fits(zeros.len()) {
            return None;
        }
        let packed = match names.rows {
            Rows::Outputs => numbers,
            // `MatMulNBits` wants a row for each output, and `MatMulInteger` had one for each input.
            Rows::Inputs => {
                (0..outputs).flat_map(|n| numbers[n..].iter().step_by(outputs).copied()).collect()
            }
        };
        let blocks = inputs / block;
        let of_output = |n: usize, count: usize| if count == 1 { 0 } else { n };
        let each = || (0..outputs).flat_map(|n| std::iter::repeat_n(n, blocks));
        let zeros: Vec<u8> = each().map(|n| zeros[of_output(n, zeros.len())]).collect();
        let scales: Vec<u8> = each().flat_map(|n| scales[of_output(n, scales.len())].to_le_bytes()).collect();
        let name = |part: &str| format!("clipcut_{}_{part}", names.matrix);
        let new_names = [name("blocks"), name("scales"), name("zeros")];
        let tensors = vec![
            TensorProto::raw(&new_names[0], UINT8, &[outputs, blocks, block], packed),
            TensorProto::raw(&new_names[1], FLOAT, &[outputs * blocks], scales),
            TensorProto::raw(&new_names[2], UINT8, &[outputs * blocks], zeros),
        ];
        let packed = Packed { inputs, outputs, block, names: new_names, tensors };
        self.made.insert(names.matrix.to_owned(), packed.clone());
        // The tensors themselves join the graph once, by `packed`.
        Some(Packed { tensors: vec![], ..packed })
    }
}

/// Returns a tensor's numbers as u8; those of s8 are more by 128, as their zero points are.
fn eight(tensor: &TensorProto) -> Option<Vec<u8>> {
    let flip = match tensor.data_type {
        Some(UINT8) => 0,
        Some(INT8) => 0x80,
        _ => return None,
    };
    // onnx.proto allows small tensors of eight bits in `int32_data` in place of raw bytes.
    let numbers = match &tensor.raw_data {
        Some(raw) => raw.clone(),
        None => tensor.int32_data.iter().map(|number| *number as u8).collect(),
    };
    Some(numbers.into_iter().map(|number| number ^ flip).collect())
}

/// Drops nodes whose results are used no more, and weights that no node reads.
fn drop_unused(graph: &mut GraphProto) {
    const LEFT_OVER: [&str; 6] =
        ["DynamicQuantizeLinear", "DequantizeLinear", "Transpose", "Mul", "Cast", "MatMulInteger"];
    loop {
        // A node that goes may have been the last reader of another one.
        let mut used = HashSet::new();
        read_names(graph, &mut used);
        let mut dropped = false;
        let mut keep = |nodes: &mut Vec<NodeProto>, outputs: &HashSet<String>| {
            let before = nodes.len();
            nodes.retain(|node| {
                !LEFT_OVER.contains(&node.op_type())
                    || node.output.iter().any(|name| used.contains(name) || outputs.contains(name))
            });
            dropped |= nodes.len() < before;
        };
        let outputs = graph.outputs();
        keep(&mut graph.node, &outputs);
        for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
            if let Some(branch) = &mut attribute.g {
                let outputs = branch.outputs();
                keep(&mut branch.node, &outputs);
            }
        }
        if !dropped {
            graph.initializer.retain(|tensor| used.contains(tensor.name()));
            return;
        }
    }
}

fn read_names(graph: &GraphProto, used: &mut HashSet<String>) {
    for node in &graph.node {
        used.extend(node.input.iter().cloned());
        node.attribute
            .iter()
            .filter_map(|attribute| attribute.g.as_ref())
            .for_each(|inner| read_names(inner, used));
    }
}

#[cfg(test)]
mod tests {
    use ort::value::Tensor;
    use prost::Message;

    use super::*;
    use crate::{
        model::{onnx, session},
        runtime::Runtime,
    };

    const ENCODERS: [&[u8]; 2] = [
        include_bytes!("../../demo/onnx/encoder_model.onnx"),
        include_bytes!("../../demo/onnx/encoder_model_quantized.onnx"),
    ];
    const DECODER: &[u8] = include_bytes!("../../demo/onnx/decoder_model_merged_quantized.onnx");

    fn kinds(model: &ModelProto) -> HashMap<String, usize> {
        fn count(graph: &GraphProto, kinds: &mut HashMap<String, usize>) {
            for node in &graph.node {
                *kinds.entry(node.op_type().to_owned()).or_default() += 1;
                node.attribute
                    .iter()
                    .filter_map(|attribute| attribute.g.as_ref())
                    .for_each(|g| count(g, kinds));
            }
        }
        let mut kinds = HashMap::new();
        count(model.graph.as_ref().unwrap(), &mut kinds);
        kinds
    }

    #[test]
    fn every_product_in_eight_bits_is_rewritten_once() {
        for network in [ENCODERS[1], DECODER] {
            let published = onnx::read(network).unwrap();
            let mut model = published.clone();
            assert!(apply(&mut model));
            let (before, after) = (kinds(&published), kinds(&model));
            // The decoder's embedding is multiplied with in both branches.
            let tied = if network == DECODER { 2 } else { 0 };
            assert_eq!(after["MatMulNBits"], before["MatMulInteger"] + tied);
            assert!(!after.contains_key("MatMulInteger"), "{after:?}");
            assert!(!apply(&mut model), "once rewritten");
        }
        assert!(!apply(&mut onnx::read(ENCODERS[0]).unwrap()), "in f32");
    }

    /// The encoder's output for a sound that rises and falls, a moment of which is loud.
    fn encoded(network: &[u8]) -> Vec<f32> {
        let mut encoder =
            session::builder(Runtime::load(None).unwrap(), 1).unwrap().commit_from_memory(network).unwrap();
        let shape = encoder.inputs()[0].dtype().tensor_shape().unwrap().to_vec();
        let (bands, frames) = (shape[1] as usize, shape[2] as usize);
        let spectrogram: Vec<f32> = (0..bands * frames)
            .map(|n| (n as f32 * 0.01).sin() + f32::from(u8::from(n % 997 == 0)))
            .collect();
        let input = Tensor::from_array(([1, bands, frames], spectrogram)).unwrap();
        let outputs = encoder.run(ort::inputs![input]).unwrap();
        outputs["last_hidden_state"].try_extract_tensor::<f32>().unwrap().1.to_vec()
    }

    #[test]
    fn blocks_are_nearer_to_f32_than_the_published_network() {
        let mut model = onnx::read(ENCODERS[1]).unwrap();
        assert!(apply(&mut model));
        let exact = encoded(ENCODERS[0]);
        let off = |network: &[u8]| {
            let squares =
                encoded(network).iter().zip(&exact).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
            (squares / exact.len() as f64).sqrt()
        };
        let (blocks, published) = (off(&model.encode_to_vec()), off(ENCODERS[1]));
        assert!(blocks < published, "{blocks} is no less than {published}");
    }
}
