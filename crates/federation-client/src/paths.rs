//! Paths and queries of requests.

use std::fmt::Write as _;

/// A text as one segment of a path.
#[must_use]
pub fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(out, "%{byte:02X}").ok();
        }
    }
    out
}

/// A path with a query.
#[must_use]
pub fn query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut out = path.to_owned();
    for (number, (name, value)) in parameters.iter().enumerate() {
        out.push(if number == 0 { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        out.push_str(&percent(value));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_one_segment_of_a_path() {
        assert_eq!(percent("!a/b:one.example:8448"), "%21a%2Fb%3Aone.example%3A8448");
        assert_eq!(query("/x", &[("v", "$a+b"), ("limit", "3")]), "/x?v=%24a%2Bb&limit=3");
    }
}
