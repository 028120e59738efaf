//! The order of showing beside that of decoding: a time of showing that lies far ahead is right before a gap, in which
//! nothing is shown, and wild elsewhere.

use std::collections::VecDeque;

use super::{Packet, STEP_BACK, Time};

/// Pictures that may be decoded between one and its showing (ITU-T H.264 §A.3.1).
const MOST_REORDERED: usize = 16;
/// A stream's first packet has no distance from one before it, and some have no duration.
const UNKNOWN_STEP: Time = 312_500;

/// Judges the times of one stream's packets. Holds those back that only the next ones decide.
#[derive(Debug, Default)]
pub(crate) struct Order {
    waiting: VecDeque<Packet>,
    /// The last time of decoding, and the step before it.
    latest: Option<Time>,
    step: Time,
    /// Pictures that are usually decoded between one and its showing.
    depth: usize,
}

impl Order {
    /// Takes the next packet of the file. Returns those that are judged now, in order.
    pub(crate) fn push(&mut self, packet: Packet) -> Vec<Packet> {
        self.waiting.push_back(packet);
        self.judge(false)
    }

    /// Returns the packets that are still held back at the end of the file.
    pub(crate) fn finish(&mut self) -> Vec<Packet> {
        self.judge(true)
    }

    fn judge(&mut self, at_end: bool) -> Vec<Packet> {
        let mut judged = Vec::new();
        while let Some(first) = self.waiting.front().copied()
            && let Some(is_right) = self.is_right(&first, at_end)
        {
            self.waiting.pop_front();
            judged.push(self.follow(first, is_right));
        }
        judged
    }

    /// Returns whether a packet's time of showing is right; `None` while the packets behind it may decide.
    fn is_right(&self, packet: &Packet, at_end: bool) -> Option<bool> {
        let (Some(shown), Some(decode)) = (packet.shown, packet.decode) else { return Some(true) };
        if (shown - decode).abs() <= self.reordering(packet.duration) {
            return Some(true);
        }
        if shown < decode || self.depth == 0 {
            return Some(false);
        }
        // Decoding is past it once those are decoded that are shown before it.
        let mut behind = self.waiting.iter().skip(1);
        if behind.any(|next| next.decode.is_some_and(|decode| decode >= shown)) {
            return Some(true);
        }
        let count = self.waiting.len() - 1;
        if at_end {
            return Some(count <= self.depth);
        }
        (count >= MOST_REORDERED).then_some(false)
    }

    /// Returns how far showing may be from decoding without a gap.
    fn reordering(&self, duration: Time) -> Time {
        let step = if self.step > 0 { self.step } else { duration };
        let step = if step > 0 { step } else { UNKNOWN_STEP };
        (MOST_REORDERED as Time * step).max(STEP_BACK)
    }

    /// Returns a packet that was judged: a wild time is replaced by that of its decoding, which is less than a reordering
    /// away.
    fn follow(&mut self, packet: Packet, is_right: bool) -> Packet {
        let (Some(shown), Some(decode)) = (packet.shown, packet.decode) else { return packet };
        if let Some(latest) = self.latest
            && (1..=STEP_BACK).contains(&(decode - latest))
        {
            self.step = decode - latest;
        }
        self.latest = Some(decode);
        if !is_right {
            return Packet { shown: Some(decode), off: decode - shown, ..packet };
        }
        let step = if self.step > 0 { self.step } else { packet.duration };
        if step > 0 && (shown - decode) <= self.reordering(packet.duration) {
            let ahead = usize::try_from((shown - decode + step / 2) / step).unwrap_or_default();
            self.depth = self.depth.max(ahead.min(MOST_REORDERED));
        }
        packet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Time = 40_000;

    /// Pictures in decoding order, `depth` decoded ahead, at these times of showing; and how far each is put off.
    fn check(decode: &[Time], shown: &[Time], wild: &[usize]) {
        let mut order = Order::default();
        let packets = decode.iter().zip(shown).map(|(decode, shown)| Packet {
            shown: Some(*shown),
            decode: Some(*decode),
            duration: FRAME,
            ..Packet::default()
        });
        let mut judged: Vec<Packet> = packets.flat_map(|packet| order.push(packet)).collect();
        judged.extend(order.finish());
        let decoded: Vec<Time> = judged.iter().filter_map(|packet| packet.decode).collect();
        assert_eq!(decoded, decode, "in order, and none is lost");
        let off: Vec<usize> = (0..).zip(&judged).filter(|(_, it)| it.off != 0).map(|(n, _)| n).collect();
        assert_eq!(off, wild, "{shown:?}");
    }

    /// Times of showing with gaps in front of some frames, as encoders put them in order of decoding: each picture that is
    /// shown last of three comes first.
    fn reordered(frames: usize, gaps: &[usize]) -> (Vec<Time>, Vec<Time>) {
        let mut times = Vec::new();
        let mut time = 0;
        for n in 0..frames {
            time += if gaps.contains(&n) { 30 * FRAME } else { FRAME };
            times.push(time);
        }
        let mut shown = vec![times[0]];
        for three in times[1..].chunks(3) {
            shown.push(three[three.len() - 1]);
            shown.extend(&three[..three.len() - 1]);
        }
        // Decoding runs two pictures ahead.
        let decode = [times[0] - 2 * FRAME, times[0] - FRAME].into_iter().chain(times.iter().copied());
        (decode.take(frames).collect(), shown)
    }

    #[test]
    fn pictures_behind_a_gap_are_shown_behind_it() {
        for gap in 1..40 {
            let (decode, shown) = reordered(40, &[gap]);
            check(&decode, &shown, &[]);
        }
        let (decode, shown) = reordered(60, &[7, 9, 30, 31, 32, 59]);
        check(&decode, &shown, &[]);
    }

    #[test]
    fn a_time_that_nothing_reaches_is_wild() {
        // One of the last might be behind a gap.
        for place in 1..35 {
            let (decode, mut shown) = reordered(40, &[]);
            shown[place] += 30 * FRAME;
            check(&decode, &shown, &[place]);
        }
        let frames: Vec<Time> = (0..40).map(|n| n * FRAME).collect();
        let mut shown = frames.clone();
        shown[39] += 30 * FRAME;
        check(&frames, &shown, &[39]);
        let mut shown = frames.clone();
        shown[30] -= 25 * FRAME;
        check(&frames, &shown, &[30]);
    }
}
