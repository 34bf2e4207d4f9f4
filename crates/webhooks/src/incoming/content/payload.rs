//! A payload of Slack's incoming webhooks, as a message.
//!
//! Source: Slack's documentation, "Sending messages using incoming webhooks".

use rookery_domain::{Mentions, OwnedServerName};
use serde_json::{Map, Value};

use super::{attachments, blocks};
use crate::incoming::text::{mrkdwn, parts::Block, render::render, spans::Reading};

/// Bytes that begin the JSON of a payload.
const JSON_START: u8 = b'{';

/// The mentions that a webhook may make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mentioning {
    /// None: names stay words.
    #[default]
    Never,
    /// Users and the room. Names without a server are those of this one.
    At(OwnedServerName),
}

/// A message that a payload asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The plain text.
    pub body: String,
    /// The same as HTML, if that shows more.
    pub formatted_body: Option<String>,
    /// The mentions; none unless the webhook may make them. They are part of the message also if there are none:
    /// without them, clients and counts look for names in the text.
    pub mentions: Mentions,
}

/// A payload has no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Send a JSON object, or a form with the field `payload`.
    #[error("the payload is no JSON object with the fields of an incoming webhook")]
    Invalid,
    /// Send `text`, `blocks` or `attachments` that show something.
    #[error("the payload has no text")]
    NoText,
}

/// The message in the body of a request. With `is_form` the body is a form.
///
/// # Errors
/// [`PayloadError`] if it has none.
pub fn message(
    body: &[u8],
    is_form: bool,
    mentioning: &Mentioning,
) -> Result<Message, PayloadError> {
    let server = match mentioning {
        Mentioning::Never => None,
        Mentioning::At(server) => Some(server),
    };
    let payload = payload(body, is_form)?;
    let blocks = all_blocks(&payload, server)?;
    if !blocks.iter().any(Block::is_visible) {
        return Err(PayloadError::NoText);
    }
    let rendered = render(&blocks);
    Ok(Message { body: rendered.body, formatted_body: rendered.html, mentions: rendered.mentions })
}

/// Reads a payload. A program that calls JSON a form, as curl does by default, is understood.
fn payload(body: &[u8], is_form: bool) -> Result<Map<String, Value>, PayloadError> {
    let is_json = !is_form || body.trim_ascii_start().first() == Some(&JSON_START);
    let value = if is_json {
        serde_json::from_slice(body).ok()
    } else {
        let field = form_urlencoded::parse(body).find(|(name, _)| name == "payload");
        field.and_then(|(_, payload)| serde_json::from_str(&payload).ok())
    };
    match value {
        Some(Value::Object(payload)) => Ok(payload),
        _ => Err(PayloadError::Invalid),
    }
}

fn all_blocks(
    payload: &Map<String, Value>,
    server: Option<&OwnedServerName>,
) -> Result<Vec<Block>, PayloadError> {
    let reading = Reading::Formatted(server);
    let mut all = blocks::blocks(list(payload, "blocks")?, &reading);
    let text = match payload.get("text") {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text,
        Some(_) => return Err(PayloadError::Invalid),
    };
    // Beside blocks the text is only what notifications show.
    if !all.iter().any(Block::is_visible) {
        let is_formatted = payload.get("mrkdwn") != Some(&Value::Bool(false));
        let reading = if is_formatted { reading } else { Reading::Links(server) };
        all = mrkdwn::blocks(text, &reading);
    }
    for attachment in list(payload, "attachments")? {
        all.extend(attachments::blocks(attachment, &reading));
    }
    Ok(all)
}

/// A field that is a list, if it is there.
fn list<'p>(payload: &'p Map<String, Value>, name: &str) -> Result<&'p [Value], PayloadError> {
    match payload.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(PayloadError::Invalid),
    }
}
