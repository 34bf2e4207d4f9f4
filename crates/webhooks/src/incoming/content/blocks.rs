//! Blocks of a payload. Those of an unknown type show nothing.
//!
//! Source: Slack's documentation, "Reference: blocks".

use serde_json::Value;

use super::rich_text;
use crate::incoming::text::{
    mrkdwn::{self, line},
    parts::{Block, Inline},
    spans::Reading,
};

/// The items of a list, if it is one.
pub(super) fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The blocks of a list of blocks.
pub(super) fn blocks(list: &[Value], reading: &Reading) -> Vec<Block> {
    list.iter().flat_map(|block| self::block(block, reading)).collect()
}

fn block(block: &Value, reading: &Reading) -> Vec<Block> {
    match block["type"].as_str().unwrap_or_default() {
        "header" => {
            let (text, reading) = text(&block["text"], reading);
            let parts = line(text, &reading);
            if parts.is_empty() { Vec::new() } else { vec![Block::Heading(parts)] }
        }
        "section" => section(block, reading),
        "context" => {
            let mut parts = Vec::new();
            for element in items(&block["elements"]) {
                if !parts.is_empty() {
                    parts.push(Inline::text(" "));
                }
                if element["type"] == "image" {
                    parts.extend(image(element));
                } else {
                    let (text, reading) = text(element, reading);
                    parts.extend(line(text, &reading));
                }
            }
            paragraph(parts)
        }
        "divider" => vec![Block::Divider],
        "image" => paragraph(image(block).into_iter().collect()),
        "actions" => paragraph(links(items(&block["elements"]))),
        "rich_text" => rich_text::blocks(items(&block["elements"]), reading),
        "markdown" => mrkdwn::blocks(block["text"].as_str().unwrap_or_default(), &Reading::Plain),
        _ => Vec::new(),
    }
}

fn section(block: &Value, reading: &Reading) -> Vec<Block> {
    let texts = [&block["text"]].into_iter().chain(items(&block["fields"]));
    let mut all: Vec<Block> = texts
        .flat_map(|object| {
            let (text, reading) = text(object, reading);
            mrkdwn::blocks(text, &reading)
        })
        .collect();
    let accessory = &block["accessory"];
    let shown = match accessory["type"].as_str() {
        Some("image") => image(accessory).into_iter().collect(),
        _ => links(std::slice::from_ref(accessory)),
    };
    all.extend(paragraph(shown));
    all
}

/// The text of a text object, and how it is read.
fn text<'p, 'r>(object: &'p Value, reading: &Reading<'r>) -> (&'p str, Reading<'r>) {
    let text = object["text"].as_str().unwrap_or_default();
    let is_plain = object["type"] == "plain_text";
    (text, if is_plain { Reading::Plain } else { *reading })
}

/// An image as a link.
fn image(image: &Value) -> Option<Inline> {
    let address = image["image_url"].as_str().or_else(|| image["slack_file"]["url"].as_str())?;
    let title = image["title"]["text"].as_str().or_else(|| image["title"].as_str());
    let label = title.or_else(|| image["alt_text"].as_str()).unwrap_or_default();
    Some(Inline::link(address, label))
}

/// The buttons that are links.
pub(super) fn links(elements: &[Value]) -> Vec<Inline> {
    let mut parts = Vec::new();
    for element in elements {
        let Some(address) = element["url"].as_str() else { continue };
        let label = element["text"]["text"].as_str().or_else(|| element["text"].as_str());
        if !parts.is_empty() {
            parts.push(Inline::text(" "));
        }
        parts.push(Inline::link(address, label.unwrap_or_default()));
    }
    parts
}

fn paragraph(parts: Vec<Inline>) -> Vec<Block> {
    if parts.is_empty() { Vec::new() } else { vec![Block::Paragraph(parts)] }
}
