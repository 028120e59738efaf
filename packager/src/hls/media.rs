//! Media playlists, which list segments: of pictures, sound and text, and of key frames.

use std::time::Duration;

use m3u8_rs::{ByteRange, Map, MediaPlaylist, MediaPlaylistType, MediaSegment};

use super::{VERSION, written};
use crate::{
    cuts::Cuts,
    measure::{FragmentFacts, Measured},
    plan::{Plan, Rung},
};

/// Returns the media playlist of an audio rendition of the plan, or else of a video rendition: complete
/// from the plan alone.
pub fn media(plan: &Plan, rendition: &str) -> String {
    let audio = plan.audio.iter().find(|audio| audio.name == rendition);
    let cuts = audio.map_or_else(|| Cuts::of_grid(&plan.grid), |audio| Cuts::of_audio(&plan.grid, audio));
    vod(&MediaPlaylist { segments: mapped(segments(&cuts, "m4s")), ..whole(&cuts) })
}

/// Returns the playlist of one rung's key frames for trick play: byte ranges into its segments.
pub fn iframes(plan: &Plan, rung: &Rung, measured: &Measured) -> String {
    debug_assert_eq!(rung.name, measured.name);
    let (cuts, fragments) = key_frames(plan, measured);
    let segments = fragments
        .iter()
        // RFC 8216 §4.3.3.6: a key frame lasts until the next one, however many frames lie between.
        .zip(cuts.lengths())
        .map(|((segment, fragment), length)| MediaSegment {
            uri: format!("{segment}.m4s"),
            duration: seconds(length),
            byte_range: Some(ByteRange {
                length: fragment.first_sample_bytes,
                offset: Some(fragment.offset),
            }),
            ..MediaSegment::default()
        })
        .collect();
    vod(&MediaPlaylist { segments: mapped(segments), i_frames_only: true, ..whole(&cuts) })
}

/// Returns the media playlist of any caption track, cut as the picture is.
pub fn text(plan: &Plan) -> String {
    let cuts = Cuts::of_grid(&plan.grid);
    vod(&MediaPlaylist { segments: segments(&cuts, "vtt"), ..whole(&cuts) })
}

/// Returns every key frame's segment and fragment, and how long each stands until the next.
pub(super) fn key_frames<'a>(plan: &Plan, measured: &'a Measured) -> (Cuts, Vec<(usize, &'a FragmentFacts)>) {
    let gop_ticks =
        plan.video.as_ref().map_or(0, |video| u64::from(video.gop_frames) * u64::from(video.frame_ticks));
    let cuts = Cuts::of_key_frames(&plan.grid, gop_ticks);
    let segments = measured.segments.iter().enumerate();
    let fragments = segments.flat_map(|(n, segment)| segment.fragments.iter().map(move |f| (n, f)));
    (cuts, fragments.collect())
}

fn segments(cuts: &Cuts, extension: &str) -> Vec<MediaSegment> {
    let lengths = cuts.lengths().enumerate();
    lengths
        .map(|(n, length)| MediaSegment {
            uri: format!("{n}.{extension}"),
            duration: seconds(length),
            ..MediaSegment::default()
        })
        .collect()
}

/// m3u8-rs keeps single precision, which below 8 s distinguishes every microsecond and is written in the
/// fewest digits that do.
fn seconds(length: Duration) -> f32 {
    length.as_secs_f64() as f32
}

fn mapped(mut segments: Vec<MediaSegment>) -> Vec<MediaSegment> {
    // RFC 8216 §4.3.2.5: a map counts for all segments behind it.
    if let Some(first) = segments.first_mut() {
        first.map = Some(Map { uri: "init.mp4".to_owned(), ..Map::default() });
    }
    segments
}

/// Returns a playlist that is complete but for its segments.
fn whole(cuts: &Cuts) -> MediaPlaylist {
    MediaPlaylist {
        version: Some(VERSION),
        target_duration: cuts.target_seconds(),
        playlist_type: Some(MediaPlaylistType::Vod),
        end_list: true,
        ..MediaPlaylist::default()
    }
}

fn vod(playlist: &MediaPlaylist) -> String {
    written(|text| playlist.write_to(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{film, film_that_starts_short, measured};

    #[test]
    fn media_playlists_are_whole_from_the_plan_alone() {
        insta::assert_snapshot!(media(&film(), "480p"), @r#"
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-TARGETDURATION:6
        #EXT-X-PLAYLIST-TYPE:VOD
        #EXT-X-MAP:URI="init.mp4"
        #EXTINF:6.006,
        0.m4s
        #EXTINF:6.006,
        1.m4s
        #EXTINF:2.002,
        2.m4s
        #EXT-X-ENDLIST
        "#);
    }

    #[test]
    fn the_first_six_seconds_are_three_segments() {
        insta::assert_snapshot!(media(&film_that_starts_short(), "480p"), @r#"
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-TARGETDURATION:6
        #EXT-X-PLAYLIST-TYPE:VOD
        #EXT-X-MAP:URI="init.mp4"
        #EXTINF:2.002,
        0.m4s
        #EXTINF:2.002,
        1.m4s
        #EXTINF:2.002,
        2.m4s
        #EXTINF:6.006,
        3.m4s
        #EXTINF:2.002,
        4.m4s
        #EXT-X-ENDLIST
        "#);
    }

    #[test]
    fn sound_is_cut_at_the_frames_nearest_to_the_pictures() {
        insta::assert_snapshot!(media(&film(), "audio-de"), @r#"
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-TARGETDURATION:6
        #EXT-X-PLAYLIST-TYPE:VOD
        #EXT-X-MAP:URI="init.mp4"
        #EXTINF:6.016,
        0.m4s
        #EXTINF:5.994667,
        1.m4s
        #EXTINF:2.005333,
        2.m4s
        #EXT-X-ENDLIST
        "#);
    }

    #[test]
    fn text_is_cut_as_the_picture_is() {
        insta::assert_snapshot!(text(&film()), @r#"
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-TARGETDURATION:6
        #EXT-X-PLAYLIST-TYPE:VOD
        #EXTINF:6.006,
        0.vtt
        #EXTINF:6.006,
        1.vtt
        #EXTINF:2.002,
        2.vtt
        #EXT-X-ENDLIST
        "#);
    }

    #[test]
    fn key_frames_are_byte_ranges_of_segments() {
        let plan = film();
        let rung = &plan.video.as_ref().unwrap().rungs[0];
        insta::assert_snapshot!(iframes(&plan, rung, &measured(&plan)[0]), @r#"
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-TARGETDURATION:2
        #EXT-X-PLAYLIST-TYPE:VOD
        #EXT-X-I-FRAMES-ONLY
        #EXT-X-MAP:URI="init.mp4"
        #EXT-X-BYTERANGE:166666@0
        #EXTINF:2.002,
        0.m4s
        #EXT-X-BYTERANGE:166666@333333
        #EXTINF:2.002,
        0.m4s
        #EXT-X-BYTERANGE:166666@666666
        #EXTINF:2.002,
        0.m4s
        #EXT-X-BYTERANGE:83333@0
        #EXTINF:2.002,
        1.m4s
        #EXT-X-BYTERANGE:83333@166666
        #EXTINF:2.002,
        1.m4s
        #EXT-X-BYTERANGE:83333@333333
        #EXTINF:2.002,
        1.m4s
        #EXT-X-BYTERANGE:83333@0
        #EXTINF:2.002,
        2.m4s
        #EXT-X-ENDLIST
        "#);
    }

    #[test]
    fn every_length_survives_single_precision() {
        for microseconds in (1..8_000_000).step_by(997) {
            let length = Duration::from_micros(microseconds);
            let written: f64 = seconds(length).to_string().parse().unwrap();
            assert_eq!((written * 1e6).round() as u64, microseconds);
        }
    }
}
