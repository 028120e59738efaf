//! The progress of the response that an HTTP/2 stream sends, from its body to the clock of `streams`: hyper polls both in one
//! task, and has no way to pass it on.

use std::cell::Cell;

tokio::task_local! {
    /// The progress of the response of the stream being polled.
    static SENDING: Cell<Sending>;
}

/// The progress of a response.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sending {
    /// Bytes handed to the connection so far.
    pub(crate) bytes: u64,
    /// Whether hyper has bytes of the response that the client's window has no room for. Else the source is waited for,
    /// and time passed is not the client's.
    pub(crate) waits_for_client: bool,
}

impl Sending {
    /// Runs one poll of a stream. Returns its result with the progress behind it.
    pub(crate) fn track<T>(self, poll: impl FnOnce() -> T) -> (T, Self) {
        SENDING.sync_scope(Cell::new(self), || (poll(), SENDING.with(Cell::get)))
    }

    /// Notes what hyper got when it asked for more of a response: bytes, which it asks for once the last ones fit the window;
    /// or `None` when there are none yet.
    pub(crate) fn note(bytes: Option<usize>) {
        // HTTP/1.1 has no streams: there the socket itself shows what the client takes.
        let _ = SENDING.try_with(|sending| {
            let before = sending.get();
            sending.set(Self {
                bytes: before.bytes + bytes.unwrap_or(0) as u64,
                waits_for_client: bytes.is_some(),
            });
        });
    }
}
