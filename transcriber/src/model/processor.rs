//! The kind of processor that a network is optimized for.

/// A kind of processor, as far as ONNX Runtime's eight-bit kernels differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    /// With VNNI, or AMX, which has never come without it: u8 · s8 is fast and exact.
    Vnni,
    /// Any other: u8 · s8 may overflow.
    Plain,
}

impl Processor {
    /// Returns this machine's.
    pub fn here() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx512vnni") || std::is_x86_feature_detected!("avxvnni") {
            return Self::Vnni;
        }
        Self::Plain
    }

    /// Returns its part of an optimized file's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Vnni => "vnni",
            Self::Plain => "plain",
        }
    }
}
