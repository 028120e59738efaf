//! HLS playlists (RFC 8216bis, Apple's HLS authoring specification): plan in, text out.
//! Knows no disk and no URLs but those relative to the video's folder.

mod media;

use std::cmp::Reverse;

use m3u8_rs::{
    AlternativeMedia, AlternativeMediaType, ClosedCaptionGroupId, MasterPlaylist, QuotedOrUnquoted,
    Resolution, VariantStream,
};

use crate::{
    facts::Purpose,
    measure::Measured,
    plan::{AudioPlan, Plan, Rung},
    rates::{Rates, audio_codec, find, video_codec},
    subtitles::Subtitle,
};

pub use media::{iframes, media, text};

/// RFC 8216 §7 asks 6 of `EXT-X-MAP`; Apple's tools write 7 for fragmented MP4, and so do we.
const VERSION: usize = 7;
/// The variant to start on is the best one below this: most lines carry it, and it looks decent.
const START_BPS: u64 = 2_200_000;

/// Sound that describes the picture, for viewers who do not see it.
const DESCRIBES_VIDEO: &str = "public.accessibility.describes-video";

const AUDIO_GROUP: &str = "audio";
const TEXT_GROUP: &str = "captions";

/// Returns the multivariant playlist: with the plan's caps as rates before encoding, with what was
/// measured and with I-frame playlists after; with the captions that there are.
pub fn master(plan: &Plan, measured: Option<&[Measured]>, subtitles: &[Subtitle]) -> String {
    let measured = measured.unwrap_or_default();
    let rungs = || plan.video.iter().flat_map(|video| &video.rungs);
    let mut variants: Vec<VariantStream> = match plan.video {
        Some(_) => rungs().map(|rung| picture(plan, rung, measured)).collect(),
        None => sound(plan, measured).into_iter().collect(),
    };
    // Players start on the first; the others stay in the ladder's order. Until all is there, it is what there is first.
    let start_up = plan
        .video
        .as_ref()
        .filter(|_| measured.is_empty())
        .and_then(|video| video.rungs.iter().position(|rung| video.begins_on(rung)));
    if let Some(start) = start_up.or_else(|| start(variants.iter().map(|variant| variant.bandwidth))) {
        variants[..=start].rotate_right(1);
    }
    for variant in &mut variants {
        variant.subtitles = (!subtitles.is_empty()).then(|| TEXT_GROUP.to_owned());
    }
    variants.extend(rungs().filter_map(|rung| trick_play(plan, rung, find(measured, &rung.name)?)));

    let master = MasterPlaylist {
        version: Some(VERSION),
        // Segments begin with an IDR frame and groups are closed, so players may start and switch at any (RFC 8216
        // §4.3.5.1).
        independent_segments: true,
        alternatives: sounds(plan).chain(texts(subtitles)).collect(),
        variants,
        ..MasterPlaylist::default()
    };
    written(|text| master.write_to(text))
}

/// Returns the place of the best variant under the starting rate, else of the least one.
fn start(bandwidths: impl Iterator<Item = u64> + Clone) -> Option<usize> {
    let places = bandwidths.enumerate();
    let fits = places.clone().filter(|(_, bandwidth)| *bandwidth <= START_BPS);
    let best = fits.max_by_key(|(place, bandwidth)| (*bandwidth, Reverse(*place)));
    let least = places.min_by_key(|(_, bandwidth)| *bandwidth);
    best.or(least).map(|(place, _)| place)
}

fn picture(plan: &Plan, rung: &Rung, measured: &[Measured]) -> VariantStream {
    let rates = Rates::of_variant(plan, rung, measured);
    let mut codecs = video_codec(rung, measured);
    // One variant serves every sound of the group, and all of them are AAC-LC.
    if let Some(audio) = plan.audio.first() {
        codecs = format!("{codecs},{}", audio_codec(audio, measured));
    }
    let fps = plan.video.as_ref().map(|video| video.frame_rate.fps());
    VariantStream {
        uri: format!("{}/media.m3u8", rung.name),
        bandwidth: rates.peak_bps,
        average_bandwidth: Some(rates.average_bps),
        codecs: Some(codecs),
        resolution: Some(resolution(rung)),
        // RFC 8216 §4.3.4.2: three decimals.
        frame_rate: fps.map(|fps| (fps * 1000.0).round() / 1000.0),
        audio: (!plan.audio.is_empty()).then(|| AUDIO_GROUP.to_owned()),
        // RFC 8216 §4.3.4.2: without NONE, players may offer captions in the picture, out of which encoders take
        // them.
        closed_captions: Some(ClosedCaptionGroupId::None),
        ..VariantStream::default()
    }
}

/// Returns the one variant of a presentation without a picture; its group holds the other languages.
fn sound(plan: &Plan, measured: &[Measured]) -> Option<VariantStream> {
    let first = plan.audio.first()?;
    let all = plan.audio.iter().map(|audio| Rates::of_audio(plan, audio, measured));
    let rates = all.reduce(Rates::worse)?;
    Some(VariantStream {
        uri: format!("{}/media.m3u8", first.name),
        bandwidth: rates.peak_bps,
        average_bandwidth: Some(rates.average_bps),
        codecs: Some(audio_codec(first, measured)),
        audio: Some(AUDIO_GROUP.to_owned()),
        ..VariantStream::default()
    })
}

fn trick_play(plan: &Plan, rung: &Rung, measured: &Measured) -> Option<VariantStream> {
    let (cuts, fragments) = media::key_frames(plan, measured);
    if fragments.is_empty() {
        return None;
    }
    let rates = Rates::of(&cuts, |n| fragments.get(n).map_or(0, |(_, fragment)| fragment.first_sample_bytes));
    Some(VariantStream {
        is_i_frame: true,
        uri: format!("{}/iframes.m3u8", rung.name),
        bandwidth: rates.peak_bps,
        average_bandwidth: Some(rates.average_bps),
        codecs: Some(measured.codecs.clone()),
        resolution: Some(resolution(rung)),
        ..VariantStream::default()
    })
}

fn sounds(plan: &Plan) -> impl Iterator<Item = AlternativeMedia> {
    let need = |audio: &AudioPlan| (audio.language.clone(), audio.purpose);
    plan.audio.iter().enumerate().map(move |(place, audio)| AlternativeMedia {
        media_type: AlternativeMediaType::Audio,
        uri: Some(format!("{}/media.m3u8", audio.name)),
        group_id: AUDIO_GROUP.to_owned(),
        // Apple's rules ask it of every rendition of sound; ISO 639-2 has a tag for the unknown.
        language: Some(audio.language.clone().unwrap_or_else(|| "und".to_owned())),
        name: quotable(&audio.label),
        default: place == 0,
        // RFC 8216 §4.3.4.1.1: players pick by language and need by themselves, people the second of a language, and
        // commentaries.
        autoselect: plan.audio[..place].iter().all(|other| need(other) != need(audio))
            && (audio.purpose != Purpose::Commentary || place == 0),
        characteristics: (audio.purpose == Purpose::Description).then(|| DESCRIBES_VIDEO.to_owned()),
        channels: Some("2".to_owned()),
        ..AlternativeMedia::default()
    })
}

fn texts(subtitles: &[Subtitle]) -> impl Iterator<Item = AlternativeMedia> {
    // A player that selects by language and need finds one of each: those for people who do not hear are sought
    // by their characteristics.
    let need = |text: &Subtitle| (text.language.clone(), text.describes_sounds, text.forced);
    subtitles.iter().enumerate().map(move |(place, text)| AlternativeMedia {
        media_type: AlternativeMediaType::Subtitles,
        uri: Some(format!("{}/media.m3u8", text.name)),
        group_id: TEXT_GROUP.to_owned(),
        language: Some(text.language.clone()),
        name: quotable(&text.label),
        autoselect: subtitles[..place].iter().all(|other| need(other) != need(text)),
        // RFC 8216 §4.3.4.1: a player shows the forced track of the sound's language by itself.
        forced: text.forced,
        characteristics: text.characteristics(),
        // The crate writes DEFAULT only when it is YES; some players take the first track for the default without it.
        other_attributes: Some([("DEFAULT".to_owned(), QuotedOrUnquoted::Unquoted("NO".to_owned()))].into()),
        ..AlternativeMedia::default()
    })
}

/// Returns text that a quoted string may hold (RFC 8216 §4.2); m3u8-rs writes what it gets.
fn quotable(label: &str) -> String {
    label.replace('"', "'").replace(['\r', '\n'], " ")
}

fn resolution(rung: &Rung) -> Resolution {
    Resolution { width: u64::from(rung.width), height: u64::from(rung.height) }
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut text = Vec::new();
    write(&mut text).expect("a vector takes every byte");
    String::from_utf8(text).expect("playlists are made of strings")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::tests::{film, measured, sound_alone},
        subtitles::tests::three,
    };

    #[test]
    fn before_encoding_the_multivariant_playlist_has_the_caps() {
        insta::assert_snapshot!(master(&film(), None, &three()), @r#"
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-MEDIA:TYPE=AUDIO,URI="audio-de/media.m3u8",GROUP-ID="audio",LANGUAGE="de",NAME="German",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2"
        #EXT-X-MEDIA:TYPE=AUDIO,URI="audio-en/media.m3u8",GROUP-ID="audio",LANGUAGE="en",NAME="Director's 'cut' & more",AUTOSELECT=YES,CHANNELS="2"
        #EXT-X-MEDIA:TYPE=SUBTITLES,URI="captions/en/media.m3u8",GROUP-ID="captions",LANGUAGE="en",NAME="English",AUTOSELECT=YES,CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound",DEFAULT=NO
        #EXT-X-MEDIA:TYPE=SUBTITLES,URI="captions/en-2/media.m3u8",GROUP-ID="captions",LANGUAGE="en",NAME="English (automatic)",AUTOSELECT=YES,CHARACTERISTICS="public.machine-generated",DEFAULT=NO
        #EXT-X-STREAM-INF:BANDWIDTH=1928000,AVERAGE-BANDWIDTH=1388000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=854x480,FRAME-RATE=29.97,AUDIO="audio",SUBTITLES="captions",CLOSED-CAPTIONS=NONE
        480p/media.m3u8
        #EXT-X-STREAM-INF:BANDWIDTH=528000,AVERAGE-BANDWIDTH=408000,CODECS="avc1.640015,mp4a.40.2",RESOLUTION=426x240,FRAME-RATE=29.97,AUDIO="audio",SUBTITLES="captions",CLOSED-CAPTIONS=NONE
        240p/media.m3u8
        "#);
    }

    #[test]
    fn it_lists_what_players_begin_on_and_then_what_they_can_live_on() {
        let plan = film();
        let names = |listed: &[&str]| {
            let shown = plan.listing(|name| listed.contains(&name));
            let text = master(&shown, None, &[]);
            let folder = |line: &str| line.rsplit_once("/media.m3u8").map(|(folder, _)| folder.to_owned());
            text.lines()
                .filter_map(|line| folder(line.rsplit_once("URI=\"").map_or(line, |(_, uri)| uri)))
                .collect::<Vec<_>>()
        };
        let start_up: Vec<&str> = plan.start_up().collect();
        assert_eq!(start_up, ["480p", "audio-de"]);
        assert_eq!(names(&start_up), ["audio-de", "480p"]);
        assert_eq!(names(&["480p", "240p", "audio-de"]), ["audio-de", "480p", "240p"]);
        assert_eq!(
            names(&["480p", "240p", "audio-de", "audio-en"]),
            ["audio-de", "audio-en", "480p", "240p"]
        );
    }

    #[test]
    fn after_encoding_it_has_the_measured_rates() {
        let plan = film();
        insta::assert_snapshot!(master(&plan, Some(&measured(&plan)), &[]), @r#"
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-MEDIA:TYPE=AUDIO,URI="audio-de/media.m3u8",GROUP-ID="audio",LANGUAGE="de",NAME="German",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2"
        #EXT-X-MEDIA:TYPE=AUDIO,URI="audio-en/media.m3u8",GROUP-ID="audio",LANGUAGE="en",NAME="Director's 'cut' & more",AUTOSELECT=YES,CHANNELS="2"
        #EXT-X-STREAM-INF:BANDWIDTH=1459874,AVERAGE-BANDWIDTH=1251321,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=854x480,FRAME-RATE=29.97,AUDIO="audio",CLOSED-CAPTIONS=NONE
        480p/media.m3u8
        #EXT-X-STREAM-INF:BANDWIDTH=527473,AVERAGE-BANDWIDTH=452120,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=426x240,FRAME-RATE=29.97,AUDIO="audio",CLOSED-CAPTIONS=NONE
        240p/media.m3u8
        #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=665999,AVERAGE-BANDWIDTH=475713,CODECS="avc1.64001f",RESOLUTION=854x480,URI="480p/iframes.m3u8"
        #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=199801,AVERAGE-BANDWIDTH=142715,CODECS="avc1.64001f",RESOLUTION=426x240,URI="240p/iframes.m3u8"
        "#);
    }

    #[test]
    fn sound_alone_is_one_variant() {
        insta::assert_snapshot!(master(&sound_alone(), None, &three()[..1]), @r#"
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-MEDIA:TYPE=AUDIO,URI="audio-de/media.m3u8",GROUP-ID="audio",LANGUAGE="de",NAME="German",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2"
        #EXT-X-MEDIA:TYPE=AUDIO,URI="audio-en/media.m3u8",GROUP-ID="audio",LANGUAGE="en",NAME="Director's 'cut' & more",AUTOSELECT=YES,CHANNELS="2"
        #EXT-X-MEDIA:TYPE=SUBTITLES,URI="captions/en/media.m3u8",GROUP-ID="captions",LANGUAGE="en",NAME="English",AUTOSELECT=YES,CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound",DEFAULT=NO
        #EXT-X-STREAM-INF:BANDWIDTH=128000,AVERAGE-BANDWIDTH=128000,CODECS="mp4a.40.2",AUDIO="audio",SUBTITLES="captions"
        audio-de/media.m3u8
        "#);
    }

    #[test]
    fn a_picture_without_sound_has_no_audio_group() {
        let mut plan = film();
        plan.audio = Vec::new();
        insta::assert_snapshot!(master(&plan, None, &[]), @r#"
        #EXTM3U
        #EXT-X-VERSION:7
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-STREAM-INF:BANDWIDTH=1800000,AVERAGE-BANDWIDTH=1260000,CODECS="avc1.64001f",RESOLUTION=854x480,FRAME-RATE=29.97,CLOSED-CAPTIONS=NONE
        480p/media.m3u8
        #EXT-X-STREAM-INF:BANDWIDTH=400000,AVERAGE-BANDWIDTH=280000,CODECS="avc1.640015",RESOLUTION=426x240,FRAME-RATE=29.97,CLOSED-CAPTIONS=NONE
        240p/media.m3u8
        "#);
    }

    #[test]
    fn sound_of_no_known_language_is_undetermined() {
        let mut plan = sound_alone();
        for audio in &mut plan.audio {
            audio.language = None;
        }
        let playlist = master(&plan, None, &[]);
        let sounds = playlist.lines().filter(|line| line.contains("TYPE=AUDIO"));
        assert_eq!(sounds.filter(|line| line.contains(",LANGUAGE=\"und\",")).count(), 2, "{playlist}");
    }

    #[test]
    fn a_description_is_found_by_its_need_and_a_commentary_by_people() {
        let mut plan = film();
        plan.audio = [Purpose::Main, Purpose::Description, Purpose::Commentary]
            .map(|purpose| AudioPlan { purpose, ..plan.audio[0].clone() })
            .to_vec();
        let playlist = master(&plan, None, &[]);
        let sounds: Vec<&str> = playlist.lines().filter(|line| line.contains("TYPE=AUDIO")).collect();
        let has = |words: &str| sounds.iter().map(|line| line.contains(words)).collect::<Vec<bool>>();
        assert_eq!(has("DEFAULT=YES"), [true, false, false]);
        assert_eq!(has("AUTOSELECT=YES"), [true, true, false]);
        assert_eq!(has("CHARACTERISTICS=\"public.accessibility.describes-video\""), [false, true, false]);
    }

    #[test]
    fn a_forced_track_is_selected_by_players_beside_the_whole_one() {
        let [person, _] = three().try_into().unwrap();
        let forced = Subtitle {
            name: "captions/en-3".into(),
            label: "Signs".into(),
            forced: true,
            describes_sounds: false,
            ..person.clone()
        };
        let text = master(&film(), None, &[person, forced]);
        let line = text.lines().find(|line| line.contains("Signs")).unwrap();
        assert!(line.contains("AUTOSELECT=YES,FORCED=YES") && line.ends_with("DEFAULT=NO"), "{line}");
        assert_eq!(text.matches("FORCED=YES").count(), 1, "{text}");
    }

    #[test]
    fn players_start_near_two_megabits() {
        let check = |bandwidths: &[u64], place: usize| {
            assert_eq!(start(bandwidths.iter().copied()), Some(place), "{bandwidths:?}");
        };
        check(&[5_100_000, 2_900_000, 1_900_000, 900_000], 2);
        check(&[2_200_000, 900_000], 0);
        check(&[5_000_000, 3_000_000], 1);
        check(&[400_000], 0);
    }
}
