//! In charge of a connection's socket: its writes are noticed, and bytes that lie in `pages` are sent from there.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};

use crate::{
    pages::{self, Place},
    patience::Activity,
};

/// The socket of one connection.
pub(crate) struct Socket {
    stream: TcpStream,
    activity: Arc<Activity>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    fn noticed(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.activity.wrote(written.is_ready());
        written
    }

    /// Sends `before`, and behind it what lies at `place`.
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        before: &[IoSlice<'_>],
        place: &Place,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_io(Interest::WRITABLE, || self.send(before, place)) {
                // The readiness was of before; the next poll waits for a new one.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }
    }

    fn send(&self, before: &[IoSlice<'_>], place: &Place) -> io::Result<usize> {
        let told: usize = before.iter().map(|slice| slice.len()).sum();
        if told > 0 {
            // One packet with the beginning of what follows.
            let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
            let sent = sendmsg(&self.stream, before, &mut SendAncillaryBuffer::default(), flags)?;
            if sent < told {
                return Ok(sent);
            }
        }
        match place.send_to(&self.stream) {
            Err(error) if told > 0 && error.kind() == io::ErrorKind::WouldBlock => Ok(told),
            sent => Ok(told + sent?),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.noticed(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let found = bufs.iter().enumerate().find_map(|(at, buf)| Some((at, pages::find(buf)?)));
        let written = match found {
            Some((at, place)) => self.poll_send(cx, &bufs[..at], &place),
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        };
        self.noticed(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use bytes::Bytes;
    use tokio::{io::AsyncReadExt, net::TcpListener};

    use super::*;

    #[tokio::test]
    async fn what_lies_in_pages_arrives_behind_what_does_not_whatever_the_reader_s_pace() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let mut socket = Socket::new(server, Arc::default());
        // More than a socket holds, and an odd part of it, so that writes stop in every place.
        let whole: Vec<u8> = (0..9_000_000_u32).map(|n| (n / 7) as u8).collect();
        let body = pages::join([Bytes::from(whole.clone())], whole.len()).slice(777..);
        assert!(pages::find(&body).is_some(), "the test is of bytes in pages");
        let writing = tokio::spawn(async move {
            let (head, tail) = (b"head ".repeat(999), b" tail");
            let all = [&head[..], &body[..], &tail[..]];
            let (mut at, total) = (0, all.iter().map(|part| part.len()).sum::<usize>());
            while at < total {
                let mut skip = at;
                let mut bufs = Vec::new();
                for part in all {
                    bufs.push(IoSlice::new(&part[skip.min(part.len())..]));
                    skip = skip.saturating_sub(part.len());
                }
                at += poll_fn(|cx| Pin::new(&mut socket).poll_write_vectored(cx, &bufs)).await.unwrap();
            }
        });
        let mut got = Vec::new();
        let mut client = client;
        while client.read_buf(&mut got).await.unwrap() > 0 {}
        writing.await.unwrap();
        let expected = [&b"head ".repeat(999)[..], &whole[777..], b" tail"].concat();
        assert!(got == expected, "{} bytes of {}", got.len(), expected.len());
    }
}
