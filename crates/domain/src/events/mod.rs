//! Events as the log stores them: facts, envelopes and relations.

pub(crate) mod action;
pub(crate) mod envelope;
pub(crate) mod fact;
pub(crate) mod relation;
pub(crate) mod room_event;
