//! The life of one connection, from accept to close.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::exchange::Shared;
use crate::{http1, http2};

/// A handshake that takes longer is given up.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// Counts the connection as open until it is dropped.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.recorder.disconnect();
    }
}

/// Serves a connection until either side ends it. What goes wrong on it ends only this connection:
/// rude clients are what the server is there for.
pub(crate) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let number = shared.recorder.connect();
    let open = Open(Arc::clone(&shared));
    // The error of one connection is nobody's: the log tells what was answered.
    let _ = serve_protocol(stream, number, &shared).await;
    drop(open);
}

async fn serve_protocol(stream: TcpStream, number: u64, shared: &Arc<Shared>) -> io::Result<()> {
    let Some(tls) = &shared.tls else {
        return http1::serve(stream, number, shared).await;
    };
    let handshake = tls.accept(&shared.plan, stream);
    let stream = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await??;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        http2::serve(stream, number, shared).await
    } else {
        http1::serve(stream, number, shared).await
    }
}
