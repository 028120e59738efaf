//! Fragmented MP4: reads ffmpeg's stream into fragments, writes them as the init and media
//! segments that we publish. Leaves the grouping into segments to `segment`.

use bytes::{BufMut, Bytes, BytesMut};
use mp4_atom::{
    Atom, Codec, Decode, Edts, Elst, ElstEntry, Encode, FourCC, Ftyp, Mfhd, Moof, Moov, Tfdt, Tfhd, Traf,
    Trun, TrunEntry,
};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::{Error, Result, measure::FragmentFacts};

// More than two seconds of any rung can take; a box that claims more is a broken stream.
const MAX_BOX_BYTES: u64 = 256 << 20;
const HEADER_BYTES: u64 = 8;

/// A run of samples with consecutive decode times.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fragment {
    /// Decode time of the first sample in ticks; an encoder's priming lies before zero.
    pub(crate) decode_time: i64,
    /// Duration, size, flags and composition offset of each, all set.
    pub(crate) samples: Vec<TrunEntry>,
    /// The samples' bytes, one after the other.
    pub(crate) data: Bytes,
}

/// A part of ffmpeg's output stream.
#[derive(Debug)]
pub(crate) enum Part {
    Init(Box<Moov>),
    Fragment(Fragment),
}

/// Reads one of ffmpeg's outputs.
#[derive(Debug)]
pub(crate) struct Reader<R> {
    input: R,
    moof: Option<Moof>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, moof: None }
    }

    /// Returns the next part, or `None` at a clean end.
    pub(crate) async fn next(&mut self) -> Result<Option<Part>> {
        while let Some((kind, mut body)) = self.read_box().await? {
            if kind == Moov::KIND {
                return Ok(Some(Part::Init(Box::new(Moov::decode_body(&mut body)?))));
            } else if kind == Moof::KIND {
                self.moof = Some(Moof::decode_body(&mut body)?);
            } else if kind == FourCC::new(b"mdat") {
                let moof = self.moof.take().ok_or_else(|| Error::Mp4("mdat without moof".into()))?;
                return Ok(Some(Part::Fragment(Fragment::new(&moof, body)?)));
            }
        }
        if self.moof.is_some() {
            return Err(Error::Mp4("it ends behind a moof".into()));
        }
        Ok(None)
    }

    async fn read_box(&mut self) -> Result<Option<(FourCC, Bytes)>> {
        let mut header = [0; HEADER_BYTES as usize];
        // One byte by itself: an end in front of a box is the stream's own, one within its header breaks it off.
        if self.input.read(&mut header[..1]).await? == 0 {
            return Ok(None);
        }
        self.input.read_exact(&mut header[1..]).await?;
        let [a, b, c, d, kind @ ..] = header;
        let size = u64::from(u32::from_be_bytes([a, b, c, d]));
        // Sizes 0 and 1, to the file's end and in 64 bits (ISO/IEC 14496-12 §4.2), are none that ffmpeg writes to a
        // socket.
        if !(HEADER_BYTES..=MAX_BOX_BYTES).contains(&size) {
            return Err(Error::Mp4(format!("a box of {size} bytes")));
        }
        let mut body = vec![0; (size - HEADER_BYTES) as usize];
        self.input.read_exact(&mut body).await?;
        Ok(Some((FourCC::from(kind), body.into())))
    }
}

impl Fragment {
    fn new(moof: &Moof, data: Bytes) -> Result<Self> {
        let [traf] = moof.traf.as_slice() else {
            return Err(Error::Mp4(format!("{} tracks in a fragment", moof.traf.len())));
        };
        let decode_time = traf.tfdt.as_ref().ok_or_else(|| Error::Mp4("a fragment without tfdt".into()))?;
        let mut samples = Vec::new();
        for entry in traf.trun.iter().flat_map(|run| run.samples.iter()) {
            samples.push(TrunEntry {
                duration: entry.duration.or(traf.tfhd.default_sample_duration),
                size: entry.size.or(traf.tfhd.default_sample_size),
                flags: entry.flags.or(traf.tfhd.default_sample_flags),
                cts: entry.cts,
            });
        }
        let whole = samples.iter().all(|s| s.duration.is_some() && s.size.is_some() && s.flags.is_some());
        let bytes: u64 = samples.iter().filter_map(|s| s.size).map(u64::from).sum();
        if !whole || bytes != data.len() as u64 {
            return Err(Error::Mp4(format!("samples of {bytes} bytes in {}", data.len())));
        }
        // ffmpeg writes times before zero as they are, in two's complement.
        let decode_time = decode_time.base_media_decode_time as i64;
        Ok(Self { decode_time, samples, data })
    }

    /// Appends the fragment as `moof` and `mdat` to `out`. Returns where it lies there, if it starts with a key frame.
    pub(crate) fn write(&self, sequence: u32, out: &mut BytesMut) -> Result<Option<FragmentFacts>> {
        let offset = out.len() as u64;
        let mut moof = Moof {
            mfhd: Mfhd { sequence_number: sequence },
            traf: vec![Traf {
                tfhd: Tfhd { track_id: TRACK, default_base_is_moof: true, ..Tfhd::default() },
                tfdt: Some(Tfdt { base_media_decode_time: self.decode_time.max(0) as u64 }),
                trun: vec![Trun { data_offset: Some(0), samples: self.samples.clone().into() }],
                ..Traf::default()
            }],
        };
        let mut encoded = Vec::new();
        moof.encode(&mut encoded)?;
        // The data's offset counts the `moof` that it stands in; encoded twice, for its length does not depend on the
        // value.
        let data_offset = encoded.len() + HEADER_BYTES as usize;
        moof.traf[0].trun[0].data_offset = Some(data_offset as i32);
        encoded.clear();
        moof.encode(&mut encoded)?;
        out.put_slice(&encoded);
        out.put_u32(self.data.len() as u32 + HEADER_BYTES as u32);
        out.put_slice(b"mdat");
        out.put_slice(&self.data);
        let first = self.samples.first().filter(|first| is_key(first));
        let bytes = |first: &TrunEntry| data_offset as u64 + u64::from(first.size.unwrap_or_default());
        Ok(first.map(|first| FragmentFacts { offset, first_sample_bytes: bytes(first) }))
    }

    /// Joins consecutive fragments, at least one, to a single one.
    pub(crate) fn joined(fragments: &[Self]) -> Self {
        let mut data = BytesMut::with_capacity(fragments.iter().map(|f| f.data.len()).sum());
        for fragment in fragments {
            data.put_slice(&fragment.data);
        }
        Self {
            decode_time: fragments.first().map_or(0, |f| f.decode_time),
            samples: fragments.iter().flat_map(|f| f.samples.iter().copied()).collect(),
            data: data.freeze(),
        }
    }

    /// Returns the decode time behind the last sample, in ticks.
    pub(crate) fn end(&self) -> i64 {
        self.decode_time + self.samples.iter().filter_map(|s| s.duration).map(i64::from).sum::<i64>()
    }
}

// ffmpeg numbers the only track of each output so.
const TRACK: u32 = 1;

/// Writes the init segment. `presentation_start` is the composition time that is shown at zero.
///
/// The edit list (ISO/IEC 14496-12 §8.6.6) lets decode times start at zero although the first picture is
/// shown later than it is decoded, by the frames that the encoder reorders.
pub(crate) fn init(mut moov: Moov, presentation_start: u64) -> Result<Bytes> {
    let ftyp = Ftyp {
        major_brand: FourCC::new(b"iso6"),
        minor_version: 0,
        // `cmfc` is CMAF's brand (ISO/IEC 23000-19 §7.2).
        compatible_brands: vec![FourCC::new(b"iso6"), FourCC::new(b"cmfc"), FourCC::new(b"mp41")],
    };
    let [track] = moov.trak.as_mut_slice() else {
        return Err(Error::Mp4(format!("{} tracks in an output", moov.trak.len())));
    };
    track.edts = (presentation_start > 0).then(|| Edts {
        elst: Some(Elst {
            entries: vec![ElstEntry {
                // Zero lets the edit reach over all fragments, whose length `moov` does not know (ISO/IEC 14496-12
                // §8.6.6.1).
                segment_duration: 0,
                media_time: Some(presentation_start),
                media_rate: 1.into(),
            }],
        }),
    });
    // The encoder's name is in here, which no player reads.
    moov.udta = None;
    let mut out = Vec::new();
    ftyp.encode(&mut out)?;
    moov.encode(&mut out)?;
    Ok(out.into())
}

/// Returns the codec of an init segment as RFC 6381 writes it.
pub(crate) fn codecs(init: &[u8]) -> Result<String> {
    let mut rest = init;
    Ftyp::decode(&mut rest)?;
    let moov = Moov::decode(&mut rest)?;
    let track = moov.trak.first().ok_or_else(|| Error::Mp4("no track".into()))?;
    match track.mdia.minf.stbl.stsd.codecs.first() {
        Some(Codec::Avc1(avc)) => Ok(format!(
            "avc1.{:02x}{:02x}{:02x}",
            avc.avcc.avc_profile_indication, avc.avcc.profile_compatibility, avc.avcc.avc_level_indication
        )),
        Some(Codec::Mp4a(aac)) => {
            let config = &aac.esds.es_desc.dec_config;
            let object = config.dec_specific.as_ref().map_or(0, |s| s.profile);
            Ok(format!("mp4a.{:x}.{object}", config.object_type_indication))
        }
        other => Err(Error::Mp4(format!("an unexpected codec: {other:?}"))),
    }
}

/// Whether a sample can be decoded without those before it: `sample_is_non_sync_sample` is not set (ISO/IEC 14496-12 §8.8.3.1).
fn is_key(sample: &TrunEntry) -> bool {
    sample.flags.is_some_and(|flags| flags & (1 << 16) == 0)
}

/// Reads back where the fragments of a published segment lie that start with a key frame.
pub(crate) fn facts(segment: &[u8]) -> Result<Vec<FragmentFacts>> {
    let mut facts = Vec::new();
    let mut rest = segment;
    while !rest.is_empty() {
        let offset = (segment.len() - rest.len()) as u64;
        let moof = Moof::decode(&mut rest)?;
        let head = (segment.len() - rest.len()) as u64 - offset + HEADER_BYTES;
        let first = moof.traf.first().and_then(|t| t.trun.first()).and_then(|t| t.samples.get(0));
        if let Some(first) = first.filter(is_key) {
            let bytes = head + u64::from(first.size.unwrap_or_default());
            facts.push(FragmentFacts { offset, first_sample_bytes: bytes });
        }
        let mdat = mp4_atom::Header::decode(&mut rest)?;
        let size = mdat.size.filter(|size| *size <= rest.len());
        rest = &rest[size.ok_or_else(|| Error::Mp4("a segment that breaks off".into()))?..];
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(decode_time: i64) -> Fragment {
        let sample =
            |size| TrunEntry { duration: Some(512), size: Some(size), flags: Some(0), cts: Some(1024) };
        Fragment { decode_time, samples: vec![sample(3), sample(2)], data: Bytes::from_static(b"keyin") }
    }

    fn segment() -> (Bytes, Vec<FragmentFacts>) {
        let mut out = BytesMut::new();
        let facts = [fragment(0).write(1, &mut out).unwrap(), fragment(1024).write(2, &mut out).unwrap()];
        (out.freeze(), facts.into_iter().flatten().collect())
    }

    #[tokio::test]
    async fn what_is_written_reads_back() {
        let (bytes, _) = segment();
        let mut reader = Reader::new(&bytes[..]);
        for time in [0, 1024] {
            let Some(Part::Fragment(read)) = reader.next().await.unwrap() else { panic!("no fragment") };
            assert_eq!(read, fragment(time));
        }
        assert!(reader.next().await.unwrap().is_none());
    }

    #[test]
    fn a_published_segment_records_the_ends_of_its_key_frames() {
        let (bytes, written) = segment();
        assert_eq!(facts(&bytes).unwrap(), written);
        let FragmentFacts { offset, first_sample_bytes } = written[1];
        let end = (offset + first_sample_bytes) as usize;
        assert_eq!(&bytes[end - 3..end], b"key");
    }

    #[test]
    fn only_fragments_that_start_with_a_key_frame_are_recorded() {
        let mut out = BytesMut::new();
        let key = fragment(0).write(1, &mut out).unwrap();
        let mut rest = fragment(1024);
        // Another depends on it, it depends on others, and it is no sync sample.
        rest.samples[0].flags = Some(0x0101_0000);
        assert_eq!(rest.write(2, &mut out).unwrap(), None);
        assert_eq!(facts(&out).unwrap(), [key.unwrap()]);
    }

    #[tokio::test]
    async fn a_stream_that_breaks_off_anywhere_is_an_error() {
        let (bytes, _) = segment();
        let half = bytes.len() / 2;
        for cut in (1..half).chain(half + 1..bytes.len()) {
            let mut reader = Reader::new(&bytes[..cut]);
            let outcome = loop {
                match reader.next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => break Ok(()),
                    Err(e) => break Err(e),
                }
            };
            assert!(outcome.is_err(), "{cut} of {} bytes", bytes.len());
            assert!(facts(&bytes[..cut]).is_err(), "{cut} of {} bytes", bytes.len());
        }
    }
}
