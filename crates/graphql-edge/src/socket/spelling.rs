//! The spelling of header names in the answer to an upgrade.
//!
//! Names of headers have no case (RFC 9110, section 5.1), and hyper writes them in lower case. Some
//! clients look for `Sec-WebSocket-Protocol` in the spelling of RFC 6455. gql for Python does not
//! find another spelling, and falls back to an obsolete subprotocol.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Extensions, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::io::{AsyncWriteExt as _, duplex};
use tokio::sync::OnceCell;

/// A request with the names in the right spelling.
const SPELLED: &[u8] =
    b"GET / HTTP/1.1\r\nConnection: close\r\nUpgrade: x\r\nSec-WebSocket-Accept: x\r\n\
    Sec-WebSocket-Protocol: x\r\nDate: x\r\n\r\n";

static EXTENSIONS: OnceCell<Extensions> = OnceCell::const_new();

/// The extensions of a response that make hyper use this spelling.
///
/// hyper has no constructor for it, but it keeps the spelling of a request and uses it for a
/// response that has it ([`preserve_header_case`](http1::Builder::preserve_header_case)). So one
/// request is read, once.
pub(super) async fn spelled() -> Extensions {
    EXTENSIONS.get_or_init(read).await.clone()
}

async fn read() -> Extensions {
    let (mut client, server) = duplex(SPELLED.len());
    let kept = Arc::new(Mutex::new(Extensions::new()));
    let keep = Arc::clone(&kept);
    let service = service_fn(move |request: Request<Incoming>| {
        *keep.lock() = request.into_parts().0.extensions;
        async { Ok::<_, Infallible>(Response::new(Body::empty())) }
    });
    if let Err(error) = client.write_all(SPELLED).await {
        tracing::error!(%error, "names of headers stay in lower case");
    }
    drop(client);
    let serving = http1::Builder::new()
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(server), service);
    // The answer has no receiver.
    serving.await.ok();
    let mut extensions = std::mem::take(&mut *kept.lock());
    extensions.remove::<hyper::upgrade::OnUpgrade>();
    extensions
}
