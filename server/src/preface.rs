//! In charge of finding out which version of HTTP a client speaks: HTTP/2 begins with words that no other does.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use http::Version;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

// RFC 9113 §3.4
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream whose first bytes were read already, and are read again.
#[derive(Debug)]
pub(crate) struct Begun<T> {
    stream: T,
    first: [u8; PREFACE.len()],
    /// Which of them are still to be read.
    left: std::ops::Range<usize>,
}

/// Reads as much as it takes to tell.
pub(crate) async fn look<T: AsyncRead + Unpin>(mut stream: T) -> io::Result<(Begun<T>, Version)> {
    let mut first = [0; PREFACE.len()];
    let mut len = 0;
    let version = loop {
        let read = stream.read(&mut first[len..]).await?;
        len += read;
        if read == 0 || first[..len] != PREFACE[..len] {
            break Version::HTTP_11;
        }
        if len == PREFACE.len() {
            break Version::HTTP_2;
        }
    };
    Ok((Begun { stream, first, left: 0..len }, version))
}

impl<T: AsyncRead + Unpin> AsyncRead for Begun<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let end = self.left.end.min(self.left.start + buf.remaining());
        buf.put_slice(&self.first[self.left.start..end]);
        self.left.start = end;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Begun<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
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
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn a_version_is_told_from_pieces_and_nothing_is_lost() {
        let cases: [(&[u8], Version); 6] = [
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nframes", Version::HTTP_2),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Version::HTTP_2),
            (b"PRI * HTTP/1.1\r\n\r\n", Version::HTTP_11),
            (b"PUT / HTTP/1.1\r\n\r\n", Version::HTTP_11),
            (b"P", Version::HTTP_11),
            (b"", Version::HTTP_11),
        ];
        for (sent, expected) in cases {
            for piece in [1, 7, 100] {
                // The pipe holds no more than a piece.
                let (mut client, server) = tokio::io::duplex(piece);
                let sends = async move { client.write_all(sent).await.unwrap() };
                let reads = async move {
                    let (mut stream, version) = look(server).await.unwrap();
                    let mut seen = Vec::new();
                    stream.read_to_end(&mut seen).await.unwrap();
                    (version, seen)
                };
                let ((), (version, seen)) = tokio::join!(sends, reads);
                assert_eq!((version, seen.as_slice()), (expected, sent), "in pieces of {piece}");
            }
        }
    }
}
