//! Settings of the transcriber, in its own terms.

use transcriber::{model::device, options::Parity};

use super::Setting;

/// The device that a speech model runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device(pub(crate) device::Device);

impl Setting for Device {
    fn read(text: &str) -> Result<Self, String> {
        let named = device::Device::ALL.into_iter().find(|device| device.name() == text);
        named.map(Self).ok_or_else(|| "auto, cpu, cuda or coreml is expected".to_owned())
    }

    fn print(&self) -> String {
        self.0.name().to_owned()
    }
}

/// The reference that captions are token-equal to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference(pub(crate) Parity);

impl Setting for Reference {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(Parity::None)),
            "transformers" => Ok(Self(Parity::Transformers)),
            _ => Err("none or transformers is expected".to_owned()),
        }
    }

    fn print(&self) -> String {
        self.0.name().to_owned()
    }
}
