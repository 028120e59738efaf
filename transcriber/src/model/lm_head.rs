//! Decoders whose last matrix is their embedding, as optimum writes models that share the two. In eight bits it is
//! dequantized to f32 at every token, which takes longer than all the rest. Rewritten, it multiplies in eight bits as the
//! other layers do: from h · dequantized(Eᵀ) to quantized(h) · Eᵀ, scaled.

use std::collections::HashMap;

use super::onnx::{AttributeProto, FLOAT, GraphProto, INT8, ModelProto, NodeProto, UINT8};

/// Types and numbers of dimensions of a network's tensors, by name.
type Tensors = HashMap<String, (i32, usize)>;

/// Rewrites a network. Returns whether there was a matrix to rewrite.
pub(super) fn apply(model: &mut ModelProto) -> bool {
    let Some(graph) = &mut model.graph else { return false };
    let described = graph
        .initializer
        .iter()
        .map(|tensor| (tensor.name().to_owned(), (tensor.data_type(), tensor.dims.len())));
    let tensors: Tensors = described.collect();
    let mut rewritten = false;
    // A merged decoder has a branch for the first token, and one for those behind it.
    for node in graph.node.iter_mut().filter(|node| node.op_type() == "If") {
        for branch in node.attribute.iter_mut().filter_map(|attribute| attribute.g.as_mut()) {
            rewritten |= rewrite(branch, &tensors).is_some();
        }
    }
    rewritten
}

/// Rewrites one branch, where it ends as above.
fn rewrite(branch: &mut GraphProto, tensors: &Tensors) -> Option<()> {
    let (product, dequantized) = find(branch, tensors)?;
    let [hidden, _] = branch.node[product].input.clone().try_into().ok()?;
    let [transposed, scale, zero] = branch.node[dequantized].input.clone().try_into().ok()?;
    let result = branch.node[product].output.first()?.clone();
    let [eight, eight_scale, eight_zero, sum, exact, scales] =
        ["eight", "eight_scale", "eight_zero", "sum", "exact", "scales"]
            .map(|part| format!("clipcut_lm_head_{part}"));
    let mut to_float = NodeProto::new("Cast", &[&sum], &[&exact]);
    to_float.attribute.push(AttributeProto::int("to", i64::from(FLOAT)));
    let in_eight_bits = [
        NodeProto::new("DynamicQuantizeLinear", &[&hidden], &[&eight, &eight_scale, &eight_zero]),
        NodeProto::new("MatMulInteger", &[&eight, &transposed, &eight_zero, &zero], &[&sum]),
        to_float,
        NodeProto::new("Mul", &[&eight_scale, &scale], &[&scales]),
        NodeProto::new("Mul", &[&exact, &scales], &[&result]),
    ];
    let output = branch.node[dequantized].output.first()?.clone();
    let users = branch.node.iter().filter(|node| node.input.contains(&output)).count();
    // Nodes stand in the order of their work.
    branch.node.splice(product..=product, in_eight_bits);
    // The matrix may be dequantized for another node, too, which still needs it.
    if users == 1 {
        branch.node.retain(|node| !node.output.contains(&output));
    }
    Some(())
}

/// Finds the product with a dequantized, transposed matrix of eight bits and one scale: the places of both nodes.
fn find(branch: &GraphProto, tensors: &Tensors) -> Option<(usize, usize)> {
    let made_by = |name: Option<&String>, op_type: &str| {
        let made = branch.node.iter().position(|node| name.is_some_and(|name| node.output.contains(name)));
        made.filter(|at| branch.node[*at].op_type() == op_type)
    };
    branch.node.iter().enumerate().find_map(|(product, node)| {
        (node.op_type() == "MatMul").then_some(())?;
        let dequantized = made_by(node.input.get(1), "DequantizeLinear")?;
        let [transposed, scale, _] = branch.node[dequantized].input.as_slice() else { return None };
        let transpose = made_by(Some(transposed), "Transpose")?;
        let (data_type, dims) = tensors.get(branch.node[transpose].input.first()?)?;
        let (_, scale_dims) = tensors.get(scale)?;
        // The scale must be one for all: the rewritten nodes multiply two scalars.
        let fits = [UINT8, INT8].contains(data_type) && *dims == 2 && *scale_dims == 0;
        fits.then_some((product, dequantized))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::onnx;

    const NETWORK: &[u8] = include_bytes!("../../demo/onnx/decoder_model_merged_quantized.onnx");

    /// Counts the nodes of a kind in both branches.
    fn nodes(model: &ModelProto, kind: &str) -> [usize; 2] {
        let graph = model.graph.as_ref().unwrap();
        let attributes =
            graph.node.iter().filter(|node| node.op_type() == "If").flat_map(|node| &node.attribute);
        let branches = attributes.filter_map(|attribute| attribute.g.as_ref());
        let count = |graph: &GraphProto| graph.node.iter().filter(|node| node.op_type() == kind).count();
        branches.map(count).collect::<Vec<_>>().try_into().unwrap()
    }

    #[test]
    fn both_branches_multiply_in_eight_bits() {
        let published = onnx::read(NETWORK).unwrap();
        let mut rewritten = published.clone();
        assert!(apply(&mut rewritten));
        for (kind, more) in
            [("MatMulInteger", 1), ("MatMul", -1), ("DequantizeLinear", -1), ("DynamicQuantizeLinear", 1)]
        {
            let expected = nodes(&published, kind).map(|count| count.checked_add_signed(more).unwrap());
            assert_eq!(nodes(&rewritten, kind), expected, "{kind}");
        }
        assert!(!apply(&mut rewritten), "once rewritten");
    }

    #[test]
    fn other_networks_stay_as_they_are() {
        for network in [
            include_bytes!("../../demo/onnx/decoder_model_merged.onnx").as_slice(),
            include_bytes!("../../demo/onnx/encoder_model_quantized.onnx"),
        ] {
            let mut model = onnx::read(network).unwrap();
            assert!(!apply(&mut model));
            assert!(model == onnx::read(network).unwrap());
        }
    }
}
