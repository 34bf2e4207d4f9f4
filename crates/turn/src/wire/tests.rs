//! The messages of RFC 5769, and what is no message.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::net::SocketAddr;

use proptest::prelude::*;

use super::{
    Class, Draft, Frames, HEADROOM, Key, Message, Payload, attribute, method, read_channel_data,
};

/// RFC 5769, section 2.4, and its credentials.
const SIGNED: &str = "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b9\
    00000015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f726700\
    00080014f67024656dd64a3e02b8e0712e85c9a28ca89666";

/// RFC 5769, section 2.2: a success with a fingerprint, for 192.0.2.1:32853.
const MAPPED_V4: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
    002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";

/// RFC 5769, section 2.3: the same for an IPv6 address.
const MAPPED_V6: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
    002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed41\
    80280004c8fb0b4c";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

#[test]
fn signed_message_of_the_standard_is_read_and_its_code_checked() {
    let signed = bytes(SIGNED);
    let message = Message::read(&signed).unwrap();
    assert_eq!((message.class, message.method), (Class::Request, method::BINDING));
    let username = message.text(attribute::USERNAME).unwrap();
    assert_eq!(username, "マトリックス");
    let realm = message.text(attribute::REALM).unwrap();
    assert_eq!(realm, "example.org");
    assert!(message.is_signed_by(&Key::new(username, realm, "TheMatrIX")));
    assert!(!message.is_signed_by(&Key::new(username, realm, "TheMatrix")));
}

#[test]
fn mapped_addresses_of_the_standard_are_read() {
    for (hex, address) in [
        (MAPPED_V4, "192.0.2.1:32853"),
        (MAPPED_V6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
    ] {
        let bytes = bytes(hex);
        let message = Message::read(&bytes).unwrap();
        assert_eq!(message.class, Class::Success);
        let mapped = message.address(attribute::XOR_MAPPED_ADDRESS);
        assert_eq!(mapped, Some(address.parse().unwrap()));
    }
}

#[test]
fn written_messages_are_read_again() {
    let key = Key::new("17:ada", "example.org", "secret");
    let peers: [SocketAddr; 2] =
        ["192.0.2.1:32853".parse().unwrap(), "[2001:db8::1]:7".parse().unwrap()];
    for peer in peers {
        let draft = Draft::new(Class::Error, method::CHANNEL_BIND, [7; 12]);
        let draft = draft.error(438, "stale").address(attribute::XOR_PEER_ADDRESS, peer);
        let bytes = draft.with(attribute::REALM, b"odd").signed(&key).finish();
        let message = Message::read(&bytes).unwrap();
        assert_eq!((message.class, message.method), (Class::Error, method::CHANNEL_BIND));
        assert_eq!(message.transaction, [7; 12]);
        assert_eq!(message.error(), Some((438, "stale".to_owned())));
        assert_eq!(message.address(attribute::XOR_PEER_ADDRESS), Some(peer));
        assert_eq!(message.text(attribute::REALM), Some("odd"));
        assert!(message.is_signed_by(&key));
    }
}

#[test]
fn each_changed_bit_is_noticed() {
    let key = Key::new("17:ada", "example.org", "secret");
    let draft =
        Draft::new(Class::Request, method::ALLOCATE, [7; 12]).number(attribute::LIFETIME, 9);
    let whole = draft.signed(&key).finish();
    assert!(Message::read(&whole).unwrap().is_signed_by(&key));
    for bit in 0..whole.len() * 8 {
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let is_right = Message::read(&changed).is_some_and(|message| {
            // A changed type of FINGERPRINT leaves an unknown attribute behind the code, which is ignored.
            message.is_signed_by(&key) && bit / 8 < whole.len() - 8
        });
        assert!(!is_right, "bit {bit}");
    }
}

#[test]
fn attributes_behind_the_code_do_not_count() {
    let key = Key::new("17:ada", "example.org", "secret");
    let draft = Draft::new(Class::Request, method::REFRESH, [7; 12]).signed(&key);
    let bytes = draft.number(attribute::LIFETIME, 0).finish();
    let message = Message::read(&bytes).unwrap();
    assert!(message.is_signed_by(&key));
    assert_eq!(message.number(attribute::LIFETIME), None);
}

#[test]
fn data_gets_its_header_in_place() {
    let data = b"hello";
    let buffer = || {
        let mut buffer = vec![1; HEADROOM];
        buffer.extend(data);
        buffer.resize(buffer.len() + 4, 1);
        buffer
    };
    let range = HEADROOM..HEADROOM + data.len();
    let mut first = buffer();
    let mut payload = Payload::new(&mut first, range.clone()).unwrap();
    assert_eq!(payload.on_channel(0x4001, false), b"\x40\x01\x00\x05hello");
    assert_eq!(payload.on_channel(0x4001, true), b"\x40\x01\x00\x05hello\0\0\0");
    for peer in ["192.0.2.1:7", "[2001:db8::1]:7"] {
        let mut second = buffer();
        let mut payload = Payload::new(&mut second, range.clone()).unwrap();
        let peer = peer.parse().unwrap();
        let message = Message::read(payload.as_indication(peer, [9; 12])).unwrap();
        assert_eq!((message.class, message.method), (Class::Indication, method::DATA));
        assert_eq!(message.address(attribute::XOR_PEER_ADDRESS), Some(peer));
        assert_eq!(message.attribute(attribute::DATA), Some(data.as_slice()));
    }
    assert!(Payload::new(&mut buffer(), 4..9).is_none());
    assert!(Payload::new(&mut buffer(), HEADROOM..HEADROOM + 6).is_none());
}

#[test]
fn a_stream_is_cut_into_messages_wherever_it_is_read() {
    let message = Draft::new(Class::Request, method::BINDING, [7; 12]).finish();
    let mut stream = message.clone();
    stream.extend(b"\x40\x01\x00\x05hello\0\0\0");
    stream.extend(&message);
    for step in 1..stream.len() {
        let mut frames = Frames::new(256);
        let mut found = Vec::new();
        for part in stream.chunks(step) {
            frames.space()[..part.len()].copy_from_slice(part);
            frames.filled(part.len());
            while let Some((buffer, frame)) = frames.next().unwrap() {
                found.push(buffer[frame].to_vec());
            }
        }
        assert_eq!(found.len(), 3);
        assert_eq!(found[1], b"\x40\x01\x00\x05hello\0\0\0");
        assert!(found[0] == message && found[2] == message);
    }
    for bad in [b"GET ", b"\x80\0\0\0", b"\x40\x01\xff\xff"] {
        let mut frames = Frames::new(256);
        frames.space()[..4].copy_from_slice(bad);
        frames.filled(4);
        assert!(frames.next().is_err());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_all(&bytes);
        let mut header = b"\x00\x03\x00\x00\x21\x12\xa4\x42123456789012".to_vec();
        header.extend(&bytes);
        header.resize(header.len().next_multiple_of(4), 0);
        let length = u16::try_from(header.len() - 20).unwrap();
        header[2..4].copy_from_slice(&length.to_be_bytes());
        read_all(&header);
    }
}

fn read_all(bytes: &[u8]) {
    read_channel_data(bytes);
    let Some(message) = Message::read(bytes) else { return };
    for (kind, value) in message.attributes() {
        message.address(kind);
        message.number(kind);
        message.text(kind);
        message.read_address(value);
    }
    message.error();
    message.is_signed_by(&Key::new("a", "b", "c"));
}
