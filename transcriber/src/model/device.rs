//! The device that networks run on: a graphics processor by ONNX Runtime's execution provider, or the processor, which is behind
//! each of them.

use ort::{
    ep::{CUDA, CoreML, ExecutionProvider},
    session::builder::SessionBuilder,
};

/// A choice of devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// A graphics processor where ONNX Runtime's library knows one and it works, else the processor.
    #[default]
    Auto,
    /// The processor alone.
    Cpu,
    /// Nvidia's, by CUDA.
    Cuda,
    /// Apple's, by Core ML.
    CoreMl,
}

/// A device besides the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accelerator {
    Cuda,
    CoreMl,
}

impl Device {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Cpu, Self::Cuda, Self::CoreMl];

    /// Returns its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::CoreMl => "coreml",
        }
    }

    /// Returns the accelerator to try, if `is_there` knows it. Logs one that is asked for by name and is not there.
    pub(super) fn accelerator(self, is_there: impl Fn(Accelerator) -> bool) -> Option<Accelerator> {
        let wanted = match self {
            Self::Auto => {
                return [Accelerator::Cuda, Accelerator::CoreMl].into_iter().find(|it| is_there(*it));
            }
            Self::Cpu => return None,
            Self::Cuda => Accelerator::Cuda,
            Self::CoreMl => Accelerator::CoreMl,
        };
        if is_there(wanted) {
            return Some(wanted);
        }
        tracing::warn!(
            "ONNX Runtime's library has no {}; speech is recognized on the processor",
            wanted.name()
        );
        None
    }
}

impl Accelerator {
    /// Returns whether ONNX Runtime's library was built with it.
    pub(super) fn is_there(self) -> bool {
        let there = match self {
            Self::Cuda => CUDA::is_available(),
            Self::CoreMl => CoreML::is_available(),
        };
        there.unwrap_or(false)
    }

    /// Has a session run on it.
    pub(super) fn register(self, builder: &mut SessionBuilder) -> ort::Result<()> {
        match self {
            Self::Cuda => CUDA::default().register(builder),
            Self::CoreMl => CoreML::default().register(builder),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cuda => "CUDA",
            Self::CoreMl => "Core ML",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_what_is_asked_for_and_there() {
        use Accelerator::{CoreMl, Cuda};
        let check = |device: Device, there: &[Accelerator], expected: Option<Accelerator>| {
            assert_eq!(device.accelerator(|it| there.contains(&it)), expected, "{device:?} with {there:?}");
        };
        check(Device::Auto, &[], None);
        check(Device::Auto, &[CoreMl], Some(CoreMl));
        check(Device::Auto, &[CoreMl, Cuda], Some(Cuda));
        check(Device::Cpu, &[CoreMl, Cuda], None);
        check(Device::Cuda, &[Cuda], Some(Cuda));
        check(Device::CoreMl, &[CoreMl, Cuda], Some(CoreMl));
        // It falls back.
        check(Device::Cuda, &[CoreMl], None);
        check(Device::CoreMl, &[], None);
    }
}
