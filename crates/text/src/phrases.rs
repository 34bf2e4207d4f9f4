//! Words and phrases of texts, as numbers.
//!
//! A text contains a name if it contains its words in sequence, in any case and composition:
//! `Ada Lovelace` in "ask ada lovelace!", and not in "Adalovelace". Words end where Unicode ends
//! them ([`each_word`]).
//!
//! **Invariant:** the numbers are part of the stored format: the same text always gives the same
//! ones. (FNV-1a of 64 bits. A user who makes two names collide gains a highlight.)

use std::borrow::Cow;

use crate::{each_word, normal};

/// Longest name that is searched for, in words.
///
/// Some scripts have no spaces: there each sign or syllable is a word.
pub(crate) const PHRASE_WORDS_MAX: usize = 32;

const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Passes the words of a text to `each`, as numbers.
pub(crate) fn words(text: &str, mut each: impl FnMut(u64)) {
    // An ASCII text is folded while it is hashed, so that most messages allocate nothing.
    let text = if text.is_ascii() { Cow::Borrowed(text) } else { normal(text) };
    each_word(&text, |word| each(hash_folded(word)));
}

/// The hash of a word, in lower case if it is ASCII.
fn hash_folded(word: &str) -> u64 {
    let bytes = word.bytes().map(|byte| byte.to_ascii_lowercase());
    bytes.fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

/// The phrase with one more word.
pub(crate) fn joined(phrase: u64, word: u64) -> u64 {
    (phrase.rotate_left(23) ^ word).wrapping_mul(PRIME)
}

/// The phrase of a name; `None` if it has no words, or too many.
#[must_use]
pub fn phrase(name: &str) -> Option<(u64, u8)> {
    let (mut count, mut phrase) = (0usize, 0);
    words(name, |word| {
        count += 1;
        phrase = joined(phrase, word);
    });
    let count = u8::try_from(count).ok().filter(|count| usize::from(*count) <= PHRASE_WORDS_MAX)?;
    (count > 0).then_some((phrase, count))
}

/// Whether a text notifies everybody: it has `@room` as a word.
#[must_use]
pub fn calls_everybody(text: &str) -> bool {
    text.match_indices("@room").any(|(at, found)| {
        let next = text[at + found.len()..].chars().next();
        let before = text[..at].chars().next_back();
        let is_part =
            |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
        !is_part(next) && !is_part(before)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_in_any_case_and_between_any_signs() {
        let of = |text: &str| {
            let mut found = Vec::new();
            words(text, |word| found.push(word));
            found
        };
        assert_eq!(of("Ada, LOVELACE!"), of("ada  lovelace"));
        assert_eq!(of("ÄRGER"), of("a\u{308}rger"));
        assert_eq!(of("Sam's"), of("SAM S"));
        assert_ne!(of("sam_smith"), of("sam smith"));
        assert_ne!(of("adalovelace"), of("ada lovelace"));
        assert_eq!(of("a"), [0xaf63_dc4c_8601_ec8c], "the number of a word never changes");
    }

    #[test]
    fn a_name_is_a_phrase_unless_it_has_no_words_or_too_many() {
        assert_eq!(phrase("Ada Lovelace").map(|(_, count)| count), Some(2));
        assert_ne!(phrase("ada lovelace"), phrase("lovelace ada"));
        assert_eq!(phrase("---"), None);
        assert_eq!(phrase("田中さん").map(|(_, count)| count), Some(4));
        assert_eq!(phrase(&"a ".repeat(PHRASE_WORDS_MAX + 1)), None);
    }

    #[test]
    fn everybody_is_called_by_a_word_of_its_own() {
        for (text, calls) in [
            ("@room", true),
            ("hey @room: tea", true),
            ("@roommate", false),
            ("@room_mate", false),
            ("a@room.test", false),
        ] {
            assert_eq!(calls_everybody(text), calls, "{text}");
        }
    }
}
