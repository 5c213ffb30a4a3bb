//! A connection's bytes: plain or through TLS, and what is noted of them.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::heads::Heads;
use crate::raw::Tap;

/// Bytes that hyper gets at once over HTTP/1 where memory is saved, while no more than [`BURST_BYTES`] came without a pause: one
/// less than its first buffer holds. It doubles a buffer that a read has filled, and every connection keeps
/// its own as long as it is open: with ten thousand of them that is what takes the most memory.
const READ_BYTES: usize = 8 * 1024 - 1;
/// What comes without a pause beyond this is a large body on a fast way, whose reads may be larger.
const BURST_BYTES: usize = 128 * 1024;

/// The two ways of carrying bytes.
pub(crate) enum Carrier {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Carrier {
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Carrier::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buffer),
        }
    }
}

/// A carrier that tells its tap what is read from it (after decryption): a request that failed while
/// the count stood still got no byte of a response, and may be sent again. What is written is told
/// too, for exchanges whose bytes are kept. Over HTTP/2 heads are held against their bounds.
pub(crate) struct Stream {
    carrier: Carrier,
    tap: Rc<Tap>,
    heads: Option<Rc<Heads>>,
    saves_memory: bool,
    /// Bytes that came since there was last nothing to read.
    burst: usize,
}

impl Stream {
    /// `heads` where HTTP/2 will be spoken.
    pub(crate) fn new(
        carrier: Carrier,
        heads: Option<Rc<Heads>>,
        saves_memory: bool,
    ) -> (Stream, Rc<Tap>) {
        let tap = Rc::new(Tap::default());
        let stream = Stream {
            carrier,
            tap: Rc::clone(&tap),
            heads,
            saves_memory,
            burst: 0,
        };
        (stream, tap)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.heads.as_ref().is_some_and(|heads| heads.turn_is_due()) {
            // Those that were woken by the heads come before this task, which is woken after them.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let is_small = this.saves_memory && this.heads.is_none() && this.burst < BURST_BYTES;
        let polled = if is_small && buffer.remaining() > READ_BYTES {
            // Where there is nothing to read the room stays untouched: the system gives memory for it only
            // once something is written there.
            if let Carrier::Plain(tcp) = &this.carrier
                && tcp.poll_read_ready(cx).is_pending()
            {
                this.burst = 0;
                return Poll::Pending;
            }
            let mut part = ReadBuf::new(buffer.initialize_unfilled_to(READ_BYTES));
            let polled = this.carrier.poll_read(cx, &mut part);
            let read = part.filled().len();
            buffer.advance(read);
            polled
        } else {
            this.carrier.poll_read(cx, buffer)
        };
        if polled.is_pending() {
            this.burst = 0;
        }
        if let (Poll::Pending, Some(heads)) = (&polled, &this.heads) {
            heads.turn_taken();
        }
        let result = ready!(polled);
        let read = buffer.filled().get(before..).unwrap_or_default();
        this.burst = this.burst.saturating_add(read.len());
        this.tap.received(read);
        if let Some(heads) = &this.heads {
            heads.received(read)?;
        }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::heads::tests::frame;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Wakes>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Reads once, where something can be read or a turn is due.
    fn read_once(stream: &mut Stream, waker: &Waker) -> Poll<usize> {
        let mut bytes = [0; 8 * 1024];
        let mut buffer = ReadBuf::new(&mut bytes);
        let polled = Pin::new(stream).poll_read(&mut Context::from_waker(waker), &mut buffer);
        polled.map(|result| result.map(|()| buffer.filled().len()).unwrap())
    }

    /// How many bytes are read without a pause, and whether the reader wakes itself then.
    async fn read_in_one_turn(kind: u8) -> (usize, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        let heads = Rc::new(Heads::new(1 << 20));
        let _waiting = heads.wait();
        let (mut stream, _) = Stream::new(
            Carrier::Plain(client.unwrap()),
            Some(Rc::clone(&heads)),
            false,
        );
        let mut server = server.unwrap().0;
        server.write_all(&frame(kind, 50_000)).await.unwrap();
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let mut read = 0;
        // The first bytes may not be there yet.
        while read == 0 {
            if let Poll::Ready(count) = read_once(&mut stream, &waker) {
                read = count;
            }
            tokio::task::yield_now().await;
        }
        wakes.0.store(0, Ordering::Relaxed);
        while let Poll::Ready(count) = read_once(&mut stream, &waker) {
            read += count;
        }
        (read, wakes.0.load(Ordering::Relaxed) == 1)
    }

    #[test]
    fn heads_are_read_in_turns_and_bodies_are_not() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            assert_eq!(read_in_one_turn(1).await, (16 * 1024, true));
            assert_eq!(read_in_one_turn(0).await, (50_009, false));
        });
    }
}
