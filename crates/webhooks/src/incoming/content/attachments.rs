//! Attachments of a payload.
//!
//! Source: Slack's documentation, "Legacy: secondary message attachments".

use serde_json::Value;

use super::blocks;
use crate::incoming::text::{
    mrkdwn::{self, line},
    parts::{Block, Inline, Style},
    spans::Reading,
};

/// The blocks of an attachment. Its `fallback` counts if there is nothing else.
pub(super) fn blocks(attachment: &Value, reading: &Reading) -> Vec<Block> {
    let text = |name: &str| attachment[name].as_str().unwrap_or_default();
    let mut all = mrkdwn::blocks(text("pretext"), reading);
    titled(&mut all, text("author_name"), text("author_link"), reading);
    titled(&mut all, text("title"), text("title_link"), reading);
    all.extend(mrkdwn::blocks(text("text"), reading));
    for field in attachment["fields"].as_array().map(Vec::as_slice).unwrap_or_default() {
        all.extend(self::field(field, reading));
    }
    all.extend(blocks::blocks(blocks::items(&attachment["blocks"]), reading));
    let image = text("image_url");
    if !image.is_empty() {
        all.push(Block::Paragraph(vec![Inline::link(image, "")]));
    }
    let actions: Vec<Inline> = blocks::links(blocks::items(&attachment["actions"]));
    if !actions.is_empty() {
        all.push(Block::Paragraph(actions));
    }
    if !all.iter().any(Block::is_visible) {
        return mrkdwn::blocks(text("fallback"), reading);
    }
    let footer = line(text("footer"), reading);
    if !footer.is_empty() {
        all.push(Block::Paragraph(footer));
    }
    all
}

/// A title, with its link.
fn titled(blocks: &mut Vec<Block>, title: &str, address: &str, reading: &Reading) {
    if title.trim().is_empty() {
        return;
    }
    let parts = match Inline::link(address, title.trim()) {
        link @ Inline::Link(..) => vec![link],
        _ => line(title, reading),
    };
    blocks.push(Block::Paragraph(vec![Inline::Styled(Style::Bold, parts)]));
}

/// A field, with its title before its value.
fn field(field: &Value, reading: &Reading) -> Vec<Block> {
    let title = field["title"].as_str().unwrap_or_default().trim();
    let value = match &field["value"] {
        Value::String(value) => value.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => field["value"].to_string(),
        Value::Array(_) | Value::Object(_) => return Vec::new(),
    };
    let mut blocks = mrkdwn::blocks(&value, reading);
    if title.is_empty() {
        return blocks;
    }
    match blocks.first_mut() {
        Some(Block::Paragraph(parts)) => {
            parts.splice(0..0, [Inline::bold(title), Inline::text(": ")]);
        }
        _ => blocks.insert(0, Block::Paragraph(vec![Inline::bold(title)])),
    }
    blocks
}
