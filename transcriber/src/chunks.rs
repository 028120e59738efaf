//! Chunks of one sound that are transcribed at once: the sound is cut at pauses into what a window holds, and chunks know
//! nothing of one another. The words depend on where it is cut, never on the number of workers.

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
    mel::HOP,
    transcribe::{Transcriber, Window},
    vad::Speech,
};

// Frames of the pause that a chunk begins with, besides the detector's margin: of 0, 20, 50, 100 and 200 the word error
// rate was lowest with these.
const LEAD: u64 = 20;

/// A finished chunk: its number, and its windows.
type Finished = (usize, Vec<Window>);

/// Cuts a sound's `speech` at its pauses into chunks of at most `most` frames; speech that goes on for longer stays one.
pub(crate) fn split(speech: &[Speech], most: u64) -> Vec<Range<u64>> {
    let mut chunks: Vec<Range<u64>> = Vec::new();
    for span in speech {
        let (start, end) = (span.start / HOP as u64, span.end.div_ceil(HOP as u64));
        match chunks.last_mut() {
            Some(chunk) if end - chunk.start <= most => chunk.end = end,
            last => {
                let before = last.map_or(0, |chunk| chunk.end);
                chunks.push(start.saturating_sub(LEAD).max(before)..end);
            }
        }
    }
    chunks
}

/// Transcribes all of `chunks` on as many threads as there are `workers`, and reports the windows in their order.
///
/// `work` runs once on each thread, and calls its argument with the transcriber of that thread.
pub(crate) fn transcribe<'a>(
    chunks: &[Range<u64>],
    workers: usize,
    work: impl Fn(&mut dyn FnMut(&mut Transcriber<'_>) -> Result<()>) -> Result<()> + Sync + 'a,
    report: impl FnMut(Window) -> Result<()>,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    // The channel is bounded: where the reports are slow, such as transactions, the workers wait and no windows pile up.
    let (sender, receiver) = mpsc::sync_channel(workers);
    thread::scope(|scope| {
        for _ in 0..workers.min(chunks.len()) {
            let sender: SyncSender<Result<Finished>> = sender.clone();
            scope.spawn(|| {
                // The closure borrows all else, but the sender must end with its thread.
                let sender = sender;
                let worked = work(&mut |transcriber| {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let Some(chunk) = chunks.get(n) else { return Ok(()) };
                        transcriber.go_to(chunk.clone());
                        let mut windows = Vec::new();
                        while let Some(window) = transcriber.next_window()? {
                            windows.push(window);
                        }
                        // The receiver has ended with an error.
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
        // The receiver's loop ends with the last sender, so this one may not outlive those of the threads.
        drop(sender);
        // After an error no worker takes another chunk; the scope waits for those in hand.
        in_order(receiver, report).inspect_err(|_| next.store(chunks.len(), Ordering::Relaxed))
    })
}

fn in_order(
    finished: Receiver<Result<Finished>>,
    mut report: impl FnMut(Window) -> Result<()>,
) -> Result<()> {
    let (mut early, mut turn) = (BTreeMap::new(), 0);
    for chunk in finished {
        let (n, windows) = chunk?;
        early.insert(n, windows);
        while let Some(windows) = early.remove(&turn) {
            for window in windows {
                report(window)?;
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
            let chunk: Vec<_> =
                split(&speech(spans), 3000).iter().map(|chunk| (chunk.start, chunk.end)).collect();
            assert_eq!(chunk, expected, "{spans:?}");
        };
        check(&[], &[]);
        check(&[(30, 900), (1000, 3010)], &[(10, 3010)]);
        check(&[(30, 900), (1000, 3011)], &[(10, 900), (980, 3011)]);
        check(&[(0, 9000), (9010, 9200)], &[(0, 9000), (9000, 9200)]);
    }
}
