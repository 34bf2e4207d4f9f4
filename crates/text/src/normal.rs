//! Comparison of texts as readers see them, and texts without visible characters.
//!
//! **Invariant:** texts that differ only in case or composition have one normal form. Searches,
//! names in texts, aliases and reactions all compare by it.
//!
//! Source: The Unicode Standard, section 3.13, "Default Caseless Matching" (D145), and Annex 29,
//! "Word Boundaries".

use std::borrow::Cow;

use caseless::Caseless;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, WordBreak},
};
use unicode_normalization::{UnicodeNormalization, is_nfc};
use unicode_segmentation::UnicodeSegmentation;

/// The normal form of a text: case folded and composed (NFC).
#[must_use]
pub fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return text.to_ascii_lowercase().into();
        }
        return text.into();
    }
    text.nfd().default_case_fold().nfc().collect::<String>().into()
}

/// The composed form of a text (NFC), with its case.
#[must_use]
pub fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) {
        text.into()
    } else {
        text.nfc().collect::<String>().into()
    }
}

/// The text without characters that are invisible by themselves, such as joiners and variation
/// selectors.
#[must_use]
pub fn without_invisible(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_ignorable) {
        return text.chars().filter(|char| !is_ignorable(*char)).collect();
    }
    text.into()
}

/// Whether a text has no visible character: no letter, digit, sign or picture.
#[must_use]
pub fn shows_nothing(text: &str) -> bool {
    !text.chars().any(is_visible)
}

fn is_ignorable(char: char) -> bool {
    !char.is_ascii() && CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(char)
}

/// Whether a character is visible when it stands alone.
fn is_visible(char: char) -> bool {
    use GeneralCategory::{
        Control, EnclosingMark, Format, LineSeparator, NonspacingMark, ParagraphSeparator,
        SpaceSeparator, SpacingMark,
    };
    // Signs that are blank by design: of Braille, of music, of hieroglyphs.
    const BLANK: [char; 4] = ['\u{2800}', '\u{1d159}', '\u{13441}', '\u{13442}'];
    if char.is_ascii() {
        return char.is_ascii_graphic();
    }
    // Code points that will never be characters. Other unassigned ones may be pictures that are
    // newer than this program.
    let is_no_character =
        matches!(char, '\u{fdd0}'..='\u{fdef}') || u32::from(char) & 0xfffe == 0xfffe;
    let category = CodePointMapData::<GeneralCategory>::new().get(char);
    let is_mark_or_space = matches!(
        category,
        Control
            | EnclosingMark
            | Format
            | LineSeparator
            | NonspacingMark
            | ParagraphSeparator
            | SpaceSeparator
            | SpacingMark
    );
    !is_mark_or_space && !is_no_character && !is_ignorable(char) && !BLANK.contains(&char)
}

/// The words of a text in normal form, as Unicode divides it. Characters between two letters of a
/// word, such as an apostrophe or a dot, divide it too: `sam's` is `sam` and `s`, but `sam_smith`
/// is one word.
pub fn each_word<'a>(normal: &'a str, mut each: impl FnMut(&'a str)) {
    if normal.is_ascii() {
        let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
        let words = normal.split(|char| !is_part(char)).filter(|word| has_letter(word));
        return words.for_each(each);
    }
    for word in normal.unicode_words() {
        word.split(divides).filter(|word| has_letter(word)).for_each(&mut each);
    }
}

fn has_letter(word: &str) -> bool {
    word.contains(char::is_alphanumeric)
}

/// Whether a character occurs only inside a word, and divides it here.
fn divides(char: char) -> bool {
    if char.is_ascii() {
        return !char.is_ascii_alphanumeric() && char != '_';
    }
    let class = CodePointMapData::<WordBreak>::new().get(char);
    matches!(
        class,
        WordBreak::MidLetter
            | WordBreak::MidNum
            | WordBreak::MidNumLet
            | WordBreak::SingleQuote
            | WordBreak::DoubleQuote
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let (normal, mut words) = (normal(text), Vec::new());
        each_word(&normal, |word| words.push(word.to_owned()));
        words
    }

    #[test]
    fn texts_that_differ_in_case_or_composition_have_one_normal_form() {
        for (one, other) in [
            ("Zo\u{eb}", "ZOE\u{308}"),
            ("Straße", "STRASSE"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
            ("\u{212b}", "a\u{30a}"),
            ("q\u{307}\u{323}", "q\u{323}\u{307}"),
            ("Room", "rOOM"),
        ] {
            assert_eq!(normal(one), normal(other), "{one}");
            assert_eq!(normal(&normal(one)), normal(one), "the form is the form of itself");
        }
        assert_ne!(normal("zoe"), normal("zoë"));
    }

    #[test]
    fn a_text_of_what_nobody_sees_shows_nothing() {
        for text in [
            "",
            " ",
            "\t\n",
            "\u{200b}",
            "\u{feff}",
            "\u{2060}\u{200d}",
            "\u{202e}",
            "\u{2066} \u{2069}",
            "\u{3164}",
            "\u{115f}\u{1160}",
            "\u{ffa0}",
            "\u{ad}",
            "\u{34f}",
            "\u{301}",
            "\u{20dd}",
            "\u{93e}",
            "\u{fe0f}",
            "\u{2800}",
            "\u{3000}",
            "\u{a0}",
            "\u{2028}",
            "\u{85}",
            "\u{180e}",
            "\u{e0041}",
            "\u{fffe}",
            "\0",
            "\u{7f}",
            "\u{1d159}",
        ] {
            assert!(shows_nothing(text), "{text:?}");
        }
        for text in [
            "a",
            ".",
            "\u{200b}x",
            "é",
            "e\u{301}",
            "🦊",
            "❤\u{fe0f}",
            "田",
            "क\u{93f}",
            "1\u{fe0f}\u{20e3}",
            "🇫",
        ] {
            assert!(!shows_nothing(text), "{text:?}");
        }
    }

    #[test]
    fn words_end_where_unicode_ends_them() {
        let of = |text: &str| words(text).join("|");
        assert_eq!(of("Ada, LOVELACE!"), "ada|lovelace");
        assert_eq!(of("ask sam_smith"), "ask|sam_smith");
        assert_eq!(of("ask säm_smith"), "ask|säm_smith");
        assert_eq!(of("sam's @sam:here.org sam-smith"), "sam|s|sam|here|org|sam|smith");
        assert_eq!(of("säm's @säm:here.org säm’s"), "säm|s|säm|here|org|säm|s");
        assert_eq!(of("Zoe\u{308}!"), "zoë");
        assert_eq!(of("田中さん"), "田|中|さ|ん");
        assert_eq!(of("हिन्दी में"), "हिन्दी|में");
        assert_eq!(of("___ 🦊 ..."), "");
    }
}
