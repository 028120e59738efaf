//! Still pictures: JPEG, PNG and WebP, read from standard input by one demuxer and one decoder each.

use std::ffi::OsString;

use crate::MAX_PIXELS;

/// A format of still pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Still {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
}

impl Still {
    /// Returns the format of a file by its first bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            _ => None,
        }
    }

    fn demuxer(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg_pipe",
            Self::Png => "png_pipe",
            Self::WebP => "webp_pipe",
        }
    }

    fn decoder(self) -> &'static str {
        match self {
            Self::Jpeg => "mjpeg",
            Self::Png => "png",
            Self::WebP => "webp",
        }
    }
}

/// Returns the guard and the input of a picture that comes on standard input: it opens nothing else, whatever is in it.
pub fn still_args(still: Still) -> Vec<OsString> {
    let pixels = MAX_PIXELS.to_string();
    [
        ("-format_whitelist", still.demuxer()),
        ("-protocol_whitelist", "pipe"),
        ("-codec_whitelist", still.decoder()),
        ("-max_pixels", pixels.as_str()),
        ("-threads", "1"),
        ("-f", still.demuxer()),
        ("-i", "pipe:0"),
    ]
    .into_iter()
    .flat_map(|(option, value)| [OsString::from(option), OsString::from(value)])
    .collect()
}
