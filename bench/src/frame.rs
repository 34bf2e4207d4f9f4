//! WebSocket frames as bytes. Those of a client are masked with zeros, which is allowed and needs no work.
//!
//! Source: RFC 6455, section 5.2.

use crate::Error;

/// Longest frame that is read.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The opcode of a text.
pub(crate) const TEXT: u8 = 1;
/// The opcode that closes a socket.
pub(crate) const CLOSE: u8 = 8;
/// The opcode that asks for a pong.
pub(crate) const PING: u8 = 9;
/// The opcode that answers a ping.
const PONG: u8 = 10;

/// The bit of the first byte that says that the message ends with this frame.
const FINAL: u8 = 0x80;
/// The bit of the second byte that says that the payload is masked.
const MASKED: u8 = 0x80;
/// A length that says that the real one follows in two bytes.
const LENGTH_16: u8 = 0x7e;
/// A length that says that the real one follows in eight bytes.
const LENGTH_64: u8 = 0x7f;

/// The header of a frame: opcode, where its payload begins, and where it ends.
#[derive(Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) begin: usize,
    pub(crate) end: usize,
}

/// The bytes of a text frame.
pub(crate) fn text(payload: &str) -> Vec<u8> {
    frame(TEXT, payload.as_bytes())
}

/// The bytes that answer a ping.
pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
    frame(PONG, payload)
}

fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![FINAL | opcode];
    match payload.len() {
        length @ 0..126 => bytes.push(MASKED | u8::try_from(length).unwrap_or(0)),
        length @ 126..65_536 => {
            bytes.push(MASKED | LENGTH_16);
            bytes.extend(u16::try_from(length).unwrap_or(0).to_be_bytes());
        }
        length => {
            bytes.push(MASKED | LENGTH_64);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// Reads the header of an unmasked frame; none if it is not all there, payload included.
///
/// # Errors
/// If the frame is too long, or a part of a message.
pub(crate) fn header(bytes: &[u8]) -> Result<Option<Frame>, Error> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let (length, begin) = match second & !MASKED {
        LENGTH_16 => match rest {
            [a, b, ..] => (usize::from(u16::from_be_bytes([*a, *b])), 4),
            _ => return Ok(None),
        },
        LENGTH_64 => match rest.first_chunk::<8>() {
            Some(length) => (usize::try_from(u64::from_be_bytes(*length))?, 10),
            None => return Ok(None),
        },
        length => (usize::from(length), 2),
    };
    if length > FRAME_BYTES_MAX || first & FINAL == 0 {
        return Err("a frame is too long, or in parts".into());
    }
    let end = begin + length;
    Ok((bytes.len() >= end).then_some(Frame { opcode: first & 0xf, begin, end }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_read_once_all_of_its_frame_is_there() {
        let short = [0x81, 2, b'h', b'i', 0x81];
        let expected = Frame { opcode: TEXT, begin: 2, end: 4 };
        assert_eq!(header(&short).ok(), Some(Some(expected)));
        assert_eq!(header(&short[..3]).ok(), Some(None));
        let mut long = vec![0x81, 126, 1, 0];
        long.extend([b'x'; 256]);
        assert_eq!(header(&long).ok(), Some(Some(Frame { opcode: TEXT, begin: 4, end: 260 })));
    }

    #[test]
    fn frame_says_its_length_in_the_shortest_form() {
        assert_eq!(frame(1, b"hi"), [0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
        assert_eq!(frame(1, &[b'x'; 300])[..4], [0x81, 0xfe, 1, 44]);
    }
}
