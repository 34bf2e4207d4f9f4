//! The parts of a text: blocks of inline parts.

use rookery_domain::{OwnedUserId, shows_nothing};

use super::link::Link;

/// A block of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// A heading.
    Heading(Vec<Inline>),
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A quotation.
    Quote(Vec<Inline>),
    /// Lines of code.
    Code(String),
    /// A list.
    List {
        /// Whether the items have numbers.
        is_ordered: bool,
        /// The items.
        items: Vec<Vec<Inline>>,
    },
    /// A line between two blocks.
    Divider,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inline {
    /// Text as it is.
    Text(String),
    /// The end of a line.
    Break,
    /// Text with a style.
    Styled(Style, Vec<Inline>),
    /// Code.
    Code(String),
    /// A link with its label.
    Link(Link, String),
    /// A mention of a user.
    User(OwnedUserId),
    /// A mention of the room.
    Room,
}

/// A style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Struck through.
    Strike,
}

impl Inline {
    /// A text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A bold text.
    pub(crate) fn bold(text: impl Into<String>) -> Self {
        Self::Styled(Style::Bold, vec![Self::text(text)])
    }

    /// A link to `address` if it is safe, else only the label.
    pub(crate) fn link(address: &str, label: &str) -> Self {
        match (Link::parse(address), label.trim().is_empty()) {
            (Some(link), true) => {
                let label = link.as_str().to_owned();
                Self::Link(link, label)
            }
            (Some(link), false) => Self::Link(link, label.to_owned()),
            (None, true) => Self::text(address),
            (None, false) => Self::text(label),
        }
    }

    /// Adds the text of this part to `text`.
    fn collect(&self, text: &mut String) {
        match self {
            Self::Text(part) | Self::Code(part) | Self::Link(_, part) => text.push_str(part),
            Self::Break => text.push('\n'),
            Self::Styled(_, parts) => {
                for part in parts {
                    part.collect(text);
                }
            }
            Self::User(user) => text.push_str(user.as_str()),
            Self::Room => text.push_str("@room"),
        }
    }
}

impl Block {
    /// Whether a reader sees anything of the block.
    pub(crate) fn is_visible(&self) -> bool {
        let parts: Vec<&Inline> = match self {
            Self::Heading(parts) | Self::Paragraph(parts) | Self::Quote(parts) => {
                parts.iter().collect()
            }
            Self::List { items, .. } => items.iter().flatten().collect(),
            Self::Code(code) => return !shows_nothing(code),
            Self::Divider => return false,
        };
        let mut text = String::new();
        for part in parts {
            part.collect(&mut text);
        }
        !shows_nothing(&text)
    }
}
