//! Plain text and HTML of a text.
//!
//! **Invariant:** every tag that is opened is closed, in the right order, also in a text that was cut.
//! **Invariant:** the plain text and the HTML of one message fit into one event.

use rookery_domain::{Mentions, OwnedUserId, limits::MENTIONS_MAX};

use super::{
    bounded::Bounded,
    parts::{Block, Inline, Style},
};

/// Most bytes of the plain text, in JSON.
pub(crate) const BODY_WEIGHT_MAX: usize = 20_000;

/// Most bytes of the HTML, in JSON. Both, the mentions and the rest of an event are below 65,535 bytes.
pub(crate) const HTML_WEIGHT_MAX: usize = 32_000;

/// Most bytes of the IDs of mentioned users.
const MENTIONS_BYTES_MAX: usize = 8_000;

/// Ends a text that was cut.
const CUT: &str = "\u{2026}";

/// A text in the forms of a message.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// The plain text.
    pub(crate) body: String,
    /// The HTML, if it shows more than the plain text.
    pub(crate) html: Option<String>,
    /// The mentioned users, and whether the room is mentioned.
    pub(crate) mentions: Mentions,
}

/// Writes both forms of `blocks`.
pub(crate) fn render(blocks: &[Block]) -> Rendered {
    let mut writer = Writer {
        body: Bounded::new(BODY_WEIGHT_MAX),
        html: Bounded::new(HTML_WEIGHT_MAX),
        prefix: "",
        has_markup: false,
        mentions: Mentions::default(),
    };
    if let [Block::Paragraph(parts)] = blocks {
        writer.inlines(parts);
    } else {
        writer.blocks(blocks);
    }
    let Writer { mut body, mut html, has_markup, mentions, .. } = writer;
    body.trim_end();
    if body.is_full() {
        body.close(CUT);
    }
    if html.is_full() {
        html.close(CUT);
    }
    // Without markup the clients show the plain text.
    let html = has_markup.then(|| html.into_text());
    Rendered { body: body.into_text(), html, mentions }
}

struct Writer {
    body: Bounded,
    html: Bounded,
    /// Begins each line of the plain text.
    prefix: &'static str,
    has_markup: bool,
    mentions: Mentions,
}

impl Writer {
    fn blocks(&mut self, blocks: &[Block]) {
        for (index, block) in blocks.iter().enumerate() {
            if index > 0 {
                self.body.push("\n");
            }
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(parts) => self.element("h4", |writer| writer.inlines(parts)),
            Block::Paragraph(parts) => {
                let had_markup = self.has_markup;
                self.element("p", |writer| {
                    writer.has_markup = had_markup;
                    writer.inlines(parts);
                });
            }
            Block::Quote(parts) => self.element("blockquote", |writer| {
                writer.prefix = "> ";
                writer.body.push("> ");
                writer.inlines(parts);
                writer.prefix = "";
            }),
            Block::Code(code) => self.element("pre", |writer| {
                writer.element("code", |writer| writer.text(code));
            }),
            Block::List { is_ordered, items } => {
                self.element(if *is_ordered { "ol" } else { "ul" }, |writer| {
                    writer.items(items, *is_ordered);
                });
            }
            Block::Divider => {
                self.has_markup = true;
                self.body.push("---");
                self.html.push("<hr>");
            }
        }
    }

    fn items(&mut self, items: &[Vec<Inline>], is_ordered: bool) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.body.push("\n");
            }
            if is_ordered {
                self.body.push(&format!("{}. ", index + 1));
            } else {
                self.body.push("\u{2022} ");
            }
            self.element("li", |writer| writer.inlines(item));
        }
    }

    fn inlines(&mut self, parts: &[Inline]) {
        for part in parts {
            self.inline(part);
        }
    }

    fn inline(&mut self, part: &Inline) {
        match part {
            Inline::Text(text) => self.text(text),
            Inline::Break => self.line_break(),
            Inline::Styled(style, parts) => {
                let tag = match style {
                    Style::Bold => "strong",
                    Style::Italic => "em",
                    Style::Strike => "del",
                };
                self.element(tag, |writer| writer.inlines(parts));
            }
            Inline::Code(code) => self.element("code", |writer| writer.text(code)),
            Inline::Link(link, label) => {
                self.link(link.as_str(), label);
                if label.trim() != link.as_str() {
                    self.body.push(" (");
                    self.body_text(link.as_str());
                    self.body.push(")");
                }
            }
            Inline::User(user) => self.user(user),
            Inline::Room => {
                self.mentions.room = true;
                self.text("@room");
            }
        }
    }

    fn user(&mut self, user: &OwnedUserId) {
        let users = &mut self.mentions.users;
        let bytes: usize = users.iter().map(|user| user.as_str().len()).sum();
        let has_room = users.len() < MENTIONS_MAX && bytes < MENTIONS_BYTES_MAX;
        if has_room && !users.contains(user) {
            users.push(user.clone());
        }
        self.link(&format!("https://matrix.to/#/{}", in_fragment(user.as_str())), user.as_str());
    }

    fn link(&mut self, address: &str, label: &str) {
        self.has_markup = true;
        let is_open = self.html.push(&format!("<a href=\"{}\">", escaped(address)));
        self.text(label);
        if is_open {
            self.html.close("</a>");
        }
    }

    fn element(&mut self, tag: &str, content: impl FnOnce(&mut Self)) {
        self.has_markup = true;
        let is_open = self.html.push(&format!("<{tag}>"));
        content(self);
        if is_open {
            self.html.close(&format!("</{tag}>"));
        }
    }

    fn line_break(&mut self) {
        self.body.push("\n");
        self.body.push(self.prefix);
        self.html.push("<br>");
    }

    /// Writes text in both forms, without control characters.
    fn text(&mut self, text: &str) {
        self.body_text(text);
        for c in text.chars() {
            match (entity(c), c) {
                (Some(entity), _) => self.html.push(entity),
                (None, '\n') => self.html.push("\n"),
                (None, '\t') => self.html.push(" "),
                (None, c) if c.is_control() => continue,
                (None, c) => self.html.push(c.encode_utf8(&mut [0; 4])),
            };
        }
    }

    fn body_text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\n' => {
                    self.body.push("\n");
                    self.body.push(self.prefix);
                }
                '\t' => {
                    self.body.push(" ");
                }
                c if c.is_control() => {}
                c => {
                    self.body.push(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }
}

/// The value of an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match entity(c) {
            Some(entity) => escaped.push_str(entity),
            None => escaped.push(c),
        }
    }
    escaped
}

/// The entity for a character that HTML does not take as it is.
const fn entity(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    }
}

/// A user ID as the fragment of an address.
fn in_fragment(user: &str) -> String {
    let mut fragment = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"@:._-".contains(&byte) {
            fragment.push(char::from(byte));
        } else {
            fragment.push('%');
            fragment.extend([byte >> 4, byte & 15].map(hex));
        }
    }
    fragment
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}
