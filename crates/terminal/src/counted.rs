//! Counts in messages for people.

use std::fmt::Display;

/// `1 user`, `2 users`: a count with its noun, in the plural unless it is one. Nouns are those that take an
/// `s`.
pub fn counted(count: impl Into<u64> + Display + Copy, noun: &str) -> String {
    if count.into() == 1 { format!("{count} {noun}") } else { format!("{count} {noun}s") }
}

/// Like [`counted`], for the length of something.
#[must_use]
pub fn counted_len(count: usize, noun: &str) -> String {
    counted(u64::try_from(count).unwrap_or(u64::MAX), noun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_a_plural() {
        assert_eq!(counted(0_u64, "user"), "0 users");
        assert_eq!(counted_len(1, "user"), "1 user");
        assert_eq!(counted(2_u32, "commit"), "2 commits");
    }
}
