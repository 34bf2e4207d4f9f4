//! Canonical JSON, written directly.
//!
//! Source: Matrix specification, appendix "Canonical JSON": keys sorted by code point, no white
//! space, integers only, within plus or minus 2^53 - 1.
//!
//! **Invariant:** the output is byte for byte the canonical JSON of ruma.

use std::{fmt::Display, io::Write};

use serde_json::Value;

use crate::{SealError, limits::CONTENT_DEPTH_MAX};

/// A JSON object.
pub type JsonObject = serde_json::Map<String, Value>;

/// The largest integer in canonical JSON.
const INTEGER_MAX: i64 = (1 << 53) - 1;

/// The object as canonical JSON.
///
/// # Errors
/// [`SealError::InvalidContent`] if it nests too deep, or has a number that is no integer of canonical
/// JSON.
///
/// # Panics
/// Never: JSON made of strings is UTF-8.
pub fn canonical(object: &JsonObject) -> Result<String, SealError> {
    let mut out = Vec::with_capacity(128);
    write_object(&mut out, object, 1)?;
    Ok(String::from_utf8(out).expect("JSON made of strings is UTF-8"))
}

/// Writes a string with JSON's quotes and escapes.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string always serialises");
}

/// Writes an integer.
pub(crate) fn write_integer(out: &mut Vec<u8>, number: impl Display) {
    write!(out, "{number}").expect("memory takes what is written");
}

fn write_object(out: &mut Vec<u8>, object: &JsonObject, depth: usize) -> Result<(), SealError> {
    if depth > CONTENT_DEPTH_MAX {
        return Err(SealError::InvalidContent(format!("nested deeper than {CONTENT_DEPTH_MAX}")));
    }
    out.push(b'{');
    // The map is sorted unless a crate somewhere in the build turns on `preserve_order`.
    if object.keys().is_sorted() {
        write_entries(out, object.iter(), depth)?;
    } else {
        let mut entries: Vec<_> = object.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        write_entries(out, entries.into_iter(), depth)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_entries<'a>(
    out: &mut Vec<u8>,
    entries: impl Iterator<Item = (&'a String, &'a Value)>,
    depth: usize,
) -> Result<(), SealError> {
    for (index, (key, value)) in entries.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(out, key);
        out.push(b':');
        write_value(out, value, depth + 1)?;
    }
    Ok(())
}

fn write_value(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), SealError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::String(text) => write_string(out, text),
        Value::Number(number) => match number.as_i64() {
            Some(integer) if (-INTEGER_MAX..=INTEGER_MAX).contains(&integer) => {
                write_integer(out, integer);
            }
            _ => {
                return Err(SealError::InvalidContent(format!(
                    "{number} is not an integer between -(2^53 - 1) and 2^53 - 1; send it as text"
                )));
            }
        },
        Value::Array(items) => {
            if depth > CONTENT_DEPTH_MAX {
                return Err(SealError::InvalidContent(format!(
                    "nested deeper than {CONTENT_DEPTH_MAX}"
                )));
            }
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(out, item, depth + 1)?;
            }
            out.push(b']');
        }
        Value::Object(object) => write_object(out, object, depth)?,
    }
    Ok(())
}
