//! A program that receives requests over HTTP, as the tests need it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tokio_rustls::rustls::{
    ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer,
};

/// The reply of a receiver to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Answers with this status.
    Status(u16),
    /// Sends the client to another address.
    Redirect(String),
    /// Never answers.
    Nothing,
    /// Answers byte by byte, and never to the end.
    Slowly,
}

/// A request that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The status that was answered; 0 without an answer.
    pub(crate) status: u16,
}

impl Arrived {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).expect("the header is there")
    }

    /// The texts of the messages in it.
    pub(crate) fn texts(&self) -> Vec<String> {
        let body: Value = serde_json::from_str(&self.body).expect("the body is JSON");
        let events = body["events"].as_array().expect("it has events").iter();
        let text = |event: &Value| Some(event["content"]["body"].as_str()?.to_owned());
        events.filter_map(text).collect()
    }
}

/// A program that listens on loopback. Its threads end with the test.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    scheme: &'static str,
    reply: Arc<Mutex<Reply>>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Receiver {
    pub(crate) fn start(reply: Reply) -> Self {
        Self::start_as(reply, "http", Some)
    }

    /// A receiver with TLS, by a certificate for 127.0.0.1. The certificate of its authority, as PEM, is in the file
    /// `authority` from then on.
    pub(crate) fn start_tls(reply: Reply, authority: &Path) -> Self {
        let config = Arc::new(certified(authority));
        Self::start_as(reply, "https", move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).ok()?;
            Some(StreamOwned::new(connection, stream))
        })
    }

    /// A receiver whose connections `open` makes ready.
    fn start_as<S: Read + Write>(
        reply: Reply,
        scheme: &'static str,
        open: impl Fn(TcpStream) -> Option<S> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let port = listener.local_addr().expect("it has a port").port();
        let (reply, arrived) = (Arc::new(Mutex::new(reply)), Arc::new(Mutex::new(Vec::new())));
        let (replies, all) = (Arc::clone(&reply), Arc::clone(&arrived));
        let open = Arc::new(open);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (reply, all) = (Arc::clone(&replies), Arc::clone(&all));
                let open = Arc::clone(&open);
                thread::spawn(move || take(open(stream)?, &reply, &all));
            }
        });
        Self { port, scheme, reply, arrived }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}/in?from=rookery", self.scheme, self.port)
    }

    pub(crate) fn reply_with(&self, reply: Reply) {
        *self.reply.lock().expect("nobody panics with it") = reply;
    }

    /// The requests so far.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().expect("nobody panics with it").clone()
    }

    /// The texts of the messages that were taken, in order.
    pub(crate) fn taken(&self) -> Vec<String> {
        let arrived = self.arrived();
        arrived.iter().filter(|it| it.status == 200).flat_map(Arrived::texts).collect()
    }
}

/// The settings of a receiver for 127.0.0.1, by an authority of its own, whose certificate is written to a file.
fn certified(authority: &Path) -> ServerConfig {
    let made = "certificates can be made";
    let mut params = CertificateParams::new(Vec::new()).expect(made);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect(made);
    let root = params.self_signed(&key).expect(made);
    let text = STANDARD.encode(root.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    std::fs::write(authority, pem).expect("the folder is there");
    let own = KeyPair::generate().expect(made);
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect(made);
    let leaf = leaf.signed_by(&own, &Issuer::new(params, key)).expect(made);
    let own = PrivateKeyDer::try_from(own.serialize_der()).expect(made);
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("they are known");
    let config = config.with_no_client_auth();
    config
        .with_single_cert(vec![leaf.der().clone()], own)
        .expect("the key is that of the certificate")
}

/// Reads one request, and replies.
fn take(stream: impl Read + Write, reply: &Mutex<Reply>, all: &Mutex<Vec<Arrived>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ") {
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut stream = reader.into_inner();
    let body = String::from_utf8(body).ok()?;
    let reply = reply.lock().expect("nobody panics with it").clone();
    let status = match &reply {
        Reply::Status(status) => *status,
        Reply::Redirect(_) => 307,
        Reply::Nothing | Reply::Slowly => 0,
    };
    all.lock().expect("nobody panics with it").push(Arrived { headers, body, status });
    match reply {
        Reply::Status(status) => {
            let answer = format!("HTTP/1.1 {status} Answer\r\ncontent-length: 2\r\n\r\nok");
            stream.write_all(answer.as_bytes()).ok()
        }
        Reply::Redirect(url) => {
            let answer =
                format!("HTTP/1.1 307 Elsewhere\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).ok()
        }
        // Until the server gives up.
        Reply::Nothing => stream.read_to_end(&mut Vec::new()).ok().map(drop),
        Reply::Slowly => {
            let mut bytes = b"HTTP/1.1 200 OK\r\nx-long: ".iter().chain(std::iter::repeat(&b'x'));
            while stream.write_all(&[*bytes.next()?]).is_ok() {
                thread::sleep(Duration::from_millis(100));
            }
            Some(())
        }
    }
}
