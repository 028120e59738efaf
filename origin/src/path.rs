//! Every playback URL: its meaning, its media type and its freshness. Pure. A path is canonical or it is nothing: no
//! dots, no percent signs, no leading zeros.

use store::VideoId;

/// A playback URL, decoded: `/v/{video}/{file}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The video.
    pub video: VideoId,
    /// The file below it.
    pub file: File,
}

/// The files of a video, each with its URL below `/v/{video}/`. A `{rendition}` is a name such as `720p` or `audio-de`, or
/// `captions/` and a BCP 47 tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// `master.m3u8`: the multivariant playlist of HLS.
    Master,
    /// `ladder.m3u8`: the same of all that is planned, while some of it is no good to live on yet.
    Ladder,
    /// `manifest.mpd`: the MPD of DASH.
    Manifest,
    /// `poster.jpg`: the picture that stands for the video.
    Poster,
    /// `poster-640.jpg`: the same, at most 640 pixels wide, as lists show it.
    SmallPoster,
    /// `{rendition}/media.m3u8`: the HLS playlist of a rendition.
    Media(String),
    /// `{rendition}/iframes.m3u8`: the HLS playlist of a rendition's key frames.
    IFrames(String),
    /// `{rendition}/init.mp4`: the boxes that a decoder needs before the first segment.
    Init(String),
    /// `{rendition}/{number}.m4s`: a segment of pictures or sound.
    Segment {
        /// The rendition.
        rendition: String,
        /// From 0.
        number: u32,
    },
    /// `captions/{language}/{number}.vtt`: a segment of captions.
    CueSegment {
        /// The rendition.
        rendition: String,
        /// From 0.
        number: u32,
    },
    /// `captions/{language}.{vtt,srt,txt,json}`: all captions of a language.
    Captions {
        /// BCP 47.
        language: String,
        /// The format of the file.
        format: Format,
    },
}

/// A caption file's format, by its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `WebVTT`.
    Vtt,
    /// `SubRip`.
    Srt,
    /// Words alone.
    Text,
    /// With times of words.
    Json,
}

impl Path {
    /// Decodes the path of a URI, such as `/v/{video}/720p/3.m4s`.
    pub fn decode(path: &str) -> Option<Self> {
        let (video, tail) = path.strip_prefix("/v/")?.split_once('/')?;
        Some(Self { video: video.parse().ok()?, file: File::decode(tail)? })
    }

    /// Returns the path that decodes to this.
    pub fn encode(&self) -> String {
        format!("/v/{}/{}", self.video, self.file.tail())
    }

    /// Returns the key of the blob that answers it: blobs lie as the URLs do.
    pub fn key(&self) -> String {
        format!("{}/{}", self.video.folder(), self.file.tail())
    }
}

impl File {
    fn decode(tail: &str) -> Option<Self> {
        match tail {
            "master.m3u8" => return Some(Self::Master),
            "ladder.m3u8" => return Some(Self::Ladder),
            "manifest.mpd" => return Some(Self::Manifest),
            "poster.jpg" => return Some(Self::Poster),
            "poster-640.jpg" => return Some(Self::SmallPoster),
            _ => {}
        }
        let (folder, name) = tail.rsplit_once('/')?;
        if folder == "captions" {
            let (language, format) = name.split_once('.')?;
            let format = Format::ALL.into_iter().find(|f| f.extension() == format)?;
            return is_name(language).then(|| Self::Captions { language: language.to_owned(), format });
        }
        let language = folder.strip_prefix("captions/");
        if !is_name(language.unwrap_or(folder)) {
            return None;
        }
        let rendition = folder.to_owned();
        Some(match (name.split_once('.')?, language) {
            (("media", "m3u8"), _) => Self::Media(rendition),
            (("iframes", "m3u8"), None) => Self::IFrames(rendition),
            (("init", "mp4"), None) => Self::Init(rendition),
            ((n, "m4s"), None) => Self::Segment { rendition, number: number(n)? },
            ((n, "vtt"), Some(_)) => Self::CueSegment { rendition, number: number(n)? },
            _ => return None,
        })
    }

    fn tail(&self) -> String {
        match self {
            Self::Master => "master.m3u8".to_owned(),
            Self::Ladder => "ladder.m3u8".to_owned(),
            Self::Manifest => "manifest.mpd".to_owned(),
            Self::Poster => "poster.jpg".to_owned(),
            Self::SmallPoster => "poster-640.jpg".to_owned(),
            Self::Media(rendition) => format!("{rendition}/media.m3u8"),
            Self::IFrames(rendition) => format!("{rendition}/iframes.m3u8"),
            Self::Init(rendition) => format!("{rendition}/init.mp4"),
            Self::Segment { rendition, number } => format!("{rendition}/{number}.m4s"),
            Self::CueSegment { rendition, number } => format!("{rendition}/{number}.vtt"),
            Self::Captions { language, format } => format!("captions/{language}.{}", format.extension()),
        }
    }

    /// Returns the MIME type.
    pub fn content_type(&self) -> &'static str {
        match self {
            // RFC 8216 §4: players go by this type where they do not go by the extension.
            Self::Master | Self::Ladder | Self::Media(_) | Self::IFrames(_) => {
                "application/vnd.apple.mpegurl"
            }
            // ISO/IEC 23009-1, annex C, registers this type.
            Self::Manifest => "application/dash+xml",
            // Audio renditions are called so; video/iso.segment, though registered, is unknown to Safari.
            Self::Init(rendition) | Self::Segment { rendition, .. } => {
                if rendition == "audio" || rendition.starts_with("audio-") {
                    "audio/mp4"
                } else {
                    "video/mp4"
                }
            }
            Self::Poster | Self::SmallPoster => "image/jpeg",
            Self::CueSegment { .. } | Self::Captions { format: Format::Vtt, .. } => "text/vtt; charset=utf-8",
            Self::Captions { format: Format::Srt, .. } => "application/x-subrip; charset=utf-8",
            Self::Captions { format: Format::Text, .. } => "text/plain; charset=utf-8",
            Self::Captions { format: Format::Json, .. } => "application/json",
        }
    }

    /// Returns its `Cache-Control`: which caches may store it, and how long it is fresh.
    pub fn cache_control(&self) -> &'static str {
        match self {
            // Once published, a segment never changes.
            // `immutable` (RFC 8246) spares the conditional requests that browsers send on a reload.
            Self::Init(_) | Self::Segment { .. } => "public, max-age=31536000, immutable",
            // Another choice has another address (`?v=`), so the minute bounds the picture's way to whoever kept the
            // old one.
            Self::Poster | Self::SmallPoster => "public, max-age=60",
            // Playlists are written again when renditions join and when rates are measured; subtitles when
            // somebody corrects them.
            _ => "public, max-age=2",
        }
    }

    /// Returns whether it is text, which is worth compressing.
    pub fn is_text(&self) -> bool {
        !matches!(self, Self::Init(_) | Self::Segment { .. } | Self::Poster | Self::SmallPoster)
    }
}

impl Format {
    pub(crate) const ALL: [Self; 4] = [Self::Vtt, Self::Srt, Self::Text, Self::Json];

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Vtt => "vtt",
            Self::Srt => "srt",
            Self::Text => "txt",
            Self::Json => "json",
        }
    }
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        // A rendition of that name would read like the folder of the tracks.
        && text != "captions"
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Reads a number in its only spelling, so that one segment has one URL.
fn number(text: &str) -> Option<u32> {
    let number = text.parse::<u32>().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "0123456789abcdef";

    fn decode(tail: &str) -> Option<File> {
        Path::decode(&format!("/v/{ID}/{tail}")).map(|path| path.file)
    }

    #[test]
    fn every_url_has_its_meaning_its_type_and_its_age() {
        let short = "public, max-age=2";
        let ever = "public, max-age=31536000, immutable";
        let own = str::to_owned;
        let m3u8 = "application/vnd.apple.mpegurl";
        let vtt = "text/vtt; charset=utf-8";
        for (tail, file, content_type, cache) in [
            ("master.m3u8", File::Master, m3u8, short),
            ("ladder.m3u8", File::Ladder, m3u8, short),
            ("manifest.mpd", File::Manifest, "application/dash+xml", short),
            ("720p/media.m3u8", File::Media(own("720p")), m3u8, short),
            ("720p/iframes.m3u8", File::IFrames(own("720p")), m3u8, short),
            ("720p/init.mp4", File::Init(own("720p")), "video/mp4", ever),
            ("720p/0.m4s", File::Segment { rendition: own("720p"), number: 0 }, "video/mp4", ever),
            ("audio/31.m4s", File::Segment { rendition: own("audio"), number: 31 }, "audio/mp4", ever),
            ("audio-de/init.mp4", File::Init(own("audio-de")), "audio/mp4", ever),
            ("captions/pt-BR/media.m3u8", File::Media(own("captions/pt-BR")), m3u8, short),
            ("captions/en/2.vtt", File::CueSegment { rendition: own("captions/en"), number: 2 }, vtt, short),
            ("captions/en.vtt", File::Captions { language: own("en"), format: Format::Vtt }, vtt, short),
            (
                "captions/en.srt",
                File::Captions { language: own("en"), format: Format::Srt },
                "application/x-subrip; charset=utf-8",
                short,
            ),
            (
                "captions/en.txt",
                File::Captions { language: own("en"), format: Format::Text },
                "text/plain; charset=utf-8",
                short,
            ),
            (
                "captions/en.json",
                File::Captions { language: own("en"), format: Format::Json },
                "application/json",
                short,
            ),
            ("poster.jpg", File::Poster, "image/jpeg", "public, max-age=60"),
            ("poster-640.jpg", File::SmallPoster, "image/jpeg", "public, max-age=60"),
        ] {
            let path = Path { video: ID.parse().unwrap(), file: file.clone() };
            assert_eq!(decode(tail), Some(file), "{tail}");
            assert_eq!(path.encode(), format!("/v/{ID}/{tail}"));
            assert_eq!(path.key(), format!("videos/{ID}/{tail}"));
            assert_eq!(
                (path.file.content_type(), path.file.cache_control()),
                (content_type, cache),
                "{tail}"
            );
        }
    }

    #[test]
    fn what_is_not_canonical_is_nothing() {
        for tail in [
            "",
            "/",
            "master.m3u8/",
            "/master.m3u8",
            "master.M3U8",
            "media.m3u8",
            "../master.m3u8",
            "720p/../720p/0.m4s",
            "720p/%30.m4s",
            "720p//0.m4s",
            "720p/00.m4s",
            "720p/01.m4s",
            "720p/+1.m4s",
            "720p/-1.m4s",
            "720p/4294967296.m4s",
            "720p/.m4s",
            "720p/0.vtt",
            "720p/0.mp4",
            "720p/0.m4s.gz",
            "72 0p/0.m4s",
            ".hidden/0.m4s",
            "captions/0.m4s",
            "captions/en/0.m4s",
            "captions/en/init.mp4",
            "captions/captions/0.vtt",
            "captions/en/us/0.vtt",
            "captions/en.exe",
            "storyboard.vtt",
            "storyboard.jpg",
            "poster-320.jpg",
            "captions/.vtt",
            "a/b/0.m4s",
        ] {
            assert_eq!(decode(tail), None, "{tail}");
        }
        for path in ["", "/v", "/v/", "/v/short/master.m3u8", "/V/0123456789abcdef/master.m3u8"] {
            assert_eq!(Path::decode(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_decodes_encodes_to_the_same(tail in "(captions/)?[a-z0-9./%-]{0,12}/?[a-z0-9]{0,8}\\.(m4s|vtt|m3u8|mp4|mpd|jpg)") {
            let path = format!("/v/{ID}/{tail}");
            if let Some(decoded) = Path::decode(&path) {
                prop_assert_eq!(decoded.encode(), path);
            }
        }

        #[test]
        fn no_text_makes_it_panic(path in any::<String>()) {
            Path::decode(&path);
        }
    }
}
