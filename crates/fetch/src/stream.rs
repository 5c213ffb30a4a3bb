//! A connection's bytes: plain or through TLS, and what is noted of them.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::raw::Tap;

/// The two ways of carrying bytes.
pub(crate) enum Carrier {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A carrier that tells its tap what is read from it (after decryption): a request that failed while
/// the count stood still got no byte of a response, and may be sent again. What is written is told
/// too, for exchanges whose bytes are kept.
pub(crate) struct Stream {
    carrier: Carrier,
    tap: Rc<Tap>,
}

impl Stream {
    pub(crate) fn new(carrier: Carrier) -> (Stream, Rc<Tap>) {
        let tap = Rc::new(Tap::default());
        (
            Stream {
                carrier,
                tap: Rc::clone(&tap),
            },
            tap,
        )
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let result = ready!(match &mut this.carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Carrier::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buffer),
        });
        let filled = buffer.filled();
        this.tap.received(filled.get(before..).unwrap_or_default());
        Poll::Ready(result)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let count = ready!(match &mut this.carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_write(cx, buffer),
            Carrier::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, buffer),
        })?;
        this.tap.sent(buffer.get(..count).unwrap_or(buffer));
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let count = ready!(match &mut this.carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, buffers),
            Carrier::Tls(tls) => Pin::new(tls.as_mut()).poll_write_vectored(cx, buffers),
        })?;
        let mut left = count;
        for buffer in buffers {
            let written = buffer.get(..left.min(buffer.len())).unwrap_or_default();
            this.tap.sent(written);
            left -= written.len();
        }
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.carrier {
            Carrier::Plain(tcp) => tcp.is_write_vectored(),
            Carrier::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Carrier::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Carrier::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}
