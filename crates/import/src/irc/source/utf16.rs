//! Converts logs in UTF-16, which some clients on Windows write, to UTF-8.

use std::io::{self, Read};

use encoding_rs::{Decoder, Encoding, UTF_16BE, UTF_16LE};

/// Bytes decoded at a time.
const CHUNK_BYTES: usize = 16 * 1_024;

/// Whether a file with this start is in UTF-16, and its byte order.
pub(super) fn detect(start: &[u8]) -> Option<&'static Encoding> {
    if start.starts_with(b"\xff\xfe") {
        return Some(UTF_16LE);
    }
    if start.starts_with(b"\xfe\xff") {
        return Some(UTF_16BE);
    }
    // Without a mark: letters, digits and blanks of ASCII have one zero byte, always the same one.
    let start = &start[..start.len() - start.len() % 2];
    let pairs = start.len() / 2;
    let zeros =
        |first: usize| start.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let (high, low) = (zeros(0), zeros(1));
    match () {
        () if pairs >= 8 && low * 10 >= pairs * 4 && high * 20 <= pairs => Some(UTF_16LE),
        () if pairs >= 8 && high * 10 >= pairs * 4 && low * 20 <= pairs => Some(UTF_16BE),
        () => None,
    }
}

/// Returns the content of `input` as UTF-8. Invalid characters become U+FFFD.
pub(super) struct AsUtf8<R> {
    input: R,
    decoder: Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> AsUtf8<R> {
    pub(super) fn new(input: R, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_with_bom_removal();
        Self { input, decoder, raw: vec![0; CHUNK_BYTES], text: Vec::new(), given: 0, ended: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        let count = self.input.read(&mut self.raw)?;
        self.ended = count == 0;
        let most = self.decoder.max_utf8_buffer_length(count).unwrap_or(4 * CHUNK_BYTES);
        self.text.resize(most, 0);
        let (_, _, written, _) =
            self.decoder.decode_to_utf8(&self.raw[..count], &mut self.text, self.ended);
        self.text.truncate(written);
        self.given = 0;
        Ok(())
    }
}

impl<R: Read> Read for AsUtf8<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.ended {
            self.refill()?;
        }
        let left = &self.text[self.given..];
        let count = left.len().min(into.len());
        into[..count].copy_from_slice(&left[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(text: &str, little: bool) -> Vec<u8> {
        let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    }

    fn decode(bytes: &[u8]) -> Option<String> {
        let start = &bytes[..bytes.len().min(1_024)];
        let mut text = String::new();
        AsUtf8::new(bytes, detect(start)?).read_to_string(&mut text).expect("is UTF-8");
        Some(text)
    }

    #[test]
    fn utf16_is_found_with_and_without_a_mark() {
        let text = "[07:00] <wren> привет, naïve 🐦\r\n[07:01] <wren> hi\r\n";
        for little in [true, false] {
            assert_eq!(decode(&encode(text, little)).as_deref(), Some(text));
            assert_eq!(decode(&encode(&format!("\u{feff}{text}"), little)).as_deref(), Some(text));
        }
        let long = text.repeat(2_000);
        assert_eq!(decode(&encode(&long, true)), Some(long));
    }

    #[test]
    fn other_files_are_not_taken_for_utf16() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0";
        for bytes in [&b"[07:00] <wren> hi\n"[..], png, &[0; 64], b"", b"\0", "привет".as_bytes()]
        {
            assert!(detect(bytes).is_none(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read_as_utf16(bytes: Vec<u8>) {
            let mut text = String::new();
            prop_assert!(AsUtf8::new(&bytes[..], UTF_16LE).read_to_string(&mut text).is_ok());
        }
    }
}
