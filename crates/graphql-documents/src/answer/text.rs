//! Answers as JSON text.
//!
//! `serde_json` tests each byte of a text. Texts of answers are mostly plain, so this looks at eight bytes at a time.
//!
//! **Invariant:** the text is that of `serde_json`, byte for byte.

use async_graphql::{Response, Value};
use async_graphql_value::RAW_VALUE_TOKEN;
use serde::Serialize;
use serde_json::value::RawValue;

use super::outcome::Outcome;

/// Bytes of an answer for which there is room at once.
const ROOM: usize = 1024;

impl Outcome {
    /// The answer as it is sent.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Executed(response) => text_of(response),
            Self::Invalid(_) | Self::Refused(_) => {
                let mut text = String::new();
                write_serialised(self, &mut text);
                text
            }
        }
    }
}

/// A response as JSON.
#[must_use]
pub fn text_of(response: &Response) -> String {
    let mut text = String::with_capacity(ROOM);
    text.push_str("{\"data\":");
    write_value(&response.data, &mut text);
    if !response.extensions.is_empty() {
        text.push_str(",\"extensions\":");
        let extensions = response.extensions.iter();
        write_object(extensions.map(|(name, value)| (name.as_str(), value)), &mut text);
    }
    if !response.errors.is_empty() {
        text.push_str(",\"errors\":");
        write_serialised(&response.errors, &mut text);
    }
    text.push('}');
    text
}

/// Values that are rare are left to the library.
fn write_serialised(value: &impl Serialize, text: &mut String) {
    match serde_json::to_string(value) {
        Ok(json) => text.push_str(&json),
        Err(error) => {
            tracing::error!(%error, "failed to serialise a part of an answer");
            text.push_str("null");
        }
    }
}

fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Boolean(true) => text.push_str("true"),
        Value::Boolean(false) => text.push_str("false"),
        Value::String(string) => write_string(string, text),
        Value::Enum(name) => write_string(name, text),
        Value::List(values) => write_list(values, text),
        Value::Object(fields) => match raw(value) {
            Some(json) => text.push_str(json),
            None => write_object(fields.iter().map(|(name, value)| (name.as_str(), value)), text),
        },
        Value::Number(_) | Value::Binary(_) => write_serialised(value, text),
    }
}

/// JSON that was written before. A client may have sent the same form with another text, so the text is read.
fn raw(value: &Value) -> Option<&str> {
    let Value::Object(fields) = value else { return None };
    match fields.first()? {
        (name, Value::String(json)) if fields.len() == 1 && name == RAW_VALUE_TOKEN => {
            serde_json::from_str::<&RawValue>(json).ok().map(RawValue::get)
        }
        _ => None,
    }
}

fn write_list(values: &[Value], text: &mut String) {
    text.push('[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_value(value, text);
    }
    text.push(']');
}

fn write_object<'a>(fields: impl Iterator<Item = (&'a str, &'a Value)>, text: &mut String) {
    text.push('{');
    for (index, (name, value)) in fields.enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_string(name, text);
        text.push(':');
        write_value(value, text);
    }
    text.push('}');
}

fn write_string(mut string: &str, text: &mut String) {
    text.push('"');
    loop {
        let (plain, rest) = string.split_at(plain_bytes(string.as_bytes()));
        text.push_str(plain);
        // The first byte of the rest is ASCII.
        let Some(special) = rest.bytes().next() else { break };
        write_escaped(special, text);
        string = &rest[1..];
    }
    text.push('"');
}

/// How many bytes at the beginning need no escape.
fn plain_bytes(bytes: &[u8]) -> usize {
    let (words, _) = bytes.as_chunks::<8>();
    let plain_words = words.iter().take_while(|word| is_plain(**word)).count() * 8;
    let rest = &bytes[plain_words..];
    let plain = rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\'));
    plain_words + plain.unwrap_or(rest.len())
}

/// Whether no byte of a word needs an escape.
///
/// Source: "Bit Twiddling Hacks" by S. E. Anderson, "Determine if a word has a byte less than n".
const fn is_plain(word: [u8; 8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let word = u64::from_ne_bytes(word);
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let zero = (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash);
    (control | zero) & HIGH == 0
}

fn write_escaped(byte: u8, text: &mut String) {
    match byte {
        b'"' => text.push_str("\\\""),
        b'\\' => text.push_str("\\\\"),
        b'\n' => text.push_str("\\n"),
        b'\r' => text.push_str("\\r"),
        b'\t' => text.push_str("\\t"),
        0x08 => text.push_str("\\b"),
        0x0C => text.push_str("\\f"),
        _ => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            text.push_str("\\u00");
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{Name, PathSegment, Pos, ServerError};
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn strings() -> impl Strategy<Value = String> {
        prop_oneof![
            ".{0,40}",
            vec(any::<char>(), 0..40).prop_map(|chars| chars.into_iter().collect()),
            vec(prop_oneof![Just('"'), Just('\\'), (0..0x90_u8).prop_map(char::from)], 0..40)
                .prop_map(|chars| chars.into_iter().collect()),
        ]
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            strings().prop_map(Value::from),
            "[A-Z_]{1,9}".prop_map(|name| Value::Enum(Name::new(name))),
            vec(any::<u8>(), 0..9).prop_map(|bytes| Value::Binary(bytes.into())),
            (strings(), any::<bool>()).prop_map(|(text, is_json)| {
                let json = serde_json::json!({ "body": text }).to_string();
                let written = if is_json { format!(" {json}\n") } else { text };
                Value::Object([(Name::new(RAW_VALUE_TOKEN), Value::from(written))].into())
            }),
        ];
        leaf.prop_recursive(4, 60, 8, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..8).prop_map(Value::List),
                vec(("[a-z]{1,12}", inner), 0..8).prop_map(|fields| {
                    let fields = fields.into_iter().map(|(name, value)| (Name::new(name), value));
                    Value::Object(fields.collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_text_is_that_of_the_library(
            data in values(),
            extension in proptest::option::of(values()),
            error in proptest::option::of(strings()),
        ) {
            let mut response = Response::new(data);
            if let Some(value) = extension {
                response.extensions.insert("cost".to_owned(), value.clone());
                response.extensions.insert("\"".to_owned(), value);
            }
            response.errors.extend(error.map(|message| {
                let mut error = ServerError::new(message, Some(Pos { line: 1, column: 2 }));
                error.path.push(PathSegment::Field("room".to_owned()));
                error
            }));
            let expected = serde_json::to_string(&response).expect("serialises");
            prop_assert_eq!(text_of(&response), expected);
        }

        #[test]
        fn a_string_is_that_of_the_library(string in strings()) {
            let mut text = String::new();
            write_string(&string, &mut text);
            prop_assert_eq!(text, serde_json::to_string(&string).expect("serialises"));
        }
    }
}
