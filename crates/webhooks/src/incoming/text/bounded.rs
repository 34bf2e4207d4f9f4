//! A text that takes no more than a number of bytes in JSON.
//!
//! **Invariant:** a piece that was pushed is in the text whole, or neither it nor any later one is.

/// Bytes that are kept for the ends of elements and for the mark of a text that was cut.
const RESERVED: usize = 256;

/// A growing text with a bound.
#[derive(Debug)]
pub(super) struct Bounded {
    text: String,
    /// Its length in JSON, without the quotes.
    weight: usize,
    max: usize,
    is_full: bool,
}

impl Bounded {
    /// An empty text of at most `max` bytes in JSON.
    pub(super) fn new(max: usize) -> Self {
        Self { text: String::new(), weight: 0, max: max.saturating_sub(RESERVED), is_full: false }
    }

    /// Adds a piece if there is room for all of it, and returns whether there was.
    pub(super) fn push(&mut self, piece: &str) -> bool {
        let weight: usize = piece.chars().map(weight).sum();
        if self.is_full || self.weight + weight > self.max {
            self.is_full = true;
            return false;
        }
        self.weight += weight;
        self.text.push_str(piece);
        true
    }

    /// Adds the end of an element whose beginning is there.
    pub(super) fn close(&mut self, piece: &str) {
        self.weight += piece.chars().map(weight).sum::<usize>();
        self.text.push_str(piece);
    }

    /// Whether something did not fit.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Removes white space at the end.
    pub(super) fn trim_end(&mut self) {
        self.text.truncate(self.text.trim_end().len());
    }

    /// The text.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// The bytes that a character takes in JSON.
fn weight(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\t' | '\r' => 2,
        c if c.is_control() => 6,
        c => c.len_utf8(),
    }
}
