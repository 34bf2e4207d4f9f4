//! A client of a relay.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    client::{Transport, Trouble, link::Link},
    wire::{Class, Draft, Key, Message, Transaction, attribute, code, method, read_channel_data},
};

/// The first pause before a request is sent again. Source: RFC 8489, section 6.2.1.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Data that waits while the client waits for an answer. More is dropped.
const WAITING_MAX: usize = 64;

/// The protocol number of UDP.
const UDP: u32 = 17 << 24;

/// The name and the password of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password.
    pub credential: String,
}

/// An allocation, as the relay reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocated {
    /// The address that peers send to.
    pub relayed: SocketAddr,
    /// The address of the client, as the relay sees it.
    pub mapped: SocketAddr,
    /// How long the allocation lives without a refresh.
    pub lifetime: Duration,
}

/// The addresses that an allocation can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// The sender of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A peer.
    Peer(SocketAddr),
    /// The peer of a channel.
    Channel(u16),
}

/// Data of a peer.
pub type Received = (Source, Vec<u8>);

/// A client of a relay.
pub struct RelayClient {
    link: Link,
    login: Login,
    /// The realm and the nonce with which the relay asked for credentials.
    question: Option<(String, String)>,
    patience: Duration,
    waiting: VecDeque<Received>,
}

impl RelayClient {
    /// Opens a socket to the relay. `patience` is how long the client waits for each answer.
    ///
    /// # Errors
    /// An error of the system.
    pub fn open(
        relay: SocketAddr,
        transport: Transport,
        login: Login,
        patience: Duration,
    ) -> io::Result<Self> {
        let link = Link::open(relay, transport, patience)?;
        Ok(Self { link, login, question: None, patience, waiting: VecDeque::new() })
    }

    /// The address of the socket.
    ///
    /// # Errors
    /// An error of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.link.local_addr()
    }

    /// Asks for the client's address, as the relay sees it.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn mapped_address(&mut self) -> Result<SocketAddr, Trouble> {
        let answer = self.exchange(method::BINDING, None, &|draft| draft)?;
        let answer = read(&answer)?;
        answer.address(attribute::XOR_MAPPED_ADDRESS).ok_or(NO_ADDRESS)
    }

    /// Asks for an allocation without credentials. The relay has to ask for them, and tells its realm.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn realm(&mut self) -> Result<String, Trouble> {
        let request = |draft: Draft| draft.number(attribute::REQUESTED_TRANSPORT, UDP);
        let answer = self.exchange(method::ALLOCATE, None, &request)?;
        let answer = read(&answer)?;
        match answer.error() {
            Some((code::UNAUTHENTICATED, _)) => {
                let question = question(&answer)?;
                let realm = question.0.clone();
                self.question = Some(question);
                Ok(realm)
            }
            Some((code, reason)) => Err(Trouble::Refused { code, reason }),
            None => Err(Trouble::Malformed("gives an allocation to a client without credentials")),
        }
    }

    /// Asks for an allocation.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn allocate(&mut self, family: Family) -> Result<Allocated, Trouble> {
        let request = |draft: Draft| {
            let draft = draft.number(attribute::REQUESTED_TRANSPORT, UDP);
            match family {
                // Without the attribute the relay takes IPv4.
                Family::V4 => draft,
                Family::V6 => draft.number(attribute::REQUESTED_ADDRESS_FAMILY, 2 << 24),
            }
        };
        let answer = self.request(method::ALLOCATE, &request)?;
        let answer = read(&answer)?;
        let address = |kind| answer.address(kind).ok_or(NO_ADDRESS);
        let seconds = answer.number(attribute::LIFETIME).unwrap_or(0);
        Ok(Allocated {
            relayed: address(attribute::XOR_RELAYED_ADDRESS)?,
            mapped: address(attribute::XOR_MAPPED_ADDRESS)?,
            lifetime: Duration::from_secs(seconds.into()),
        })
    }

    /// Keeps the allocation, or ends it if `seconds` is 0. Returns the granted lifetime in seconds.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn refresh(&mut self, seconds: u32) -> Result<u32, Trouble> {
        let request = |draft: Draft| draft.number(attribute::LIFETIME, seconds);
        let answer = self.request(method::REFRESH, &request)?;
        read(&answer)?.number(attribute::LIFETIME).ok_or(Trouble::Malformed("has no lifetime"))
    }

    /// Lets peers send to the client and be sent to. Their ports do not count.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn permit(&mut self, peers: &[SocketAddr]) -> Result<(), Trouble> {
        let request = |draft: Draft| {
            let add =
                |draft: Draft, peer: &SocketAddr| draft.address(attribute::XOR_PEER_ADDRESS, *peer);
            peers.iter().fold(draft, add)
        };
        self.request(method::CREATE_PERMISSION, &request).map(drop)
    }

    /// Binds a channel to a peer.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn bind_channel(&mut self, number: u16, peer: SocketAddr) -> Result<(), Trouble> {
        let request = |draft: Draft| {
            draft
                .number(attribute::CHANNEL_NUMBER, u32::from(number) << 16)
                .address(attribute::XOR_PEER_ADDRESS, peer)
        };
        self.request(method::CHANNEL_BIND, &request).map(drop)
    }

    /// Sends data to a peer.
    ///
    /// # Errors
    /// An error of the system. The relay tells nothing.
    pub fn send(&mut self, peer: SocketAddr, data: &[u8]) -> io::Result<()> {
        let draft = Draft::new(Class::Indication, method::SEND, transaction()?);
        let draft = draft.address(attribute::XOR_PEER_ADDRESS, peer).with(attribute::DATA, data);
        self.link.send(&draft.finish())
    }

    /// Sends data to the peer of a channel.
    ///
    /// # Errors
    /// An error of the system. The relay tells nothing.
    pub fn send_on(&mut self, number: u16, data: &[u8]) -> io::Result<()> {
        let length = u16::try_from(data.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut message = Vec::with_capacity(4 + data.len().next_multiple_of(4));
        message.extend(number.to_be_bytes());
        message.extend(length.to_be_bytes());
        message.extend(data);
        message.resize(message.len().next_multiple_of(4), 0);
        self.link.send(&message)
    }

    /// Sends bytes as they are, for tests of the relay.
    ///
    /// # Errors
    /// An error of the system.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.link.send(bytes)
    }

    /// The next data of a peer, if it comes within `patience`.
    ///
    /// # Errors
    /// An error of the system.
    pub fn receive(&mut self, patience: Duration) -> io::Result<Option<Received>> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(data) = self.waiting.pop_front() {
                return Ok(Some(data));
            }
            let Some(message) = self.link.receive(deadline)? else { return Ok(None) };
            self.keep_data(&message);
        }
    }

    /// Sends a signed request. Answers a question of the relay for credentials once.
    fn request(&mut self, method: u16, add: &dyn Fn(Draft) -> Draft) -> Result<Vec<u8>, Trouble> {
        if self.question.is_none() {
            self.realm()?;
        }
        for is_last in [false, true] {
            let Some((realm, nonce)) = self.question.clone() else { break };
            let Login { username, credential } = &self.login;
            let key = Key::new(username, &realm, credential);
            let username = username.clone();
            let signed = |draft: Draft| {
                add(draft)
                    .with(attribute::USERNAME, username.as_bytes())
                    .with(attribute::REALM, realm.as_bytes())
                    .with(attribute::NONCE, nonce.as_bytes())
            };
            let bytes = self.exchange(method, Some(&key), &signed)?;
            let answer = read(&bytes)?;
            match answer.error() {
                Some((code::STALE_NONCE, _)) if !is_last => {
                    self.question = Some(question(&answer)?);
                }
                Some((code, reason)) => return Err(Trouble::Refused { code, reason }),
                None if !answer.is_signed_by(&key) => {
                    return Err(Trouble::Malformed("is not signed with the credentials"));
                }
                None => return Ok(bytes),
            }
        }
        Err(Trouble::Malformed("asks for another nonce again and again"))
    }

    /// Sends a request until its answer comes.
    fn exchange(
        &mut self,
        method: u16,
        key: Option<&Key>,
        add: &dyn Fn(Draft) -> Draft,
    ) -> Result<Vec<u8>, Trouble> {
        let transaction = transaction()?;
        let draft = add(Draft::new(Class::Request, method, transaction));
        let request = match key {
            Some(key) => draft.signed(key).finish(),
            None => draft.finish(),
        };
        let end = Instant::now() + self.patience;
        let mut pause = FIRST_PAUSE;
        loop {
            self.link.send(&request)?;
            let again = Instant::now() + pause;
            let deadline = if self.link.loses() { again.min(end) } else { end };
            while let Some(message) = self.link.receive(deadline)? {
                let is_answer = Message::read(&message).is_some_and(|message| {
                    matches!(message.class, Class::Success | Class::Error)
                        && message.transaction == transaction
                });
                if is_answer {
                    return Ok(message);
                }
                self.keep_data(&message);
            }
            if Instant::now() >= end {
                return Err(Trouble::Silent);
            }
            pause *= 2;
        }
    }

    fn keep_data(&mut self, message: &[u8]) {
        let received = match read_channel_data(message) {
            Some((number, data)) => Some((Source::Channel(number), message[data].to_vec())),
            None => Message::read(message).and_then(|message| {
                let is_data = message.class == Class::Indication && message.method == method::DATA;
                is_data.then_some(())?;
                let peer = message.address(attribute::XOR_PEER_ADDRESS)?;
                Some((Source::Peer(peer), message.attribute(attribute::DATA)?.to_vec()))
            }),
        };
        if self.waiting.len() < WAITING_MAX {
            self.waiting.extend(received);
        }
    }
}

const NO_ADDRESS: Trouble = Trouble::Malformed("has no address");

fn read(answer: &[u8]) -> Result<Message<'_>, Trouble> {
    Message::read(answer).ok_or(Trouble::Malformed("is no message"))
}

fn question(answer: &Message<'_>) -> Result<(String, String), Trouble> {
    let text = |kind| answer.text(kind).map(ToOwned::to_owned);
    let question = text(attribute::REALM).zip(text(attribute::NONCE));
    question.ok_or(Trouble::Malformed("asks for credentials without realm and nonce"))
}

fn transaction() -> io::Result<Transaction> {
    let mut transaction = [0; 12];
    getrandom::fill(&mut transaction).map_err(io::Error::other)?;
    Ok(transaction)
}
