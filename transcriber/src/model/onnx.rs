//! ONNX's files as protobuf messages, after onnx.proto: the fields that the optimizer reads or writes are typed, all
//! others are kept as their bytes. A file with a field that is not listed here is not read, so nothing gets lost.
//! <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>

use std::collections::HashSet;

use prost::Message;

// TensorProto.DataType.
pub(super) const FLOAT: i32 = 1;
pub(super) const UINT8: i32 = 2;
pub(super) const INT8: i32 = 3;
// TensorProto.DataLocation.
const EXTERNAL: i32 = 1;
// AttributeProto.AttributeType.
const INT: i32 = 2;

/// A whole file.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ModelProto {
    #[prost(int64, optional, tag = "1")]
    ir_version: Option<i64>,
    #[prost(string, optional, tag = "2")]
    producer_name: Option<String>,
    #[prost(string, optional, tag = "3")]
    producer_version: Option<String>,
    #[prost(string, optional, tag = "4")]
    domain: Option<String>,
    #[prost(int64, optional, tag = "5")]
    model_version: Option<i64>,
    #[prost(string, optional, tag = "6")]
    doc_string: Option<String>,
    #[prost(message, optional, tag = "7")]
    pub(super) graph: Option<GraphProto>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    opset_import: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "14")]
    metadata_props: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "20")]
    training_info: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "25")]
    functions: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "26")]
    configuration: Vec<Vec<u8>>,
}

/// A graph of nodes: the model's, or a branch of an `If`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    pub(super) node: Vec<NodeProto>,
    #[prost(string, optional, tag = "2")]
    name: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub(super) initializer: Vec<TensorProto>,
    #[prost(string, optional, tag = "10")]
    doc_string: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "11")]
    input: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "12")]
    output: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "13")]
    value_info: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "14")]
    quantization_annotation: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "15")]
    sparse_initializer: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "16")]
    metadata_props: Vec<Vec<u8>>,
}

/// An operator with the names of its inputs and outputs.
#[derive(Clone, PartialEq, Message)]
pub(super) struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    pub(super) input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(super) output: Vec<String>,
    #[prost(string, optional, tag = "3")]
    name: Option<String>,
    #[prost(string, optional, tag = "4")]
    op_type: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub(super) attribute: Vec<AttributeProto>,
    #[prost(string, optional, tag = "6")]
    doc_string: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub(super) domain: Option<String>,
    #[prost(string, optional, tag = "8")]
    overload: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    metadata_props: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "10")]
    device_configurations: Vec<Vec<u8>>,
}

/// A constant of an operator.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AttributeProto {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(float, optional, tag = "2")]
    f: Option<f32>,
    #[prost(int64, optional, tag = "3")]
    i: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    s: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    t: Option<Vec<u8>>,
    #[prost(message, optional, tag = "6")]
    pub(super) g: Option<GraphProto>,
    // onnx.proto is proto2, where repeated numbers are packed only if they are marked; packed they would change the length.
    #[prost(float, repeated, packed = "false", tag = "7")]
    floats: Vec<f32>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    ints: Vec<i64>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    strings: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "10")]
    tensors: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "11")]
    graphs: Vec<Vec<u8>>,
    #[prost(string, optional, tag = "13")]
    doc_string: Option<String>,
    #[prost(bytes = "vec", optional, tag = "14")]
    tp: Option<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "15")]
    type_protos: Vec<Vec<u8>>,
    #[prost(int32, optional, tag = "20")]
    kind: Option<i32>,
    #[prost(string, optional, tag = "21")]
    ref_attr_name: Option<String>,
    #[prost(bytes = "vec", optional, tag = "22")]
    sparse_tensor: Option<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "23")]
    sparse_tensors: Vec<Vec<u8>>,
}

/// Numbers with a shape and a type.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorProto {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub(super) dims: Vec<i64>,
    #[prost(int32, optional, tag = "2")]
    pub(super) data_type: Option<i32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    segment: Option<Vec<u8>>,
    #[prost(float, repeated, tag = "4")]
    float_data: Vec<f32>,
    #[prost(int32, repeated, tag = "5")]
    pub(super) int32_data: Vec<i32>,
    #[prost(bytes = "vec", repeated, tag = "6")]
    string_data: Vec<Vec<u8>>,
    #[prost(int64, repeated, tag = "7")]
    int64_data: Vec<i64>,
    #[prost(string, optional, tag = "8")]
    name: Option<String>,
    #[prost(bytes = "vec", optional, tag = "9")]
    pub(super) raw_data: Option<Vec<u8>>,
    #[prost(double, repeated, tag = "10")]
    double_data: Vec<f64>,
    #[prost(uint64, repeated, tag = "11")]
    uint64_data: Vec<u64>,
    #[prost(string, optional, tag = "12")]
    doc_string: Option<String>,
    #[prost(bytes = "vec", repeated, tag = "13")]
    external_data: Vec<Vec<u8>>,
    #[prost(int32, optional, tag = "14")]
    data_location: Option<i32>,
    #[prost(bytes = "vec", repeated, tag = "16")]
    metadata_props: Vec<Vec<u8>>,
}

/// A set of operators, in `opset_import`.
#[derive(Clone, PartialEq, Message)]
struct OperatorSetIdProto {
    #[prost(string, optional, tag = "1")]
    domain: Option<String>,
    #[prost(int64, optional, tag = "2")]
    version: Option<i64>,
}

/// An input or output of a graph, as far as its name.
#[derive(Clone, PartialEq, Message)]
struct ValueName {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
}

/// Reads a file, or nothing where a part of it would be lost in writing it again.
pub(super) fn read(bytes: &[u8]) -> Option<ModelProto> {
    let model = ModelProto::decode(bytes).ok()?;
    // prost drops unknown fields, so a file that has some is longer than its message.
    let complete = model.encoded_len() == bytes.len();
    // Weights in a file of their own are not found from an optimized file elsewhere.
    let external = model.graph.iter().flat_map(|graph| &graph.initializer).any(TensorProto::is_external);
    (complete && !external).then_some(model)
}

impl ModelProto {
    /// Imports the first version of a set of operators, unless the set is imported.
    pub(super) fn import(&mut self, domain: &str) {
        let of =
            |bytes: &Vec<u8>| OperatorSetIdProto::decode(bytes.as_slice()).ok().and_then(|set| set.domain);
        if !self.opset_import.iter().any(|bytes| of(bytes).as_deref() == Some(domain)) {
            let set = OperatorSetIdProto { domain: Some(domain.to_owned()), version: Some(1) };
            self.opset_import.push(set.encode_to_vec());
        }
    }
}

impl GraphProto {
    /// Returns the names of its outputs.
    pub(super) fn outputs(&self) -> HashSet<String> {
        let names = self.output.iter().filter_map(|bytes| ValueName::decode(bytes.as_slice()).ok()?.name);
        names.collect()
    }
}

impl NodeProto {
    /// Returns a node that is named after its first output.
    pub(super) fn new(op_type: &str, input: &[&str], output: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Self {
            name: output.first().map(|first| format!("{first}_node")),
            op_type: Some(op_type.to_owned()),
            input: owned(input),
            output: owned(output),
            ..Self::default()
        }
    }
}

impl AttributeProto {
    /// Returns a whole number.
    pub(super) fn int(name: &str, i: i64) -> Self {
        Self { name: Some(name.to_owned()), i: Some(i), kind: Some(INT), ..Self::default() }
    }
}

impl TensorProto {
    /// Returns a tensor whose numbers are these bytes.
    pub(super) fn raw(name: &str, data_type: i32, dims: &[usize], bytes: Vec<u8>) -> Self {
        Self {
            name: Some(name.to_owned()),
            data_type: Some(data_type),
            dims: dims.iter().map(|length| *length as i64).collect(),
            raw_data: Some(bytes),
            ..Self::default()
        }
    }

    /// Returns its numbers, if they are f32.
    pub(super) fn floats(&self) -> Option<Vec<f32>> {
        (self.data_type == Some(FLOAT)).then_some(())?;
        Some(match &self.raw_data {
            Some(raw) => raw.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            None => self.float_data.clone(),
        })
    }

    fn is_external(&self) -> bool {
        self.data_location == Some(EXTERNAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORKS: [&[u8]; 4] = [
        include_bytes!("../../demo/onnx/encoder_model.onnx"),
        include_bytes!("../../demo/onnx/encoder_model_quantized.onnx"),
        include_bytes!("../../demo/onnx/decoder_model_merged.onnx"),
        include_bytes!("../../demo/onnx/decoder_model_merged_quantized.onnx"),
    ];

    #[test]
    fn a_file_is_written_as_it_was_read() {
        for network in NETWORKS {
            assert!(read(network).unwrap().encode_to_vec() == network);
        }
    }

    #[test]
    fn a_file_that_would_lose_a_part_is_not_read() {
        // Field 999 of ModelProto, which onnx.proto does not have.
        let unknown = [NETWORKS[1], &[0xb8, 0x3e, 0x01]].concat();
        assert_eq!(read(&unknown), None);
        for len in (1..NETWORKS[1].len()).step_by(10_007) {
            assert_eq!(read(&NETWORKS[1][..len]), None, "the first {len} bytes");
        }
        let tensor = TensorProto { data_location: Some(EXTERNAL), ..TensorProto::default() };
        let graph = GraphProto { initializer: vec![tensor], ..GraphProto::default() };
        let external = ModelProto { graph: Some(graph), ..ModelProto::default() };
        assert_eq!(read(&external.encode_to_vec()), None);
    }
}
