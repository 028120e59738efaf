//! In charge of protobuf's wire format, without a schema: a message is its fields in their order, and is written back
//! byte for byte but for what was changed. <https://protobuf.dev/programming-guides/encoding/>

use std::borrow::Cow;

/// A message's fields, each with its number.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Message<'a>(Vec<(u64, Value<'a>)>);

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Number(u64),
    /// Text, a message, packed numbers.
    Bytes(Cow<'a, [u8]>),
    Eight([u8; 8]),
    Four([u8; 4]),
}

impl From<Vec<u8>> for Value<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl Value<'_> {
    /// Returns the whole numbers that it holds, packed or one alone.
    pub(super) fn numbers(&self) -> Vec<u64> {
        match self {
            Self::Number(n) => vec![*n],
            Self::Bytes(packed) => {
                let mut left = packed.as_ref();
                std::iter::from_fn(|| number(&mut left)).collect()
            }
            Self::Eight(_) | Self::Four(_) => vec![],
        }
    }

    /// Packs whole numbers.
    pub(super) fn packed(numbers: impl Iterator<Item = u64>) -> Self {
        let mut out = Vec::new();
        numbers.for_each(|n| put(&mut out, n));
        Self::from(out)
    }
}

impl<'a> Message<'a> {
    /// Reads a message, or nothing where these bytes are none.
    pub(super) fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = number(&mut bytes)?;
            let value = match key & 7 {
                0 => Value::Number(number(&mut bytes)?),
                1 => Value::Eight(*bytes.split_off(..8)?.first_chunk()?),
                2 => {
                    let len = usize::try_from(number(&mut bytes)?).ok()?;
                    Value::Bytes(bytes.split_off(..len)?.into())
                }
                5 => Value::Four(*bytes.split_off(..4)?.first_chunk()?),
                _ => return None,
            };
            fields.push((key >> 3, value));
        }
        Some(Self(fields))
    }

    pub(super) fn written(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (field, value) in &self.0 {
            let key = |kind: u64| field << 3 | kind;
            match value {
                Value::Number(n) => {
                    put(&mut out, key(0));
                    put(&mut out, *n);
                }
                Value::Eight(bytes) => {
                    put(&mut out, key(1));
                    out.extend(bytes);
                }
                Value::Bytes(bytes) => {
                    put(&mut out, key(2));
                    put(&mut out, bytes.len() as u64);
                    out.extend_from_slice(bytes);
                }
                Value::Four(bytes) => {
                    put(&mut out, key(5));
                    out.extend(bytes);
                }
            }
        }
        out
    }

    pub(super) fn fields(&self) -> &[(u64, Value<'a>)] {
        &self.0
    }

    /// Returns the bytes of every field of this number.
    pub(super) fn all(&self, field: u64) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter_map(move |(number, value)| match value {
            Value::Bytes(bytes) if *number == field => Some(bytes.as_ref()),
            _ => None,
        })
    }

    pub(super) fn bytes(&self, field: u64) -> Option<&[u8]> {
        self.all(field).next()
    }

    pub(super) fn number(&self, field: u64) -> Option<u64> {
        self.0.iter().find_map(|(number, value)| match value {
            Value::Number(n) if *number == field => Some(*n),
            _ => None,
        })
    }

    /// Returns it with other bytes in those fields of this number for which `new` returns some.
    pub(super) fn edited(&self, field: u64, mut new: impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Self {
        let fields = self.0.iter().map(|(number, value)| {
            let other = match value {
                Value::Bytes(bytes) if *number == field => new(bytes).map(Value::from),
                _ => None,
            };
            (*number, other.unwrap_or_else(|| value.clone()))
        });
        Self(fields.collect())
    }

    pub(super) fn push(&mut self, field: u64, value: Value<'a>) {
        self.0.push((field, value));
    }

    pub(super) fn with(mut self, field: u64, value: Value<'a>) -> Self {
        self.push(field, value);
        self
    }
}

/// Takes a number off the front: seven bits a byte, the lowest first.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut n = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        n |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(n);
        }
    }
    None
}

fn put(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_written_as_it_was_read() {
        let network = include_bytes!("../../demo/onnx/decoder_model_merged_quantized.onnx");
        assert!(Message::read(network).unwrap().written() == network);
        let all = Message::default()
            .with(1, Value::Number(u64::MAX))
            .with(2, Value::from(b"name".to_vec()))
            .with(3000, Value::Eight([7; 8]))
            .with(4, Value::Four([9; 4]));
        assert_eq!(Message::read(&all.written()), Some(all));
    }

    #[test]
    fn what_is_cut_off_is_no_message() {
        let bytes =
            Message::default().with(2, Value::from(b"name".to_vec())).with(1, Value::Number(300)).written();
        for len in [1, 2, 5, bytes.len() - 1] {
            assert_eq!(Message::read(&bytes[..len]), None, "{len}");
        }
        assert_eq!(Message::read(&[0xff; 12]), None);
        assert_eq!(Message::read(&[3 << 3 | 3]), None, "a group");
    }
}
