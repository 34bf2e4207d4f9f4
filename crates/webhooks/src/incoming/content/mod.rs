//! The content of a payload: text, blocks and attachments.

mod attachments;
mod blocks;
pub(crate) mod payload;
mod rich_text;
