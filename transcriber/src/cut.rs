//! In charge of listening to several windows of one sound at once: the sound is cut at pauses into pieces that a window
//! holds, which know nothing of one another. What is written hangs on where it is cut, never on how many are at work.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
};

use crate::{
    Result,
    listen::{Listening, Window},
    mel::HOP,
    vad::Speech,
};

// Frames of the pause that a piece begins with, besides the detector's margin: of 0, 20, 50, 100 and 200 the model hears
// best with these.
const LEAD: u64 = 20;

/// A piece that was listened to: which, and its windows.
type Heard = (usize, Vec<Window>);

/// Cuts a sound's `speech` at its pauses into pieces of at most `most` frames; speech that goes on for longer stays one.
pub(crate) fn cuts(speech: &[Speech], most: u64) -> Vec<Range<u64>> {
    let mut cuts: Vec<Range<u64>> = Vec::new();
    for span in speech {
        let (start, end) = (span.start / HOP as u64, span.end.div_ceil(HOP as u64));
        match cuts.last_mut() {
            Some(cut) if end - cut.start <= most => cut.end = end,
            last => {
                let before = last.map_or(0, |cut| cut.end);
                cuts.push(start.saturating_sub(LEAD).max(before)..end);
            }
        }
    }
    cuts
}

/// Listens to all of `cuts`, on as many threads as there are `listeners`, and tells the windows in their order.
///
/// A listener is run on each thread, with what it is to listen to.
pub(crate) fn side_by_side<'a>(
    cuts: &[Range<u64>],
    listeners: usize,
    listen: impl Fn(&mut dyn FnMut(&mut Listening<'_>) -> Result<()>) -> Result<()> + Sync + 'a,
    tell: impl FnMut(Window) -> Result<()>,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::sync_channel(listeners);
    thread::scope(|scope| {
        for _ in 0..listeners.min(cuts.len()) {
            let sender: SyncSender<Result<Heard>> = sender.clone();
            scope.spawn(|| {
                let sender = sender;
                let worked = listen(&mut |listening| {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let Some(cut) = cuts.get(n) else { return Ok(()) };
                        listening.go_to(cut.clone());
                        let mut windows = Vec::new();
                        while let Some(window) = listening.next_window()? {
                            windows.push(window);
                        }
                        // Nobody wants it any more.
                        if sender.send(Ok((n, windows))).is_err() {
                            return Ok(());
                        }
                    }
                });
                if let Err(error) = worked {
                    let _ = sender.send(Err(error));
                }
            });
        }
        drop(sender);
        in_order(receiver, tell).inspect_err(|_| next.store(cuts.len(), Ordering::Relaxed))
    })
}

fn in_order(heard: Receiver<Result<Heard>>, mut tell: impl FnMut(Window) -> Result<()>) -> Result<()> {
    let (mut early, mut turn) = (BTreeMap::new(), 0);
    for piece in heard {
        let (n, windows) = piece?;
        early.insert(n, windows);
        while let Some(windows) = early.remove(&turn) {
            for window in windows {
                tell(window)?;
            }
            turn += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_is_cut_at_its_pauses_into_what_a_window_holds() {
        let speech = |spans: &[(u64, u64)]| -> Vec<Speech> {
            spans.iter().map(|(s, e)| Speech { start: s * HOP as u64, end: e * HOP as u64 }).collect()
        };
        let check = |spans: &[(u64, u64)], expected: &[(u64, u64)]| {
            let cut: Vec<_> = cuts(&speech(spans), 3000).iter().map(|cut| (cut.start, cut.end)).collect();
            assert_eq!(cut, expected, "{spans:?}");
        };
        check(&[], &[]);
        check(&[(30, 900), (1000, 3010)], &[(10, 3010)]);
        check(&[(30, 900), (1000, 3011)], &[(10, 900), (980, 3011)]);
        check(&[(0, 9000), (9010, 9200)], &[(0, 9000), (9000, 9200)]);
    }
}
