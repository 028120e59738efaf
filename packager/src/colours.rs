//! Colours: from a source's tags, which may be missing or contradict each other, to colours that the filters can convert
//! from. Pure; leaves the filters to `encode`.

use crate::{facts::VideoFacts, plan::Conversion};

/// zimg converts from these; from the other matrices of ITU-T H.273 it knows no way, or none for these curves.
const HDR_MATRICES: [&str; 8] =
    ["bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "ycgco", "bt2020nc", "chroma-derived-nc"];
const HDR_PRIMARIES: [&str; 10] = [
    "bt709",
    "bt470m",
    "bt470bg",
    "smpte170m",
    "smpte240m",
    "film",
    "bt2020",
    "smpte431",
    "smpte432",
    "jedec-p22",
];

/// Returns how a picture becomes BT.709.
pub(crate) fn conversion(video: &VideoFacts) -> Conversion {
    // PQ and HLG (ITU-R BT.2100): only these curves go above the white of SDR, so wide colours alone need no tone
    // map.
    let transfer =
        video.colour.transfer.as_deref().filter(|name| matches!(*name, "smpte2084" | "arib-std-b67"));
    let (matrix, primaries) = match transfer {
        Some(_) => hdr(video),
        None => (sdr(video), String::new()),
    };
    Conversion {
        deinterlace: video.interlaced,
        tone_map: transfer.is_some(),
        matrix,
        primaries,
        transfer: transfer.unwrap_or_default().to_owned(),
        full_range: video.colour.full_range,
    }
}

/// Returns matrix and primaries of an HDR picture. Both curves come from BT.2100, whose colours are those of BT.2020: so
/// are the ones of a source that does not state any that can be.
fn hdr(video: &VideoFacts) -> (String, String) {
    let colour = &video.colour;
    let known =
        |name: &Option<String>, names: &[&str]| name.clone().filter(|name| names.contains(&name.as_str()));
    let matrix =
        if rgb(&video.pixel_format) { Some("gbr".to_owned()) } else { known(&colour.matrix, &HDR_MATRICES) };
    let matrix = matrix.unwrap_or_else(|| "bt2020nc".to_owned());
    (matrix, known(&colour.primaries, &HDR_PRIMARIES).unwrap_or_else(|| "bt2020".to_owned()))
}

/// Returns swscale's name of the matrix.
fn sdr(video: &VideoFacts) -> String {
    let colour = &video.colour;
    let stated = match colour.matrix.as_deref() {
        Some("bt709") => Some("bt709"),
        Some("bt2020nc" | "bt2020c") => Some("bt2020"),
        Some("smpte170m" | "bt470bg") => Some("bt601"),
        Some("fcc") => Some("fcc"),
        Some("smpte240m") => Some("smpte240m"),
        // Missing, or nothing that a picture of this kind can have, such as the matrix of RGB.
        _ => None,
    };
    let by_primaries = match colour.primaries.as_deref() {
        Some("bt709") => Some("bt709"),
        Some("bt2020") => Some("bt2020"),
        Some("smpte170m" | "bt470bg" | "bt470m") => Some("bt601"),
        Some("smpte240m") => Some("smpte240m"),
        _ => None,
    };
    // Without a tag players go by size: a picture larger than PAL's 576 lines is high definition.
    let by_size = if video.width > 1024 || video.height > 576 { "bt709" } else { "bt601" };
    stated.or(by_primaries).unwrap_or(by_size).to_owned()
}

/// Returns whether pixels of a format, by ffmpeg's name, are red, green and blue.
fn rgb(pixel_format: &str) -> bool {
    ["gbr", "rgb", "bgr", "argb", "abgr", "0rgb", "0bgr", "x2rgb", "x2bgr", "pal8"]
        .iter()
        .any(|start| pixel_format.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Colour, tests::facts};

    /// Returns the conversion of `transfer/primaries/matrix`.
    fn converted(tags: &str, pixel_format: &str) -> Conversion {
        let mut video = facts().video.unwrap();
        let mut tags = tags.split('/').map(|tag| (!tag.is_empty()).then(|| tag.to_owned()));
        let mut next = || tags.next().unwrap();
        video.colour = Colour { transfer: next(), primaries: next(), matrix: next(), full_range: false };
        video.pixel_format = pixel_format.to_owned();
        conversion(&video)
    }

    #[test]
    fn half_tagged_hdr_is_filled_with_bt2020() {
        let check = |tags: &str, pixel_format: &str, primaries: &str, matrix: &str| {
            let conversion = converted(tags, pixel_format);
            assert!(conversion.tone_map, "{tags}");
            assert_eq!((&*conversion.primaries, &*conversion.matrix), (primaries, matrix), "{tags}");
            assert_eq!(conversion.transfer, tags.split('/').next().unwrap());
        };
        check("smpte2084/bt2020/bt2020nc", "yuv420p10le", "bt2020", "bt2020nc");
        check("arib-std-b67//", "yuv420p10le", "bt2020", "bt2020nc");
        check("smpte2084//bt2020nc", "yuv420p10le", "bt2020", "bt2020nc");
        check("smpte2084/bt2020/", "yuv420p10le", "bt2020", "bt2020nc");
        check("smpte2084/smpte432/bt709", "yuv420p10le", "smpte432", "bt709");
        check("smpte2084/bt2020/gbr", "yuv420p10le", "bt2020", "bt2020nc");
        check("smpte2084/bt2020/gbr", "gbrp10le", "bt2020", "gbr");
        check("smpte2084/bt2020/ictcp", "yuv420p10le", "bt2020", "bt2020nc");
        check("smpte2084/reserved/reserved", "yuv420p10le", "bt2020", "bt2020nc");
    }

    #[test]
    fn sdr_goes_by_its_matrix_then_its_primaries_then_its_size() {
        let check = |tags: &str, matrix: &str| {
            let conversion = converted(tags, "yuv420p");
            assert_eq!((conversion.tone_map, &*conversion.matrix), (false, matrix), "{tags}");
        };
        check("bt709/bt709/bt709", "bt709");
        check("//smpte170m", "bt601");
        check("//smpte240m", "smpte240m");
        check("bt709/bt2020/", "bt2020");
        check("bt709/bt2020/bt709", "bt709");
        check("/smpte170m/", "bt601");
        check("bt709/bt709/gbr", "bt709");
        check("/smpte170m/gbr", "bt601");
        check("//gbr", "bt709");
        check("//", "bt709");
    }
}
