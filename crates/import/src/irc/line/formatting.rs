//! Formatting codes in a line.

use std::borrow::Cow;

/// Removes formatting: mIRC's codes for bold, italics, underline, strike-through, monospace,
/// reverse, colours and reset, and the escape sequences of terminals. Removes NUL too. The rest
/// stays unchanged.
#[must_use]
pub(crate) fn without_formatting(text: &str) -> Cow<'_, str> {
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
            0x1b => rest = without_sequence(rest),
            _ => {}
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

const fn formats(c: char) -> bool {
    matches!(
        c,
        '\0' | '\x02'
            | '\x03'
            | '\x04'
            | '\x0f'
            | '\x11'
            | '\x16'
            | '\x1b'
            | '\x1d'
            | '\x1e'
            | '\x1f'
    )
}

/// Skips a foreground colour and, after a comma, a background colour.
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

/// Skips the rest of an escape sequence that sets colours: `[`, numbers and `m`.
fn without_sequence(text: &str) -> &str {
    let Some(inner) = text.strip_prefix('[') else { return text };
    let numbers = inner.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(inner.len());
    inner[numbers..].strip_prefix('m').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            ("\x1b[1;31mred\x1b[0m", "red"),
            ("\x1bx", "x"),
            ("\x01ACTION waves\x01", "\x01ACTION waves\x01"),
        ] {
            assert_eq!(without_formatting(written), plain, "{written:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_keeps_formatting(text in "[\\x00-\\x20\\[m0-9,a]{0,30}") {
            prop_assert!(!without_formatting(&text).chars().any(formats));
        }
    }
}
