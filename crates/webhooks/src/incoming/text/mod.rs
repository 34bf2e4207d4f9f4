//! Texts: their parts, the formatting that Slack calls mrkdwn, and plain text and HTML made of them.

pub(crate) mod bounded;
pub(crate) mod link;
pub(crate) mod mrkdwn;
pub(crate) mod parts;
pub(crate) mod render;
pub(crate) mod spans;
