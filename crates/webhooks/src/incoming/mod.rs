//! Incoming webhooks: the route, and the conversion of payloads.

pub(crate) mod answer;
pub(crate) mod content;
pub(crate) mod rates;
pub(crate) mod route;
pub(crate) mod text;

#[cfg(test)]
mod tests;
