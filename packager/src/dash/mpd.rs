//! The elements of an MPD (ISO/IEC 23009-1 §5.3) that our manifests have, in the order in which serde writes them.
//! Leaves their values to `dash`.

use std::time::Duration;

use serde::Serialize;

/// `MPD` (§5.3.1), of a static presentation with one period. An entity tag depends on every byte, so the order of
/// attributes stays from release to release, and so do the namespaces that no element of ours uses.
#[derive(Debug, Serialize)]
#[serde(rename = "MPD")]
pub(super) struct Mpd {
    #[serde(rename = "@xmlns")]
    pub(super) xmlns: &'static str,
    #[serde(rename = "@profiles")]
    pub(super) profiles: &'static str,
    #[serde(rename = "@type")]
    pub(super) kind: &'static str,
    #[serde(rename = "@mediaPresentationDuration")]
    pub(super) duration: String,
    #[serde(rename = "@minBufferTime")]
    pub(super) min_buffer: String,
    #[serde(rename = "@maxSegmentDuration", skip_serializing_if = "Option::is_none")]
    pub(super) longest_segment: Option<String>,
    #[serde(rename = "@xmlns:xsi")]
    pub(super) xsi: &'static str,
    #[serde(rename = "@xmlns:cenc")]
    pub(super) cenc: &'static str,
    #[serde(rename = "@xmlns:mspr")]
    pub(super) mspr: &'static str,
    #[serde(rename = "@xmlns:xlink")]
    pub(super) xlink: &'static str,
    #[serde(rename = "@xmlns:dvb")]
    pub(super) dvb: &'static str,
    #[serde(rename = "Period")]
    pub(super) period: Period,
}

impl Default for Mpd {
    fn default() -> Self {
        Self {
            xmlns: "urn:mpeg:dash:schema:mpd:2011",
            // The profile of numbered segments (ISO/IEC 23009-1 §8.4), static presentations too; on-demand (§8.3)
            // asks for one indexed file a representation.
            profiles: "urn:mpeg:dash:profile:isoff-live:2011",
            kind: "static",
            duration: String::new(),
            min_buffer: String::new(),
            longest_segment: None,
            xsi: "http://www.w3.org/2001/XMLSchema-instance",
            cenc: "urn:mpeg:cenc:2013",
            mspr: "urn:microsoft:playready",
            xlink: "http://www.w3.org/1999/xlink",
            dvb: "urn:dvb:dash-extensions:2014-1",
            period: Period::default(),
        }
    }
}

impl Mpd {
    /// Returns the document, in one line after the declaration.
    pub(super) fn to_xml(&self) -> String {
        let xml = quick_xml::se::to_string(self).expect("every attribute is a text, a number or a bool");
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{xml}\n")
    }
}

/// `Period` (§5.3.2).
#[derive(Debug, Default, Serialize)]
pub(super) struct Period {
    #[serde(rename = "@id")]
    pub(super) id: u32,
    #[serde(rename = "@start")]
    pub(super) start: String,
    #[serde(rename = "AdaptationSet")]
    pub(super) adaptation_sets: Vec<AdaptationSet>,
}

/// `AdaptationSet` (§5.3.3): renditions between which a player may switch by itself.
#[derive(Debug, Default, Serialize)]
pub(super) struct AdaptationSet {
    #[serde(rename = "@id")]
    pub(super) id: u32,
    #[serde(rename = "@contentType")]
    pub(super) content_type: &'static str,
    #[serde(rename = "@lang", skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<String>,
    #[serde(rename = "@segmentAlignment", skip_serializing_if = "Option::is_none")]
    pub(super) segment_alignment: Option<bool>,
    #[serde(rename = "@mimeType")]
    pub(super) mime_type: &'static str,
    #[serde(rename = "@maxWidth", skip_serializing_if = "Option::is_none")]
    pub(super) max_width: Option<u32>,
    #[serde(rename = "@maxHeight", skip_serializing_if = "Option::is_none")]
    pub(super) max_height: Option<u32>,
    #[serde(rename = "@maxFrameRate", skip_serializing_if = "Option::is_none")]
    pub(super) max_frame_rate: Option<String>,
    #[serde(rename = "@startWithSAP", skip_serializing_if = "Option::is_none")]
    pub(super) start_with_sap: Option<u8>,
    #[serde(rename = "Label", skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<String>,
    #[serde(rename = "Role", skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<Descriptor>,
    #[serde(rename = "SegmentTemplate", skip_serializing_if = "Option::is_none")]
    pub(super) template: Option<SegmentTemplate>,
    #[serde(rename = "Representation")]
    pub(super) representations: Vec<Representation>,
}

/// `DescriptorType` (§5.8.2): a value out of a scheme.
#[derive(Debug, Serialize)]
pub(super) struct Descriptor {
    #[serde(rename = "@schemeIdUri")]
    pub(super) scheme: &'static str,
    #[serde(rename = "@value")]
    pub(super) value: &'static str,
}

/// `SegmentTemplate` (§5.3.9.4).
#[derive(Debug, Serialize)]
pub(super) struct SegmentTemplate {
    #[serde(rename = "@media")]
    pub(super) media: &'static str,
    #[serde(rename = "@initialization")]
    pub(super) initialization: &'static str,
    #[serde(rename = "@startNumber")]
    pub(super) start_number: u32,
    #[serde(rename = "@timescale")]
    pub(super) timescale: u32,
    #[serde(rename = "SegmentTimeline")]
    pub(super) timeline: SegmentTimeline,
}

/// `SegmentTimeline` (§5.3.9.6).
#[derive(Debug, Serialize)]
pub(super) struct SegmentTimeline {
    #[serde(rename = "S")]
    pub(super) runs: Vec<Run>,
}

/// `S`: segments of one length.
#[derive(Debug, Serialize)]
pub(super) struct Run {
    #[serde(rename = "@t", skip_serializing_if = "Option::is_none")]
    pub(super) start: Option<u64>,
    #[serde(rename = "@d")]
    pub(super) length: u64,
    #[serde(rename = "@r", skip_serializing_if = "Option::is_none")]
    pub(super) repeat: Option<u64>,
}

/// `Representation` (§5.3.5): one rendition.
#[derive(Debug, Default, Serialize)]
pub(super) struct Representation {
    #[serde(rename = "@id")]
    pub(super) id: String,
    #[serde(rename = "@bandwidth")]
    pub(super) bandwidth: u64,
    #[serde(rename = "@audioSamplingRate", skip_serializing_if = "Option::is_none")]
    pub(super) sampling_rate: Option<u32>,
    #[serde(rename = "@width", skip_serializing_if = "Option::is_none")]
    pub(super) width: Option<u32>,
    #[serde(rename = "@height", skip_serializing_if = "Option::is_none")]
    pub(super) height: Option<u32>,
    #[serde(rename = "@sar", skip_serializing_if = "Option::is_none")]
    pub(super) sample_aspect: Option<&'static str>,
    #[serde(rename = "@frameRate", skip_serializing_if = "Option::is_none")]
    pub(super) frame_rate: Option<String>,
    #[serde(rename = "@codecs", skip_serializing_if = "Option::is_none")]
    pub(super) codecs: Option<String>,
    #[serde(rename = "AudioChannelConfiguration", skip_serializing_if = "Option::is_none")]
    pub(super) channels: Option<Descriptor>,
    #[serde(rename = "BaseURL", skip_serializing_if = "Option::is_none")]
    pub(super) base_url: Option<String>,
}

/// Returns a length as `xs:duration` (XML Schema Part 2 §3.2.6) such as `PT1H2M3.5S`. Parts that are zero at its end
/// are left out, but one must stay: `PT` alone is no duration.
pub(super) fn length_text(length: Duration) -> String {
    let (seconds, nanoseconds) = (length.as_secs(), length.subsec_nanos());
    let (hours, minutes, seconds) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
    let fraction = format!(".{nanoseconds:09}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    match (hours, minutes, seconds, nanoseconds) {
        (0, 0, ..) => format!("PT{seconds}{fraction}S"),
        (0, _, 0, 0) => format!("PT{minutes}M"),
        (0, ..) => format!("PT{minutes}M{seconds}{fraction}S"),
        (_, 0, 0, 0) => format!("PT{hours}H"),
        (_, _, 0, 0) => format!("PT{hours}H{minutes}M"),
        _ => format!("PT{hours}H{minutes}M{seconds}{fraction}S"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_hours_minutes_and_seconds() {
        let check = |microseconds: u64, text: &str| {
            assert_eq!(length_text(Duration::from_micros(microseconds)), text);
        };
        check(0, "PT0S");
        check(14_014_000, "PT14.014S");
        check(60_000_000, "PT1M");
        check(90_500_000, "PT1M30.5S");
        check(3_600_000_000, "PT1H");
        check(3_605_000_000, "PT1H0M5S");
        check(5_400_000_000, "PT1H30M");
        check(36_123_456_789, "PT10H2M3.456789S");
    }
}
