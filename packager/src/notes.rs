//! Notes on a video: one sentence for each thing that its source has and the video has not, or that was mended.

use crate::timeline::Timeline;

/// Returns the notes on a source's clock.
pub(crate) fn of(timeline: &Timeline) -> Vec<String> {
    let mut notes = Vec::new();
    match timeline.seams() {
        0 => {}
        1 => notes.push("The recording was interrupted once; its two parts follow each other.".to_owned()),
        seams => notes.push(format!(
            "The recording was interrupted {seams} times; its {} parts follow each other.",
            seams + 1
        )),
    }
    match timeline.outliers() {
        0 => {}
        1 => notes
            .push("One packet of the file has a wrong time and was put beside its neighbours.".to_owned()),
        count => notes.push(format!(
            "{count} packets of the file have wrong times and were put beside their neighbours."
        )),
    }
    notes
}
