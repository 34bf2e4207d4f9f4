//! Rich text: blocks whose parts have their styles as data.
//!
//! Source: Slack's documentation, "Rich text block".

use serde_json::Value;

use super::blocks::items;
use crate::incoming::text::{
    parts::{Block, Inline, Style},
    spans::{Reading, mentioned},
};

/// The blocks of the elements of a rich text.
pub(super) fn blocks(elements: &[Value], reading: &Reading) -> Vec<Block> {
    elements.iter().filter_map(|element| block(element, reading)).collect()
}

fn block(element: &Value, reading: &Reading) -> Option<Block> {
    let parts = || inlines(items(&element["elements"]), reading);
    Some(match element["type"].as_str()? {
        "rich_text_section" => Block::Paragraph(parts()),
        "rich_text_quote" => Block::Quote(parts()),
        "rich_text_preformatted" => {
            let texts = items(&element["elements"]).iter();
            let text = |part: &Value| {
                let text = part["text"].as_str().or_else(|| part["url"].as_str());
                text.unwrap_or_default().to_owned()
            };
            Block::Code(texts.map(text).collect())
        }
        "rich_text_list" => Block::List {
            is_ordered: element["style"] == "ordered",
            items: items(&element["elements"])
                .iter()
                .map(|item| inlines(items(&item["elements"]), reading))
                .collect(),
        },
        _ => return None,
    })
}

fn inlines(elements: &[Value], reading: &Reading) -> Vec<Inline> {
    elements.iter().flat_map(|element| styled(element, reading)).collect()
}

/// A part with its styles.
fn styled(element: &Value, reading: &Reading) -> Vec<Inline> {
    let style = &element["style"];
    let parts = match element["type"].as_str() {
        Some("text") => {
            let text = element["text"].as_str().unwrap_or_default();
            if style["code"] == true && !text.trim().is_empty() {
                vec![Inline::Code(text.to_owned())]
            } else {
                with_breaks(text)
            }
        }
        _ => part(element, reading).into_iter().collect(),
    };
    let styles = [("strike", Style::Strike), ("italic", Style::Italic), ("bold", Style::Bold)];
    styles.into_iter().filter(|(name, _)| style[name] == true).fold(parts, |parts, (_, style)| {
        if parts.is_empty() { parts } else { vec![Inline::Styled(style, parts)] }
    })
}

fn part(element: &Value, reading: &Reading) -> Option<Inline> {
    let text = |name: &str| element[name].as_str();
    Some(match text("type")? {
        "link" => Inline::link(text("url")?, text("text").unwrap_or_default()),
        "emoji" => {
            let drawn = text("unicode").and_then(drawn);
            Inline::Text(drawn.unwrap_or_else(|| format!(":{}:", text("name").unwrap_or("?"))))
        }
        "user" => {
            let user = text("user_id")?;
            let mentioned = reading.mentioning().and_then(|server| mentioned(user, server));
            mentioned.map_or_else(|| Inline::text(format!("@{user}")), Inline::User)
        }
        "usergroup" => Inline::text(format!("@{}", text("usergroup_id")?)),
        "channel" => Inline::text(format!("#{}", text("channel_id")?)),
        "broadcast" if reading.mentioning().is_some() => Inline::Room,
        "broadcast" => Inline::text(format!("@{}", text("range").unwrap_or("channel"))),
        "date" => Inline::text(text("fallback")?),
        "color" => Inline::text(text("value")?),
        _ => return None,
    })
}

/// A text with the ends of its lines.
fn with_breaks(text: &str) -> Vec<Inline> {
    let mut parts = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            parts.push(Inline::Break);
        }
        if !line.is_empty() {
            parts.push(Inline::text(line));
        }
    }
    parts
}

/// The characters of an emoji, from their numbers in hexadecimal.
fn drawn(numbers: &str) -> Option<String> {
    numbers.split('-').map(|number| char::from_u32(u32::from_str_radix(number, 16).ok()?)).collect()
}
