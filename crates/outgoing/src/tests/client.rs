//! Requests to servers on this machine, which the guard of these tests allows.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

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
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

use crate::{
    ANSWER_BYTES_MAX, Client, Guard, Request, Resolver, SendError, TIME_MAX, Target,
    client::{SLICE_BYTES, SLICE_PAUSE},
    tls::trusting,
};

/// Every name is this machine.
struct Here;

#[async_trait]
impl Resolver for Here {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec!["127.0.0.1".parse().unwrap()])
    }
}

/// A certificate for `hooks.test`, made for one test, and its key.
struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["hooks.test".to_owned()]).unwrap();
        let key = made.signing_key.serialize_der().try_into().unwrap();
        Self { certificate: made.cert.der().clone(), key }
    }

    /// A client that trusts it.
    fn trusted(&self) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        client_with(roots)
    }
}

/// A client that may reach this machine.
fn client_with(roots: RootCertStore) -> Client {
    let guard = Guard::for_users(|address: IpAddr| address.is_loopback());
    Client::new(guard, Arc::new(Here), trusting(roots).unwrap())
}

/// A client that may reach this machine, and trusts no certificate.
fn client() -> Client {
    client_with(RootCertStore::empty())
}

fn request(url: &str) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert("x-test", "yes".parse().unwrap());
    let (target, body) = (Target::parse(url).unwrap(), Bytes::from_static(b"{}"));
    let (method, answer_bytes_max) = (Method::POST, ANSWER_BYTES_MAX);
    Request { method, target, headers, body, time_max: TIME_MAX, answer_bytes_max, server: None }
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
    assert_eq!(
        (sent.status, &sent.body[..], sent.is_cut),
        (StatusCode::ACCEPTED, &b"ok"[..], false)
    );
    let text = served.await.unwrap().to_ascii_lowercase();
    assert!(text.starts_with("post /in?x=1 http/1.1\r\n"), "{text}");
    for header in
        [&format!("host: hooks.test:{port}\r\n"), "x-test: yes\r\n", "content-length: 2\r\n"]
    {
        assert!(text.contains(header), "{header}: {text}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (other, unvisited) = serve(Vec::new()).await;
    let answer = format!(
        "HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:{other}/\r\ncontent-length: 0\r\n\r\n"
    );
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
async fn serve_encrypted(identity: &Identity) -> u16 {
    let certificates = vec![identity.certificate.clone()];
    let key = identity.key.clone_key();
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
    let identity = Identity::new();
    let port = serve_encrypted(&identity).await;
    let sent = identity.trusted().send(request(&format!("https://hooks.test:{port}/"))).await;
    assert_eq!(&sent.unwrap().body[..], b"safe");
    let port = serve_encrypted(&identity).await;
    let sent = identity.trusted().send(request(&format!("https://other.test:{port}/"))).await;
    assert!(matches!(sent, Err(SendError::Tls { .. })), "{sent:?}");
    let port = serve_encrypted(&identity).await;
    let sent = client().send(request(&format!("https://hooks.test:{port}/"))).await;
    assert!(matches!(sent, Err(SendError::Tls { .. })), "{sent:?}");
}

/// Answers with an address of this machine that is allowed first, and with one that is not from then on.
#[derive(Default)]
struct Changing(AtomicUsize);

#[async_trait]
impl Resolver for Changing {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        let last = 1 + u8::from(self.0.fetch_add(1, Ordering::Relaxed) > 0);
        Ok(vec![IpAddr::from([127, 0, 0, last])])
    }
}

#[tokio::test]
async fn a_request_connects_to_the_address_that_was_checked_and_resolves_no_name_again() {
    let resolver = Arc::new(Changing::default());
    let guard = Guard::for_users(|address| address == IpAddr::from([127, 0, 0, 1]));
    let tls = trusting(RootCertStore::empty()).unwrap();
    let client = Client::new(guard, Arc::clone(&resolver) as Arc<dyn Resolver>, tls);
    let (port, served) = serve(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    // Everything of this machine listens here, so another address would be connected to as well.
    let sent = client.send(request(&format!("http://changing.test:{port}/"))).await.unwrap();
    assert_eq!((sent.status, resolver.0.load(Ordering::Relaxed)), (StatusCode::OK, 1));
    served.await.unwrap();
    let (port, unvisited) = serve(Vec::new()).await;
    let sent = client.send(request(&format!("http://changing.test:{port}/"))).await;
    assert!(matches!(sent, Err(SendError::Refused { .. })), "{sent:?}");
    assert!(!unvisited.is_finished());
    unvisited.abort();
}

#[tokio::test(start_paused = true)]
async fn the_status_of_an_answer_counts_although_its_body_comes_byte_by_byte() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    });
    let began = tokio::time::Instant::now();
    let sent = client().send(request(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    assert_eq!((sent.status, sent.is_cut), (StatusCode::OK, true));
    assert!(began.elapsed() <= TIME_MAX + std::time::Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_byte_by_byte_is_no_answer_after_ten_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for byte in b"HTTP/1.1 200 OK\r\nx-long: ".iter().chain(std::iter::repeat(&b'x')) {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    });
    let sent = client().send(request(&format!("http://127.0.0.1:{port}/"))).await;
    assert_eq!(sent, Err(SendError::TooSlow));
}

#[tokio::test]
async fn an_endless_head_is_no_answer() {
    let mut answer = b"HTTP/1.1 200 OK\r\nx-long: ".to_vec();
    answer.resize(answer.len() + 4 * ANSWER_BYTES_MAX, b'x');
    let (port, _served) = serve(answer).await;
    let sent = client().send(request(&format!("http://127.0.0.1:{port}/"))).await;
    assert!(matches!(sent, Err(SendError::Broken { .. })), "{sent:?}");
}

#[tokio::test]
async fn a_long_answer_is_read_with_pauses() {
    const MIB: usize = 1024 * 1024;
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5242880\r\n\r\n".to_vec();
    answer.resize(answer.len() + 5 * MIB, b'x');
    let (port, _served) = serve(answer).await;
    let request = request(&format!("http://127.0.0.1:{port}/"));
    let began = std::time::Instant::now();
    let answer = client().send(Request { answer_bytes_max: 10 * MIB, ..request }).await.unwrap();
    assert_eq!(answer.body.len(), 5 * MIB);
    // Frames can be longer than a slice.
    let pauses = u32::try_from(4 * MIB / SLICE_BYTES / 8).unwrap();
    assert!(began.elapsed() >= pauses * SLICE_PAUSE, "{:?}", began.elapsed());
}

#[tokio::test]
async fn answers_that_arrive_at_the_same_time_share_their_memory() {
    const MIB: usize = 1024 * 1024;
    let client = Arc::new(client().with_large_mibs(4));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let ask = || {
        let (client, request) = (Arc::clone(&client), request(&url));
        let request = Request { answer_bytes_max: 100 * MIB, ..request };
        tokio::spawn(async move { client.send(request).await.unwrap() })
    };
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
    // The first answer stops in its fourth MiB. It goes on holding three of the four.
    let first = ask();
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(head).await.unwrap();
    stream.write_all(&vec![b'x'; 3 * MIB + 1]).await.unwrap();
    while client.large_mibs_left() > 1 {
        tokio::task::yield_now().await;
    }
    // The second one never ends. It gets the fourth and no more.
    let second = ask();
    let (mut other, _) = listener.accept().await.unwrap();
    other.write_all(head).await.unwrap();
    while other.write_all(&vec![b'x'; MIB]).await.is_ok() {}
    let answer = second.await.unwrap();
    assert!(answer.is_cut);
    assert!((2 * MIB..3 * MIB).contains(&answer.body.len()), "{}", answer.body.len());
    drop(stream);
    assert_eq!(first.await.unwrap().body.len(), 3 * MIB + 1);
    assert_eq!(client.large_mibs_left(), 4);
}

/// An address that a test sets.
#[derive(Clone)]
struct Moving(Arc<parking_lot::Mutex<IpAddr>>);

#[async_trait]
impl Resolver for Moving {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![*self.0.lock()])
    }
}

/// A server that answers each request on a connection, up to `most`, and counts the connections.
async fn keeps(address: &str, most: usize) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                for _ in 0..most {
                    let mut text = Vec::new();
                    while !text.ends_with(b"\r\n\r\n{}") {
                        match stream.read_u8().await {
                            // A record of TLS begins with 22.
                            Ok(22) | Err(_) => return,
                            Ok(byte) => text.push(byte),
                        }
                    }
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, connections)
}

fn keeping(resolver: Moving, allowed: &'static str) -> Client {
    let allowed: IpAddr = allowed.parse().unwrap();
    let guard = Guard::for_users(move |address: IpAddr| address == allowed);
    let tls = trusting(RootCertStore::empty()).unwrap();
    Client::new(guard, Arc::new(resolver), tls).keeping_connections()
}

fn moving() -> Moving {
    Moving(Arc::new(parking_lot::Mutex::new("127.0.0.1".parse().unwrap())))
}

#[tokio::test]
async fn a_connection_is_used_again_for_the_same_server_alone() {
    let (port, connections) = keeps("127.0.0.1:0", usize::MAX).await;
    let (resolver, count) = (moving(), || connections.load(Ordering::Relaxed));
    let client = keeping(resolver.clone(), "127.0.0.1");
    let url = format!("http://one.test:{port}/");
    for _ in 0..10 {
        assert_eq!(client.send(request(&url)).await.unwrap().body, "ok");
    }
    assert_eq!((count(), client.idle_connections()), (1, 1));
    // Without connections to keep, each request makes one.
    let plain = client_with(RootCertStore::empty());
    for _ in 0..3 {
        plain.send(request(&url)).await.unwrap();
    }
    assert_eq!(count(), 4);
    // The name has another address now, which is refused. The idle connection is no way around that.
    *resolver.0.lock() = "127.0.0.2".parse().unwrap();
    let refused = client.send(request(&url)).await.unwrap_err();
    assert!(matches!(refused, SendError::Refused { .. }), "{refused}");
    assert_eq!((count(), client.idle_connections()), (4, 1));
}

#[tokio::test]
async fn another_address_or_certificate_name_gets_another_connection() {
    let (port, connections) = keeps("127.0.0.1:0", usize::MAX).await;
    let client = keeping(moving(), "127.0.0.1");
    client.send(request(&format!("http://one.test:{port}/"))).await.unwrap();
    assert_eq!(client.idle_connections(), 1);
    // The same address, but with TLS: the connection without it does not count.
    let encrypted = client.send(request(&format!("https://one.test:{port}/"))).await.unwrap_err();
    assert!(matches!(encrypted, SendError::Tls { .. }), "{encrypted}");
    assert_eq!((connections.load(Ordering::Relaxed), client.idle_connections()), (2, 1));
}

#[tokio::test]
async fn a_connection_that_its_server_closed_is_replaced() {
    let (port, connections) = keeps("127.0.0.1:0", 1).await;
    let client = keeping(moving(), "127.0.0.1");
    let url = format!("http://one.test:{port}/");
    for _ in 0..5 {
        let mut put = request(&url);
        put.method = Method::PUT;
        assert_eq!(client.send(put).await.unwrap().body, "ok");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn a_connection_with_a_cut_answer_is_not_used_again() {
    let (port, connections) = keeps("127.0.0.1:0", usize::MAX).await;
    let client = keeping(moving(), "127.0.0.1");
    let url = format!("http://one.test:{port}/");
    let mut short = request(&url);
    short.answer_bytes_max = 1;
    assert!(client.send(short).await.unwrap().is_cut);
    assert_eq!(client.idle_connections(), 0);
    client.send(request(&url)).await.unwrap();
    assert_eq!(connections.load(Ordering::Relaxed), 2);
}
