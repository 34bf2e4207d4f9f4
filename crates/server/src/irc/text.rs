//! The bytes of a log as text.
//!
//! **Invariant:** no byte is lost: what is not UTF-8 is read as Windows-1252, in which every byte
//! has a meaning here.

use std::borrow::Cow;

/// Windows-1252 from `0x80` to `0x9f`; the five unused places keep their Latin-1 control codes.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Reads bytes as UTF-8, or all of them as Windows-1252 if they are not.
#[must_use]
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => bytes
            .iter()
            .map(|&byte| match byte {
                0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
                other => char::from(other),
            })
            .collect(),
    }
}

/// Takes out what only formats: mIRC's codes for bold, italics, underline, strike-through,
/// monospace, reverse, colours and reset. NUL goes too. All else stays as it is.
#[must_use]
pub fn without_formatting(text: &str) -> Cow<'_, str> {
    if !text.chars().any(formats) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(formats) {
        plain.push_str(&rest[..at]);
        let code = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        match code {
            0x03 => rest = without_colours(rest, 2, char::is_ascii_digit),
            0x04 => rest = without_colours(rest, 6, char::is_ascii_hexdigit),
            _ => {}
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

const fn formats(c: char) -> bool {
    matches!(
        c,
        '\0' | '\x02' | '\x03' | '\x04' | '\x0f' | '\x11' | '\x16' | '\x1d' | '\x1e' | '\x1f'
    )
}

/// Skips a foreground colour and, behind a comma, a background colour.
fn without_colours(text: &str, digits_max: usize, is_digit: fn(&char) -> bool) -> &str {
    let colour = |text: &str| text.chars().take(digits_max).take_while(is_digit).count();
    let foreground = colour(text);
    let rest = &text[foreground..];
    match rest.strip_prefix(',') {
        Some(background) if foreground > 0 && colour(background) > 0 => {
            &background[colour(background)..]
        }
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_that_are_not_utf8_are_windows_1252() {
        assert_eq!(decode("Zoë €".as_bytes()), "Zoë €");
        assert_eq!(decode(b"Zo\xeb \x80 \x93x\x94"), "Zoë € “x”");
        assert_eq!(decode(b"\x81\xff"), "\u{81}ÿ");
    }

    #[test]
    fn formatting_goes_and_the_text_stays() {
        for (written, plain) in [
            ("plain", "plain"),
            ("\x02bold\x02 \x1ditalic\x0f", "bold italic"),
            ("\x034,12red\x03 5 apples", "red 5 apples"),
            ("\x03123", "3"),
            ("\x03,1", ",1"),
            ("\x031,x", ",x"),
            ("\x04ff0000red", "red"),
            ("nul\0nul", "nulnul"),
            ("back\x08space", "back\x08space"),
        ] {
            assert_eq!(without_formatting(written), plain, "{written:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_become_text_without_formatting(bytes: Vec<u8>) {
            prop_assert!(!without_formatting(&decode(&bytes)).chars().any(formats));
        }
    }
}
