//! Messages in a stream of bytes.
//!
//! Source: RFC 8656, section 3.1 and section 12.5.

use std::ops::Range;

use crate::wire::{HEADROOM, PADDING, TAILROOM, channel::CHANNELS, message::HEADER_BYTES};

/// A buffer, and where a message is in it.
pub(crate) type Frame<'a> = (&'a mut [u8], Range<usize>);

/// The stream is no TURN, and cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameError;

/// Cuts a stream into messages. A buffer is large enough for the longest one, so it never grows.
pub(crate) struct Frames {
    buffer: Vec<u8>,
    /// Where unread bytes begin, and end.
    start: usize,
    end: usize,
    frame_bytes_max: usize,
}

impl Frames {
    pub(crate) fn new(frame_bytes_max: usize) -> Self {
        let buffer = vec![0; HEADROOM + 2 * frame_bytes_max + TAILROOM];
        Self { buffer, start: HEADROOM, end: HEADROOM, frame_bytes_max }
    }

    /// Where the next bytes of the stream belong.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.start > HEADROOM {
            self.buffer.copy_within(self.start..self.end, HEADROOM);
            self.end -= self.start - HEADROOM;
            self.start = HEADROOM;
        }
        let end = self.buffer.len() - TAILROOM;
        &mut self.buffer[self.end..end]
    }

    /// Notes that `bytes` were written to the space.
    pub(crate) fn filled(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// The next whole message. `None` until more bytes come.
    ///
    /// # Errors
    /// [`FrameError`] if no message begins here.
    pub(crate) fn next(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let unread = &self.buffer[self.start..self.end];
        let Some(&[a, b, c, d]) = unread.first_chunk() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([c, d]));
        let length = match u16::from_be_bytes([a, b]) {
            kind if kind >> 14 == 0 => HEADER_BYTES + length,
            number if CHANNELS.contains(&number) => 4 + length.next_multiple_of(PADDING),
            _ => return Err(FrameError),
        };
        if length > self.frame_bytes_max {
            return Err(FrameError);
        }
        if unread.len() < length {
            return Ok(None);
        }
        let frame = self.start..self.start + length;
        self.start = frame.end;
        Ok(Some((&mut self.buffer, frame)))
    }
}
