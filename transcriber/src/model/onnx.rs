//! In charge of what `signed` and `untied` know of ONNX's files, which they rewrite as they are loaded. Works on protobuf's wire format (the field
//! numbers are those of onnx.proto), so that whatever it does not know stays as it is.

use super::wire::{Message, Value};

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
    /// A tensor's number of dimensions, which are packed or not.
    pub(super) fn dims(&self) -> usize {
        self.fields()
            .iter()
            .filter(|(number, _)| *number == DIMS)
            .map(|(_, value)| value.numbers().len())
            .sum()
    }

    /// Whether a tensor has one number for each of eight bits.
    pub(super) fn is_of(&self, data_type: u64) -> bool {
        self.number(DATA_TYPE) == Some(data_type)
    }
}

/// Returns a tensor of `UINT8` as one of `INT8`: every number less 128.
pub(super) fn less_128(tensor: &Message<'_>) -> Option<Vec<u8>> {
    let mut signed = Message::default();
    for (field, value) in tensor.fields() {
        let value = match (*field, value) {
            (DATA_TYPE, Value::Number(UINT8)) => Value::Number(INT8),
            (RAW_DATA, Value::Bytes(bytes)) => {
                Value::from(bytes.iter().map(|byte| byte ^ 0x80).collect::<Vec<_>>())
            }
            // Negative numbers are as long as protobuf has them.
            (INT32_DATA, numbers) => {
                Value::packed(numbers.numbers().into_iter().map(|number| number.wrapping_sub(128)))
            }
            (DATA_TYPE | RAW_DATA, _) => return None,
            (_, other) => other.clone(),
        };
        signed.push(*field, value);
    }
    Some(signed.written())
}
