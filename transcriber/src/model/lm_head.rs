//! Decoders whose last matrix is their embedding, as optimum writes models that share the two. In eight bits
//! it is turned back to f32 at every token, which takes longer than all the rest. Rewritten, it multiplies in eight bits
//! as the other layers do: from h · dequantized(Eᵀ) to quantized(h) · Eᵀ, scaled.

use std::collections::{HashMap, HashSet};

use super::{
    onnx::{
        ATTRIBUTE, ATTRIBUTE_GRAPH, ATTRIBUTE_INT, ATTRIBUTE_NAME, ATTRIBUTE_TYPE, FLOAT, GRAPH, INPUT, INT8,
        NAME, NODE, OP_TYPE, OUTPUT, TENSOR_NAME, TYPE_INT, UINT8, tensors,
    },
    wire::{Message, Value},
};

/// Returns the rewritten network, or nothing where there is nothing to rewrite.
pub(super) fn optimize(network: &[u8]) -> Option<Vec<u8>> {
    let model = Message::read(network)?;
    let graph = Message::read(model.bytes(GRAPH)?)?;
    let tensors = tensors(&graph)?;
    let tensors: HashMap<&[u8], &Message<'_>> =
        tensors.iter().filter_map(|tensor| Some((tensor.bytes(TENSOR_NAME)?, tensor))).collect();
    let mut rewritten = 0;
    let graph = graph.edited(NODE, |node| {
        let node = Message::read(node)?;
        (node.bytes(OP_TYPE)? == b"If").then_some(())?;
        let node = node.edited(ATTRIBUTE, |attribute| {
            let attribute = Message::read(attribute)?;
            let branch = branch(attribute.bytes(ATTRIBUTE_GRAPH)?, &tensors)?;
            rewritten += 1;
            Some(attribute.edited(ATTRIBUTE_GRAPH, |_| Some(branch.clone())).written())
        });
        Some(node.written())
    });
    (rewritten > 0).then(|| model.edited(GRAPH, |_| Some(graph.written())).written())
}

/// Rewrites one branch of the decoder: that of the first token, or that of those that follow.
fn branch(graph: &[u8], tensors: &HashMap<&[u8], &Message<'_>>) -> Option<Vec<u8>> {
    let graph = Message::read(graph)?;
    let nodes = graph.all(NODE).map(Message::read).collect::<Option<Vec<_>>>()?;
    let makers: HashMap<&[u8], &Message<'_>> =
        nodes.iter().flat_map(|node| node.all(OUTPUT).map(move |name| (name, node))).collect();
    let made_by =
        |name: &[u8], kind: &[u8]| makers.get(name).copied().filter(|node| node.bytes(OP_TYPE) == Some(kind));
    let (product, dequantized) = nodes.iter().find_map(|node| {
        (node.bytes(OP_TYPE)? == b"MatMul").then_some(())?;
        let dequantized = made_by(node.all(INPUT).nth(1)?, b"DequantizeLinear")?;
        let turned = made_by(dequantized.all(INPUT).next()?, b"Transpose")?;
        let matrix = tensors.get(turned.all(INPUT).next()?)?;
        let scale = tensors.get(dequantized.all(INPUT).nth(1)?)?;
        let fits = (matrix.is_of(UINT8) || matrix.is_of(INT8))
            && matrix.dims() == 2
            // One scale for all of it.
            && scale.dims() == 0
            && dequantized.all(INPUT).count() == 3;
        fits.then_some((node, dequantized))
    })?;

    let [hidden, _] = product.all(INPUT).collect::<Vec<_>>().try_into().ok()?;
    let [turned, scale, zero] = dequantized.all(INPUT).collect::<Vec<_>>().try_into().ok()?;
    let result = product.bytes(OUTPUT)?;
    let [eight, eight_scale, eight_zero, sum, exact, scales] =
        ["eight", "eight_scale", "eight_zero", "sum", "exact", "scales"]
            .map(|part| [b"clipcut_untied_", part.as_bytes()].concat());
    let in_eight_bits = [
        node("DynamicQuantizeLinear", &[hidden], &[&eight, &eight_scale, &eight_zero]),
        node("MatMulInteger", &[&eight, turned, &eight_zero, zero], &[&sum]),
        node("Cast", &[&sum], &[&exact]).with(ATTRIBUTE, Value::from(to_float().written())),
        node("Mul", &[&eight_scale, scale], &[&scales]),
        node("Mul", &[&exact, &scales], &[result]),
    ];
    let others = |of: &Message<'_>| {
        let made: HashSet<&[u8]> = of.all(OUTPUT).collect();
        nodes.iter().filter(|node| node.all(INPUT).any(|name| made.contains(name))).count()
    };
    let dropped = (others(dequantized) == 1).then(|| dequantized.written());
    let product = product.written();
    let mut rewritten = Message::default();
    for (number, value) in graph.fields() {
        let node = match value {
            Value::Bytes(bytes) if *number == NODE => bytes.as_ref(),
            _ => &[],
        };
        if node == product {
            // Nodes stand in the order of their work.
            for node in &in_eight_bits {
                rewritten.push(NODE, Value::from(node.written()));
            }
        } else if *number != NODE || dropped.as_deref() != Some(node) {
            rewritten.push(*number, value.clone());
        }
    }
    Some(rewritten.written())
}

fn node<'a>(kind: &'a str, inputs: &[&[u8]], outputs: &[&[u8]]) -> Message<'a> {
    let mut node = Message::default();
    for (field, names) in [(INPUT, inputs), (OUTPUT, outputs)] {
        for name in names {
            node.push(field, Value::from(name.to_vec()));
        }
    }
    node.push(NAME, Value::from([outputs[0], b"_node"].concat()));
    node.push(OP_TYPE, Value::from(kind.as_bytes().to_vec()));
    node
}

fn to_float() -> Message<'static> {
    Message::default()
        .with(ATTRIBUTE_NAME, Value::from(b"to".to_vec()))
        .with(ATTRIBUTE_INT, Value::Number(FLOAT))
        .with(ATTRIBUTE_TYPE, Value::Number(TYPE_INT))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: &[u8] = include_bytes!("../../demo/onnx/decoder_model_merged_quantized.onnx");

    fn nodes(network: &[u8], kind: &str) -> [usize; 2] {
        let model = Message::read(network).unwrap();
        let graph = Message::read(model.bytes(GRAPH).unwrap()).unwrap();
        let branches = graph.all(NODE).map(|node| Message::read(node).unwrap());
        let branches = branches.filter(|node| node.bytes(OP_TYPE) == Some(b"If")).flat_map(|node| {
            node.all(ATTRIBUTE)
                .map(|branch| Message::read(branch).unwrap().bytes(ATTRIBUTE_GRAPH).unwrap().to_vec())
                .collect::<Vec<_>>()
        });
        let count = |graph: Vec<u8>| {
            let graph = Message::read(&graph).unwrap();
            let nodes = graph.all(NODE).map(|node| Message::read(node).unwrap());
            nodes.filter(|node| node.bytes(OP_TYPE) == Some(kind.as_bytes())).count()
        };
        branches.map(count).collect::<Vec<_>>().try_into().unwrap()
    }

    #[test]
    fn both_branches_multiply_in_eight_bits() {
        let rewritten = optimize(NETWORK).unwrap();
        for (kind, more) in
            [("MatMulInteger", 1), ("MatMul", -1), ("DequantizeLinear", -1), ("DynamicQuantizeLinear", 1)]
        {
            let expected = nodes(NETWORK, kind).map(|count| count.checked_add_signed(more).unwrap());
            assert_eq!(nodes(&rewritten, kind), expected, "{kind}");
        }
    }

    #[test]
    fn other_networks_stay_as_they_are() {
        assert_eq!(optimize(&optimize(NETWORK).unwrap()), None, "once rewritten");
        assert_eq!(optimize(include_bytes!("../../demo/onnx/decoder_model_merged.onnx")), None, "in f32");
        assert_eq!(
            optimize(include_bytes!("../../demo/onnx/encoder_model_quantized.onnx")),
            None,
            "an encoder"
        );
        for len in (0..NETWORK.len()).step_by(10_007) {
            assert_eq!(optimize(&NETWORK[..len]), None, "the first {len} bytes");
        }
    }
}
