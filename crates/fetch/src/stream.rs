//! A connection's bytes: plain or through TLS, and how many of them came.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The two ways of carrying bytes.
pub(crate) enum Carrier {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A carrier that counts what is read from it (after decryption): a request that failed while the
/// count stood still got no byte of a response, and may be sent again.
pub(crate) struct Stream {
    carrier: Carrier,
    bytes_read: Rc<Cell<u64>>,
}

impl Stream {
    pub(crate) fn new(carrier: Carrier) -> (Stream, Rc<Cell<u64>>) {
        let bytes_read = Rc::new(Cell::new(0));
        (
            Stream {
                carrier,
                bytes_read: Rc::clone(&bytes_read),
            },
            bytes_read,
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
        let count = buffer.filled().len() - before;
        this.bytes_read.set(this.bytes_read.get() + count as u64);
        Poll::Ready(result)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_write(cx, buffer),
            Carrier::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, buffer),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, buffers),
            Carrier::Tls(tls) => Pin::new(tls.as_mut()).poll_write_vectored(cx, buffers),
        }
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
