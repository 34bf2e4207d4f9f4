//! The mark in a message with its send time, always of the same width.

use std::time::Duration;

use memchr::memmem::find;

use crate::Error;

/// The beginning of the mark. No document of the benchmark shows a message's text twice.
pub(crate) const MARK: &[u8] = b"~sent:";

/// The mark before anything was sent: twelve digits of microseconds follow.
pub(crate) const UNSENT: &str = "~sent:000000000000";

/// Bytes with one mark.
#[derive(Clone)]
pub(crate) struct Stamped {
    bytes: Vec<u8>,
    at: usize,
}

impl Stamped {
    /// Takes `bytes`.
    ///
    /// # Errors
    /// If there is no mark in them.
    pub(crate) fn new(bytes: Vec<u8>) -> Result<Self, Error> {
        let at = find(&bytes, MARK).ok_or("there is no mark in the message")?;
        (bytes.len() >= at + UNSENT.len()).then_some(()).ok_or("the mark is cut off")?;
        Ok(Self { bytes, at })
    }

    /// The bytes, with `time` as the send time.
    pub(crate) fn at(&mut self, time: Duration) -> &[u8] {
        let digits = format!("{:012}", time.as_micros() % 1_000_000_000_000);
        let begin = self.at + MARK.len();
        self.bytes[begin..begin + digits.len()].copy_from_slice(digits.as_bytes());
        &self.bytes
    }
}

/// The time in the mark at the start of `bytes`; `None` if the mark is cut off or was never sent.
pub(crate) fn read(bytes: &[u8]) -> Option<Duration> {
    let digits = bytes.get(MARK.len()..UNSENT.len())?;
    let microseconds: u64 = str::from_utf8(digits).ok()?.parse().ok()?;
    (microseconds > 0).then(|| Duration::from_micros(microseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_was_stamped_is_read_again() {
        let mut stamped = Stamped::new(format!("so {UNSENT} it is").into()).expect("it has a mark");
        let bytes = stamped.at(Duration::from_micros(1_234_567)).to_vec();
        assert_eq!(bytes, b"so ~sent:000001234567 it is");
        let at = find(&bytes, MARK).expect("it is found");
        assert_eq!(read(&bytes[at..]), Some(Duration::from_micros(1_234_567)));
    }

    #[test]
    fn mark_that_is_cut_off_or_unsent_has_no_time() {
        assert_eq!(read(b"~sent:12"), None);
        assert_eq!(read(UNSENT.as_bytes()), None);
        assert!(Stamped::new(b"~sent:12".to_vec()).is_err());
    }
}
