//! Requests to servers on this machine, which the guard of these tests allows.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{io, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use hyper::{HeaderMap, Method, StatusCode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig, crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

use crate::{ANSWER_BYTES_MAX, Client, Guard, Request, Resolver, SendError, Target, tls::trusting};

/// Every name is this machine.
struct Here;

#[async_trait]
impl Resolver for Here {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec!["127.0.0.1".parse().unwrap()])
    }
}

const AUTHORITY: &str = include_str!("certificates/authority.pem");
const CERTIFICATE: &str = include_str!("certificates/hooks.test.pem");
const KEY: &str = include_str!("certificates/hooks.test.key");

/// A client that may reach this machine, and trusts the authority of the tests.
fn client() -> Client {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(AUTHORITY.as_bytes()).unwrap()).unwrap();
    let guard = Guard::new(|address: IpAddr| address.is_loopback());
    Client::new(guard, Arc::new(Here), trusting(roots).unwrap())
}

fn request(url: &str) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert("x-test", "yes".parse().unwrap());
    let (target, body) = (Target::parse(url).unwrap(), Bytes::from_static(b"{}"));
    Request { method: Method::POST, target, headers, body }
}

/// A server that reads one request, answers with these bytes, and returns the request.
async fn serve(answer: Vec<u8>) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        talk(stream, &answer).await
    });
    (port, served)
}

async fn talk<S>(mut stream: S, answer: &[u8]) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n{}") {
        let mut bytes = [0; 1024];
        let read = stream.read(&mut bytes).await.unwrap();
        assert!(read > 0, "the request ends: {text}");
        text.push_str(str::from_utf8(&bytes[..read]).unwrap());
    }
    // The client may have read enough.
    stream.write_all(answer).await.ok();
    stream.shutdown().await.ok();
    text
}

#[tokio::test]
async fn a_request_arrives_with_its_host_and_its_answer_comes_back() {
    let answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok".to_vec();
    let (port, served) = serve(answer).await;
    let sent = client().send(request(&format!("http://hooks.test:{port}/in?x=1"))).await.unwrap();
    assert_eq!((sent.status, &sent.body[..], sent.is_cut), (StatusCode::ACCEPTED, &b"ok"[..], false));
    let text = served.await.unwrap().to_ascii_lowercase();
    assert!(text.starts_with("post /in?x=1 http/1.1\r\n"), "{text}");
    for header in [&format!("host: hooks.test:{port}\r\n"), "x-test: yes\r\n", "content-length: 2\r\n"] {
        assert!(text.contains(header), "{header}: {text}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (other, unvisited) = serve(Vec::new()).await;
    let answer = format!("HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:{other}/\r\ncontent-length: 0\r\n\r\n");
    let (port, _served) = serve(answer.into_bytes()).await;
    let sent = client().send(request(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    assert_eq!(sent.status, StatusCode::TEMPORARY_REDIRECT);
    assert!(!unvisited.is_finished());
    unvisited.abort();
}

#[tokio::test]
async fn the_beginning_of_a_long_answer_is_read() {
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n".to_vec();
    answer.resize(answer.len() + 1_000_000, b'x');
    let (port, _served) = serve(answer).await;
    let sent = client().send(request(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    assert_eq!((sent.body.len(), sent.is_cut), (ANSWER_BYTES_MAX, true));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_waited_for_ten_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let sent = client().send(request(&format!("http://127.0.0.1:{port}/"))).await;
    assert_eq!(sent, Err(SendError::TooSlow));
}

/// A server with the certificate of `hooks.test`.
async fn serve_encrypted() -> u16 {
    let certificates = vec![CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _): (TcpStream, _) = listener.accept().await.unwrap();
        if let Ok(stream) = acceptor.accept(stream).await {
            talk(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsafe").await;
        }
    });
    port
}

#[tokio::test]
async fn an_encrypted_request_goes_to_a_server_with_a_certificate_for_its_name_alone() {
    let port = serve_encrypted().await;
    let sent = client().send(request(&format!("https://hooks.test:{port}/"))).await.unwrap();
    assert_eq!(&sent.body[..], b"safe");
    let port = serve_encrypted().await;
    let sent = client().send(request(&format!("https://other.test:{port}/"))).await;
    assert!(matches!(sent, Err(SendError::Tls { .. })), "{sent:?}");
    let strict = Client::new(
        Guard::new(|address: IpAddr| address.is_loopback()),
        Arc::new(Here),
        trusting(RootCertStore::empty()).unwrap(),
    );
    let port = serve_encrypted().await;
    let sent = strict.send(request(&format!("https://hooks.test:{port}/"))).await;
    assert!(matches!(sent, Err(SendError::Tls { .. })), "{sent:?}");
}
