//! A message on its way into the buffer of a WebSocket. The buffer keeps the size of its longest
//! frame as long as it exists.
//!
//! **Invariant:** no frame is longer than [`FRAME_BYTES_MAX`].

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// The longest payload of a frame. Longer messages go in several (RFC 6455, section 5.4).
pub(super) const FRAME_BYTES_MAX: usize = 16 * 1024;

/// The part of a message that is not in the buffer yet.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// The whole message, in one frame.
    Whole(Message),
    /// The rest of a longer message, and the type of its next frame.
    Rest(Bytes, Data),
}

impl From<Message> for Outgoing {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(text) if text.len() > FRAME_BYTES_MAX => {
                Self::Rest(text.into(), Data::Text)
            }
            message => Self::Whole(message),
        }
    }
}

impl Outgoing {
    /// The next frame, and the rest.
    pub(super) fn next_frame(self) -> (Message, Option<Self>) {
        let (mut payload, code) = match self {
            Self::Whole(message) => return (message, None),
            Self::Rest(payload, code) => (payload, code),
        };
        let rest = payload.split_off(payload.len().min(FRAME_BYTES_MAX));
        let frame = Frame::message(payload, OpCode::Data(code), rest.is_empty());
        let rest = (!rest.is_empty()).then_some(Self::Rest(rest, Data::Continue));
        (Message::Frame(frame), rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_goes_in_frames_that_are_short_and_end_once() {
        for len in [1, FRAME_BYTES_MAX] {
            let (whole, rest) = Outgoing::from(Message::text("x".repeat(len))).next_frame();
            assert!(whole.is_text() && rest.is_none(), "{len} bytes are one frame");
        }
        // Characters of two bytes, so that a frame ends within one.
        let text = format!("x{}", "ä".repeat(FRAME_BYTES_MAX));
        let (mut sent, mut codes) = (Vec::new(), Vec::new());
        let mut next = Some(Outgoing::from(Message::text(text.clone())));
        while let Some(outgoing) = next {
            let (message, rest) = outgoing.next_frame();
            let Message::Frame(frame) = message else { panic!("{message:?} is no frame") };
            assert!(frame.payload().len() <= FRAME_BYTES_MAX);
            assert_eq!(frame.header().is_final, rest.is_none());
            codes.push(frame.header().opcode);
            sent.extend_from_slice(frame.payload());
            next = rest;
        }
        assert_eq!(sent, text.as_bytes());
        let more = OpCode::Data(Data::Continue);
        assert_eq!(codes, [OpCode::Data(Data::Text), more, more]);
    }
}
