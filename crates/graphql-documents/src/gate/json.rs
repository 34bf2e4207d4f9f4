//! How deep JSON is nested and how long its text is, before anything parses it.

/// Whether at most `max` arrays and objects of `json` are open at once.
///
/// It counts bytes and recognises strings; the parser decides whether it is JSON.
#[must_use]
pub fn json_nested_within(json: &[u8], max: usize) -> bool {
    let mut open = 0usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                open += 1;
                if open > max {
                    return false;
                }
            }
            b']' | b'}' => open = open.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    true
}

/// How many times longer a text can be when each character beyond ASCII is written as `\uXXXX`, as
/// some clients do: two bytes become six.
pub const ESCAPED_MAX: usize = 3;

/// The approximate length of a text after its escapes `\uXXXX` are read: each counts as two bytes.
#[must_use]
pub fn unescaped_len(text: &[u8]) -> usize {
    let (mut length, mut bytes) = (0, text);
    while let Some((byte, rest)) = bytes.split_first() {
        let is_unit = |rest: &[u8]| {
            rest.first() == Some(&b'u')
                && rest.get(1..5).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        let read = match byte {
            b'\\' if is_unit(rest) => 6,
            b'\\' if !rest.is_empty() => 2,
            _ => 1,
        };
        length += read.min(2);
        bytes = &bytes[read..];
    }
    length
}

#[cfg(test)]
mod tests {
    use super::unescaped_len;

    #[test]
    fn escapes_count_as_what_they_stand_for() {
        assert_eq!(unescaped_len("жж".as_bytes()), 4);
        assert_eq!(unescaped_len(br"\u0436\u0436"), 4);
        assert_eq!(unescaped_len(br"a\\u0436"), 8);
        assert_eq!(unescaped_len(br"\n\u043"), 7);
        assert_eq!(unescaped_len(br"\"), 1);
    }
}
