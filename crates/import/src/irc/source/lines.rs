//! The lines of one file.

use std::io::{self, BufRead};

use crate::irc::line::LINE_BYTES_MAX;

/// Marks UTF-8, at the start of a file and wherever files were joined.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines of one file, which end in LF, CR LF or CR. Zero bytes, which a power cut leaves, and
/// marks of UTF-8 are left out.
pub struct Lines<'a> {
    reader: Box<dyn BufRead + 'a>,
    number: u64,
    bytes: u64,
    line: Vec<u8>,
    /// The previous line ended in CR, so an LF here belongs to its end.
    ended_in_cr: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn new(reader: Box<dyn BufRead + 'a>) -> Self {
        Self { reader, number: 0, bytes: 0, line: Vec::new(), ended_in_cr: false }
    }

    /// The next line with its number from 1, without its end; `None` at the end of the file. Of an overlong line only
    /// the start is returned, which is overlong as well.
    ///
    /// # Errors
    /// If the file cannot be read further.
    pub fn read(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        self.line.clear();
        let mut any = false;
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                if !any {
                    return Ok(None);
                }
                break;
            }
            if std::mem::take(&mut self.ended_in_cr) && buffer[0] == b'\n' {
                self.reader.consume(1);
                self.bytes += 1;
                continue;
            }
            any = true;
            let end = memchr::memchr2(b'\n', b'\r', buffer);
            let taken = end.unwrap_or(buffer.len());
            let room = (LINE_BYTES_MAX + 1).saturating_sub(self.line.len());
            let text = &buffer[..taken];
            if memchr::memchr(0, text).is_some() {
                self.line.extend(text.iter().filter(|byte| **byte != 0).take(room));
            } else {
                self.line.extend_from_slice(&text[..taken.min(room)]);
            }
            self.ended_in_cr = end.is_some_and(|end| buffer[end] == b'\r');
            let taken = taken + usize::from(end.is_some());
            self.reader.consume(taken);
            self.bytes += taken as u64;
            if end.is_some() {
                break;
            }
        }
        self.number += 1;
        Ok(Some((self.number, self.line.strip_prefix(UTF8_MARK).unwrap_or(&self.line))))
    }

    /// The number of bytes read.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    /// The lines, read with a small buffer, so that line ends cross its borders.
    fn lines(bytes: &[u8], buffer: usize) -> Vec<Vec<u8>> {
        let mut lines = Lines::new(Box::new(BufReader::with_capacity(buffer, bytes)));
        let mut all = Vec::new();
        while let Some((number, line)) = lines.read().expect("reads") {
            all.push(line.to_vec());
            assert_eq!(number, all.len() as u64);
        }
        assert_eq!(lines.bytes(), bytes.len() as u64);
        all
    }

    #[test]
    fn lines_end_as_on_any_system() {
        for buffer in 1..8 {
            for text in ["a\nb\n", "a\r\nb\r\n", "a\rb\r", "a\rb", "a\r\nb", "a\nb\r"] {
                assert_eq!(lines(text.as_bytes(), buffer), [b"a", b"b"], "{text:?} by {buffer}");
            }
            assert_eq!(lines(b"a\r\rb\n\nc", buffer), [&b"a"[..], b"", b"b", b"", b"c"]);
            assert_eq!(lines(b"", buffer), Vec::<Vec<u8>>::new());
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
        for extra in 0..4 {
            let long = vec![b'x'; LINE_BYTES_MAX - 1 + extra];
            let lines = lines(&[&long[..], b"\nnext\n"].concat(), 1_000);
            assert_eq!(lines.len(), 2, "{extra}");
            assert_eq!(lines[0].len() > LINE_BYTES_MAX, extra > 1, "{extra}");
            assert_eq!(lines[1], b"next");
        }
    }

    #[test]
    fn zero_bytes_and_marks_of_utf8_are_left_out() {
        let zeros = vec![0; 2 * LINE_BYTES_MAX];
        for buffer in [1, 5, 1_000] {
            let text = [b"\xef\xbb\xbfa\n", &zeros[..], b"b\nc\0\n\xef\xbb\xbfd"].concat();
            assert_eq!(lines(&text, buffer), [b"a", b"b", b"c", b"d"]);
        }
    }

    proptest! {
        #[test]
        fn the_same_lines_are_read_with_any_end(
            content in prop::collection::vec("[a-z ]{0,9}", 1..9),
            end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
            buffer in 1_usize..20,
        ) {
            let text = content.join(end) + end;
            let expected: Vec<Vec<u8>> = content.iter().map(|line| line.as_bytes().to_vec()).collect();
            prop_assert_eq!(lines(text.as_bytes(), buffer), expected);
        }
    }
}
