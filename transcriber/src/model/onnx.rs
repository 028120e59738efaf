//! In charge of what `signed` and `untied` know of ONNX's files, which they rewrite as they are loaded. They work on
//! protobuf's wire format (the field numbers are those of onnx.proto), so that whatever they do not know stays as it is.

use super::wire::Message;

// ModelProto.
pub(super) const GRAPH: u64 = 7;
// GraphProto.
pub(super) const NODE: u64 = 1;
pub(super) const INITIALIZER: u64 = 5;
// NodeProto.
pub(super) const INPUT: u64 = 1;
pub(super) const OUTPUT: u64 = 2;
pub(super) const NAME: u64 = 3;
pub(super) const OP_TYPE: u64 = 4;
pub(super) const ATTRIBUTE: u64 = 5;
// AttributeProto.
pub(super) const ATTRIBUTE_NAME: u64 = 1;
pub(super) const ATTRIBUTE_INT: u64 = 3;
pub(super) const ATTRIBUTE_GRAPH: u64 = 6;
pub(super) const ATTRIBUTE_TYPE: u64 = 20;
pub(super) const TYPE_INT: u64 = 2;
// TensorProto.
pub(super) const DIMS: u64 = 1;
pub(super) const DATA_TYPE: u64 = 2;
pub(super) const INT32_DATA: u64 = 5;
pub(super) const TENSOR_NAME: u64 = 8;
pub(super) const RAW_DATA: u64 = 9;
pub(super) const DATA_LOCATION: u64 = 14;
pub(super) const EXTERNAL: u64 = 1;
pub(super) const FLOAT: u64 = 1;
pub(super) const UINT8: u64 = 2;
pub(super) const INT8: u64 = 3;

/// Returns a graph's tensors, or nothing where their numbers lie in a file beside it: those are not found from memory.
pub(super) fn tensors<'a>(graph: &'a Message<'_>) -> Option<Vec<Message<'a>>> {
    let tensors = graph.all(INITIALIZER).map(Message::read).collect::<Option<Vec<_>>>()?;
    let beside = tensors.iter().any(|tensor| tensor.number(DATA_LOCATION) == Some(EXTERNAL));
    (!beside).then_some(tensors)
}

impl Message<'_> {
    /// Returns a tensor's number of dimensions, which are packed or not.
    pub(super) fn dims(&self) -> usize {
        self.fields()
            .iter()
            .filter(|(number, _)| *number == DIMS)
            .map(|(_, value)| value.numbers().len())
            .sum()
    }

    /// Returns whether a tensor's numbers are of this type.
    pub(super) fn is_of(&self, data_type: u64) -> bool {
        self.number(DATA_TYPE) == Some(data_type)
    }
}
