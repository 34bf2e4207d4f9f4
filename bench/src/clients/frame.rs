//! WebSocket frames as bytes. Those of a client are masked with zeros, which is allowed and needs no work.
//!
//! Source: RFC 6455, section 5.2.

use crate::Error;

/// Longest frame that this client reads.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The opcode of a continuation in a message of several frames.
const CONTINUATION: u8 = 0;
/// The opcode of a text.
pub(crate) const TEXT: u8 = 1;
/// The opcode that closes a socket.
pub(crate) const CLOSE: u8 = 8;
/// The opcode that asks for a pong.
pub(crate) const PING: u8 = 9;
/// The opcode that answers a ping.
const PONG: u8 = 10;

/// The bit of the first byte that marks the last frame of a message.
const FINAL: u8 = 0x80;
/// The bit of the second byte that marks a masked payload.
const MASKED: u8 = 0x80;
/// A length value that means: the real length follows in two bytes.
const LENGTH_16: u8 = 0x7e;
/// A length value that means: the real length follows in eight bytes.
const LENGTH_64: u8 = 0x7f;

/// The header of a frame: opcode, whether it is the last of its message, start and end of the payload.
#[derive(Debug, PartialEq)]
struct Frame {
    opcode: u8,
    is_final: bool,
    begin: usize,
    end: usize,
}

/// A message: opcode, start and end of its payload, and the start of the next message.
#[derive(Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) opcode: u8,
    pub(crate) begin: usize,
    pub(crate) end: usize,
    pub(crate) next: usize,
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

/// Reads an unmasked message, and joins its frames in place; `None` if it is not complete. A closing frame within a
/// message replaces it.
///
/// # Errors
/// If a frame is too long, or is out of place.
pub(crate) fn message(bytes: &mut [u8]) -> Result<Option<Message>, Error> {
    let Some(Frame { opcode, is_final, begin, mut end }) = header(bytes)? else { return Ok(None) };
    let (mut next, mut is_final, mut parts) = (end, is_final, Vec::new());
    while !is_final {
        let Some(part) = header(&bytes[next..])? else { return Ok(None) };
        let (begin, end) = (next + part.begin, next + part.end);
        match part.opcode {
            CONTINUATION => parts.push(begin..end),
            CLOSE => return Ok(Some(Message { opcode: CLOSE, begin, end, next: end })),
            other => return Err(format!("a frame with opcode {other} within a message").into()),
        }
        (next, is_final) = (end, part.is_final);
    }
    for part in parts {
        let len = part.len();
        bytes.copy_within(part, end);
        end += len;
    }
    Ok(Some(Message { opcode, begin, end, next }))
}

/// Reads the header of an unmasked frame; `None` if the frame is not complete.
fn header(bytes: &[u8]) -> Result<Option<Frame>, Error> {
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
    if length > FRAME_BYTES_MAX {
        return Err("a frame is too long".into());
    }
    let (opcode, is_final, end) = (first & 0xf, first & FINAL != 0, begin + length);
    Ok((bytes.len() >= end).then_some(Frame { opcode, is_final, begin, end }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_read_once_all_of_its_frame_is_there() {
        let short = [0x81, 2, b'h', b'i', 0x81];
        let expected = Frame { opcode: TEXT, is_final: true, begin: 2, end: 4 };
        assert_eq!(header(&short).ok(), Some(Some(expected)));
        assert_eq!(header(&short[..3]).ok(), Some(None));
        let mut long = vec![0x81, 126, 1, 0];
        long.extend([b'x'; 256]);
        let expected = Frame { opcode: TEXT, is_final: true, begin: 4, end: 260 };
        assert_eq!(header(&long).ok(), Some(Some(expected)));
    }

    #[test]
    fn message_of_several_frames_is_joined_once_it_is_all_there() {
        let sent = [1, 2, b'w', b'h', 0, 1, b'o', 0x80, 2, b'l', b'e', 0x81, 1, b'x'];
        for len in 0..11 {
            assert_eq!(message(&mut sent[..len].to_vec()).ok(), Some(None), "{len} bytes");
        }
        let mut bytes = sent;
        let read = |bytes: &mut [u8]| message(bytes).ok().flatten();
        let whole = Message { opcode: TEXT, begin: 2, end: 7, next: 11 };
        assert_eq!(read(&mut bytes), Some(whole));
        assert_eq!(&bytes[2..7], b"whole");
        let after = Message { opcode: TEXT, begin: 2, end: 3, next: 3 };
        assert_eq!(read(&mut bytes[11..]), Some(after));
        let closed = Message { opcode: CLOSE, begin: 5, end: 5, next: 5 };
        assert_eq!(read(&mut [1, 1, b'x', 0x88, 0]), Some(closed));
    }

    #[test]
    fn frame_says_its_length_in_the_shortest_form() {
        assert_eq!(frame(1, b"hi"), [0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
        assert_eq!(frame(1, &[b'x'; 300])[..4], [0x81, 0xfe, 1, 44]);
    }
}
