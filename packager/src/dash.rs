//! The DASH manifest (ISO/IEC 23009-1): one static MPD over the segments that HLS plays.
//! Plan in, text out.

mod mpd;

use std::time::Duration;

use mpd::{
    AdaptationSet, Descriptor, Mpd, Period, Representation, Run, SegmentTemplate, SegmentTimeline,
    length_text,
};

use crate::{
    cuts::Cuts,
    facts::Purpose,
    measure::Measured,
    plan::{AAC_FRAME_SAMPLES, AUDIO_SAMPLE_RATE, AudioPlan, FrameRate, Grid, Plan, Rung, VideoPlan},
    rates::{Rates, audio_codec, video_codec},
    subtitles::Subtitle,
};

const ROLE: &str = "urn:mpeg:dash:role:2011";
const CHANNELS: &str = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011";
/// The buffer that a player fills before it plays; Shaka takes it by the word, so a key frame's distance is enough.
const MIN_BUFFER: Duration = Duration::from_secs(2);
/// `@bandwidth` is required of text too; an hour of subtitles has some 50 kB.
const TEXT_BPS: u64 = 200;

/// Returns the manifest: with the plan's caps as bandwidths before encoding, with the measured ones after.
///
/// Captions are listed once they are whole: a DASH player reads their file once.
pub fn manifest(plan: &Plan, measured: Option<&[Measured]>, subtitles: &[Subtitle]) -> String {
    let measured = measured.unwrap_or_default();
    let video = plan.video.iter().map(|video| picture(plan, video, measured));
    let audio = plan.audio.iter().enumerate().map(|(place, audio)| AdaptationSet {
        role: Some(role(match audio.purpose {
            Purpose::Description => "description",
            Purpose::Commentary => "commentary",
            Purpose::Main if place == 0 => "main",
            Purpose::Main => "alternate",
        })),
        ..sound(plan, audio, measured)
    });
    let sets = video.chain(audio).chain(subtitles.iter().filter(|text| text.whole).map(captions));
    let numbered = sets.zip(0_u32..).map(|(set, id)| AdaptationSet { id, ..set });
    let period = Period { id: 0, start: length_text(Duration::ZERO), adaptation_sets: numbered.collect() };
    Mpd {
        duration: length_text(length(&plan.grid)),
        min_buffer: length_text(MIN_BUFFER),
        longest_segment: longest_segment(plan).map(length_text),
        period,
        ..Mpd::default()
    }
    .to_xml()
}

fn picture(plan: &Plan, video: &VideoPlan, measured: &[Measured]) -> AdaptationSet {
    let grid = &plan.grid;
    let rate = frame_rate(video.frame_rate);
    let representation = |rung: &Rung| Representation {
        id: rung.name.clone(),
        bandwidth: Rates::of_rung(plan, rung, measured).peak_bps,
        codecs: Some(video_codec(rung, measured)),
        width: Some(rung.width),
        height: Some(rung.height),
        sample_aspect: Some("1:1"),
        frame_rate: Some(rate.clone()),
        ..Representation::default()
    };
    AdaptationSet {
        content_type: "video",
        mime_type: "video/mp4",
        // All rungs are cut at the same times, and each segment begins with the IDR frame of a closed GOP, a stream
        // access point of type 1 (ISO/IEC 14496-12 Annex I): a player may switch at any border.
        segment_alignment: Some(true),
        start_with_sap: Some(1),
        max_width: video.rungs.iter().map(|rung| rung.width).max(),
        max_height: video.rungs.iter().map(|rung| rung.height).max(),
        max_frame_rate: Some(rate.clone()),
        template: Some(template(grid.timescale, (0..grid.segments()).map(|n| grid.length(n)))),
        representations: video.rungs.iter().map(representation).collect(),
        ..AdaptationSet::default()
    }
}

/// Languages are chosen by people and not by bandwidth, so each is a set of its own.
fn sound(plan: &Plan, audio: &AudioPlan, measured: &[Measured]) -> AdaptationSet {
    let grid = &plan.grid;
    let lengths = (0..grid.segments()).map(|n| audio.segment_frames(grid, n) * AAC_FRAME_SAMPLES);
    let representation = Representation {
        id: audio.name.clone(),
        bandwidth: Rates::of_audio(plan, audio, measured).peak_bps,
        codecs: Some(audio_codec(audio, measured)),
        sampling_rate: Some(AUDIO_SAMPLE_RATE),
        channels: Some(Descriptor { scheme: CHANNELS, value: "2" }),
        ..Representation::default()
    };
    AdaptationSet {
        content_type: "audio",
        mime_type: "audio/mp4",
        language: audio.language.clone(),
        segment_alignment: Some(true),
        start_with_sap: Some(1),
        label: Some(audio.label.clone()),
        template: Some(template(AUDIO_SAMPLE_RATE, lengths)),
        representations: vec![representation],
        ..AdaptationSet::default()
    }
}

/// The whole file at once: players of DASH read WebVTT best so.
fn captions(text: &Subtitle) -> AdaptationSet {
    let representation = Representation {
        id: text.name.clone(),
        bandwidth: TEXT_BPS,
        base_url: Some(format!("{}.vtt", text.name)),
        ..Representation::default()
    };
    AdaptationSet {
        content_type: "text",
        mime_type: "text/vtt",
        language: Some(text.language.clone()),
        label: Some(text.label.clone()),
        role: Some(role(match text {
            _ if text.forced => "forced-subtitle",
            _ if text.describes_sounds => "caption",
            _ => "subtitle",
        })),
        representations: vec![representation],
        ..AdaptationSet::default()
    }
}

fn template(timescale: u32, lengths: impl Iterator<Item = u64>) -> SegmentTemplate {
    SegmentTemplate {
        // A timeline and no `@duration`, by which players would reckon numbers from one length: sound's segments
        // differ by a frame.
        media: "$RepresentationID$/$Number$.m4s",
        initialization: "$RepresentationID$/init.mp4",
        start_number: 0,
        timescale,
        timeline: SegmentTimeline { runs: timeline(lengths) },
    }
}

/// Returns runs of equal lengths; `@r` counts repetitions after the first.
fn timeline(lengths: impl Iterator<Item = u64>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for length in lengths {
        match runs.last_mut() {
            Some(run) if run.length == length => run.repeat = Some(run.repeat.unwrap_or(0) + 1),
            Some(_) => runs.push(Run { start: None, length, repeat: None }),
            None => runs.push(Run { start: Some(0), length, repeat: None }),
        }
    }
    runs
}

fn role(value: &'static str) -> Descriptor {
    Descriptor { scheme: ROLE, value }
}

fn frame_rate(rate: FrameRate) -> String {
    if rate.den == 1 { rate.num.to_string() } else { format!("{}/{}", rate.num, rate.den) }
}

fn longest_segment(plan: &Plan) -> Option<Duration> {
    let audio = plan.audio.iter().map(|audio| Cuts::of_audio(&plan.grid, audio));
    let all = audio.chain([Cuts::of_grid(&plan.grid)]);
    all.filter_map(|cuts| cuts.lengths().max()).max()
}

/// Returns the whole presentation's length, rounded up: a player must not stop before the last frame.
fn length(grid: &Grid) -> Duration {
    let timescale = u128::from(grid.timescale);
    let microseconds = (u128::from(grid.duration_ticks) * 1_000_000).div_ceil(timescale);
    Duration::from_micros(microseconds as u64)
}

#[cfg(test)]
mod tests {
    use quick_xml::{Reader, events::Event};

    use super::*;
    use crate::{
        plan::tests::{film, measured, sound_alone},
        subtitles::tests::three,
    };

    /// One element a line, for reading; the manifest itself has no white space to spare.
    fn lines(manifest: &str) -> String {
        manifest.replace("><", ">\n<")
    }

    #[test]
    fn a_forced_track_has_the_role_of_its_own() {
        let forced = three()
            .into_iter()
            .map(|text| Subtitle { forced: true, whole: true, ..text })
            .collect::<Vec<_>>();
        let text = manifest(&film(), None, &forced);
        assert_eq!(text.matches(r#"value="forced-subtitle""#).count(), 2, "{text}");
    }

    #[test]
    fn before_encoding_the_manifest_has_the_caps() {
        insta::assert_snapshot!(lines(&manifest(&film(), None, &three())), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" mediaPresentationDuration="PT14.014S" minBufferTime="PT2S" maxSegmentDuration="PT6.016S" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cenc="urn:mpeg:cenc:2013" xmlns:mspr="urn:microsoft:playready" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dvb="urn:dvb:dash-extensions:2014-1">
        <Period id="0" start="PT0S">
        <AdaptationSet id="0" contentType="video" segmentAlignment="true" mimeType="video/mp4" maxWidth="854" maxHeight="480" maxFrameRate="30000/1001" startWithSAP="1">
        <SegmentTemplate media="$RepresentationID$/$Number$.m4s" initialization="$RepresentationID$/init.mp4" startNumber="0" timescale="30000">
        <SegmentTimeline>
        <S t="0" d="180180" r="1"/>
        <S d="60060"/>
        </SegmentTimeline>
        </SegmentTemplate>
        <Representation id="480p" bandwidth="1800000" width="854" height="480" sar="1:1" frameRate="30000/1001" codecs="avc1.64001f"/>
        <Representation id="240p" bandwidth="400000" width="426" height="240" sar="1:1" frameRate="30000/1001" codecs="avc1.640015"/>
        </AdaptationSet>
        <AdaptationSet id="1" contentType="audio" lang="de" segmentAlignment="true" mimeType="audio/mp4" startWithSAP="1">
        <Label>German</Label>
        <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
        <SegmentTemplate media="$RepresentationID$/$Number$.m4s" initialization="$RepresentationID$/init.mp4" startNumber="0" timescale="48000">
        <SegmentTimeline>
        <S t="0" d="288768"/>
        <S d="287744"/>
        <S d="96256"/>
        </SegmentTimeline>
        </SegmentTemplate>
        <Representation id="audio-de" bandwidth="128000" audioSamplingRate="48000" codecs="mp4a.40.2">
        <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
        </Representation>
        </AdaptationSet>
        <AdaptationSet id="2" contentType="audio" lang="en" segmentAlignment="true" mimeType="audio/mp4" startWithSAP="1">
        <Label>Director's "cut" &amp; more</Label>
        <Role schemeIdUri="urn:mpeg:dash:role:2011" value="alternate"/>
        <SegmentTemplate media="$RepresentationID$/$Number$.m4s" initialization="$RepresentationID$/init.mp4" startNumber="0" timescale="48000">
        <SegmentTimeline>
        <S t="0" d="288768"/>
        <S d="287744"/>
        <S d="96256"/>
        </SegmentTimeline>
        </SegmentTemplate>
        <Representation id="audio-en" bandwidth="128000" audioSamplingRate="48000" codecs="mp4a.40.2">
        <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
        </Representation>
        </AdaptationSet>
        <AdaptationSet id="3" contentType="text" lang="en" mimeType="text/vtt">
        <Label>English</Label>
        <Role schemeIdUri="urn:mpeg:dash:role:2011" value="caption"/>
        <Representation id="captions/en" bandwidth="200">
        <BaseURL>captions/en.vtt</BaseURL>
        </Representation>
        </AdaptationSet>
        </Period>
        </MPD>
        "#);
    }

    #[test]
    fn after_encoding_it_has_the_measured_rates() {
        let plan = film();
        let text = manifest(&plan, Some(&measured(&plan)), &three());
        let bandwidths: Vec<&str> =
            text.split("bandwidth=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(bandwidths, ["1332002", "399601", "127660", "127660", "200"]);
    }

    #[test]
    fn sound_alone_needs_no_picture() {
        insta::assert_snapshot!(lines(&manifest(&sound_alone(), None, &[])), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" mediaPresentationDuration="PT14.016S" minBufferTime="PT2S" maxSegmentDuration="PT5.994667S" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cenc="urn:mpeg:cenc:2013" xmlns:mspr="urn:microsoft:playready" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dvb="urn:dvb:dash-extensions:2014-1">
        <Period id="0" start="PT0S">
        <AdaptationSet id="0" contentType="audio" lang="de" segmentAlignment="true" mimeType="audio/mp4" startWithSAP="1">
        <Label>German</Label>
        <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
        <SegmentTemplate media="$RepresentationID$/$Number$.m4s" initialization="$RepresentationID$/init.mp4" startNumber="0" timescale="48000">
        <SegmentTimeline>
        <S t="0" d="287744" r="1"/>
        <S d="97280"/>
        </SegmentTimeline>
        </SegmentTemplate>
        <Representation id="audio-de" bandwidth="128000" audioSamplingRate="48000" codecs="mp4a.40.2">
        <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
        </Representation>
        </AdaptationSet>
        <AdaptationSet id="1" contentType="audio" lang="en" segmentAlignment="true" mimeType="audio/mp4" startWithSAP="1">
        <Label>Director's "cut" &amp; more</Label>
        <Role schemeIdUri="urn:mpeg:dash:role:2011" value="alternate"/>
        <SegmentTemplate media="$RepresentationID$/$Number$.m4s" initialization="$RepresentationID$/init.mp4" startNumber="0" timescale="48000">
        <SegmentTimeline>
        <S t="0" d="287744" r="1"/>
        <S d="97280"/>
        </SegmentTimeline>
        </SegmentTemplate>
        <Representation id="audio-en" bandwidth="128000" audioSamplingRate="48000" codecs="mp4a.40.2">
        <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
        </Representation>
        </AdaptationSet>
        </Period>
        </MPD>
        "#);
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let text = manifest(&film(), None, &three());
        let mut reader = Reader::from_str(&text);
        let (mut duration, mut sets) = (None, 0);
        loop {
            match reader.read_event().unwrap() {
                Event::Start(tag) if tag.name().as_ref() == "MPD" => {
                    let attribute = tag.try_get_attribute("mediaPresentationDuration").unwrap().unwrap();
                    duration = Some(attribute.value.into_owned());
                }
                Event::Start(tag) if tag.name().as_ref() == "AdaptationSet" => sets += 1,
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(sets, 4);
        assert_eq!(duration.unwrap(), "PT14.014S");
    }
}
