//! Segments: cuts a rendition's stream of fragments into the segments of the plan, to the tick.

use bytes::{Bytes, BytesMut};

use crate::{
    Error, Result,
    fragment::Fragment,
    measure::{FragmentFacts, SegmentFacts},
    plan::{AAC_FRAME_SAMPLES, AudioPlan, Grid, Run, VideoPlan},
};

/// A whole segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) bytes: Bytes,
    pub(crate) facts: SegmentFacts,
    /// Where its last chunk begins.
    last_chunk: usize,
}

/// The outcome of a fragment.
#[derive(Debug)]
pub(crate) enum Cut {
    /// None yet.
    Nothing,
    /// A chunk of the segment of this number, with more to come.
    Chunk(u32, Bytes),
    /// The segment, which the fragment completes.
    Whole(Segment),
}

impl Segment {
    /// Returns the chunk that it ends with.
    pub(crate) fn last_chunk(&self) -> Bytes {
        self.bytes.slice(self.last_chunk..)
    }
}

/// Cuts the fragments of one rendition in one run.
#[derive(Debug)]
pub(crate) struct Cutter {
    rendition: String,
    /// Decode times at which segments begin, and the end of the last, in the rendition's ticks.
    borders: Vec<i64>,
    first: u32,
    done: u32,
    /// The fragments of the segment so far: written out, but those of sound, which become one.
    chunks: BytesMut,
    /// Where the last of them begins.
    last_chunk: usize,
    written: u32,
    facts: Vec<FragmentFacts>,
    pending: Vec<Fragment>,
    /// Where they end.
    at: i64,
    /// Added to composition offsets, so that none is negative.
    reorder_ticks: i64,
    /// `mfhd` numbers go on from segment to segment across runs; VLC remarks on any that start again.
    fragments_per_segment: u32,
    joined: bool,
}

impl Cutter {
    /// Cuts pictures. A group of pictures stays in the chunks that it comes in, of which the first starts with its key frame,
    /// for trick play.
    pub(crate) fn video(rendition: &str, video: &VideoPlan, grid: &Grid, run: Run) -> Self {
        Self {
            rendition: rendition.to_owned(),
            borders: (run.first..=run.last).map(|n| grid.start(n) as i64).collect(),
            first: run.first,
            done: 0,
            chunks: BytesMut::new(),
            last_chunk: 0,
            written: 0,
            facts: Vec::new(),
            pending: Vec::new(),
            at: grid.start(run.first) as i64,
            reorder_ticks: i64::from(reorder_ticks(video)),
            fragments_per_segment: video.segment_frames.div_ceil(video.gop_frames) * CHUNKS_OF_GOP,
            joined: false,
        }
    }

    /// Cuts sound, which comes frame by frame, into one fragment a segment.
    pub(crate) fn audio(audio: &AudioPlan, grid: &Grid, run: Run) -> Self {
        let border = |n| (audio.first_frame(grid, n) * AAC_FRAME_SAMPLES) as i64;
        Self {
            rendition: audio.name.clone(),
            borders: (run.first..=run.last).map(border).collect(),
            first: run.first,
            done: 0,
            chunks: BytesMut::new(),
            last_chunk: 0,
            written: 0,
            facts: Vec::new(),
            pending: Vec::new(),
            at: border(run.first),
            reorder_ticks: 0,
            fragments_per_segment: 1,
            joined: true,
        }
    }

    /// Takes the next fragment.
    pub(crate) fn push(&mut self, mut fragment: Fragment) -> Result<Cut> {
        if fragment.end() <= self.borders[0] {
            // The encoder's warming up, of use to nobody else.
            return Ok(Cut::Nothing);
        }
        if self.joined && self.done + 1 == self.borders.len() as u32 {
            // Sound that the encoder looked ahead at; the next run has it.
            return Ok(Cut::Nothing);
        }
        let (expected, end) = (self.at, self.border(1));
        if fragment.decode_time != expected || fragment.end() > end {
            let given = format!("a fragment from {} to {} ticks", fragment.decode_time, fragment.end());
            return Err(self.off_plan(given, format!("one from {expected} to at most {end}")));
        }
        for sample in &mut fragment.samples {
            let shifted = sample.cts.unwrap_or(0) + self.reorder_ticks;
            if shifted < 0 {
                return Err(
                    self.off_plan(format!("a composition offset of {shifted}"), "none below 0".into())
                );
            }
            // Sound is not reordered: without offsets `trun` has four bytes less for each sample (ISO 14496-12
            // §8.8.8).
            sample.cts = (self.reorder_ticks > 0).then_some(shifted);
        }
        self.at = fragment.end();
        let is_whole = self.at == end;
        if !self.joined {
            self.write(&fragment)?;
            let number = self.first + self.done;
            return Ok(if is_whole {
                Cut::Whole(self.finish())
            } else {
                // A copy, since the buffer goes on growing while readers hold the chunk.
                Cut::Chunk(number, Bytes::copy_from_slice(&self.chunks[self.last_chunk..]))
            });
        }
        self.pending.push(fragment);
        if !is_whole {
            return Ok(Cut::Nothing);
        }
        let joined = Fragment::joined(&std::mem::take(&mut self.pending));
        self.write(&joined)?;
        Ok(Cut::Whole(self.finish()))
    }

    /// Checks that nothing is missing once the stream has ended.
    pub(crate) fn end(&self) -> Result<()> {
        let planned = self.borders.len() as u32 - 1;
        if self.done == planned && self.at == self.border(0) {
            return Ok(());
        }
        Err(self
            .off_plan(format!("{} whole segments", self.done), format!("{planned} from {} on", self.first)))
    }

    fn write(&mut self, fragment: &Fragment) -> Result<()> {
        let number = self.first + self.done;
        self.last_chunk = self.chunks.len();
        self.written += 1;
        let sequence = number * self.fragments_per_segment + self.written;
        self.facts.extend(fragment.write(sequence, &mut self.chunks)?);
        Ok(())
    }

    fn finish(&mut self) -> Segment {
        let number = self.first + self.done;
        let bytes = std::mem::take(&mut self.chunks).freeze();
        let fragments = std::mem::take(&mut self.facts);
        self.done += 1;
        self.written = 0;
        let facts = SegmentFacts { bytes: bytes.len() as u64, fragments };
        Segment { number, facts, bytes, last_chunk: self.last_chunk }
    }

    // Past the last border nothing fits, which `push` reports.
    fn border(&self, ahead: u32) -> i64 {
        self.borders.get((self.done + ahead) as usize).or(self.borders.last()).copied().unwrap_or_default()
    }

    fn off_plan(&self, given: String, planned: String) -> Error {
        Error::OffPlan { rendition: self.rendition.clone(), given, planned }
    }
}

/// The chunks that a group of pictures is encoded in: the first is there, and sent, after some fourth of the time.
const CHUNKS_OF_GOP: u32 = 4;

/// Returns the frames of a chunk; the last one of a group of pictures may have fewer.
pub(crate) fn chunk_frames(video: &VideoPlan) -> u32 {
    video.gop_frames.div_ceil(CHUNKS_OF_GOP)
}

/// Frames by which the encoder decodes ahead of showing: x264's, with B-frames and their pyramid, whatever
/// the content.
const REORDER_FRAMES: u32 = 2;

/// Returns how much later than decoded the first picture is shown, in ticks.
pub(crate) fn reorder_ticks(video: &VideoPlan) -> u32 {
    REORDER_FRAMES * video.frame_ticks
}
