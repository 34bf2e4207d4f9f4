//! Tests of the conversion and of the route.

mod conversion;
mod hostile;
mod mrkdwn;
mod route;
mod senders;
