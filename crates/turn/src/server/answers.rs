//! Answers to requests.

use std::borrow::Cow;

use crate::{
    server::access::{Gate, Unauthenticated},
    wire::{Class, Draft, Message, attribute, code},
};

/// Why a request of a known user is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: u16,
    pub(super) reason: Cow<'static, str>,
    /// Attributes that the relay does not know, with [`code::UNKNOWN_ATTRIBUTE`].
    pub(super) unknown: Vec<u16>,
}

impl Refused {
    pub(super) fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into(), unknown: Vec::new() }
    }

    pub(super) fn bad(reason: &'static str) -> Self {
        Self::new(code::BAD_REQUEST, reason)
    }

    pub(super) fn unknown(attributes: Vec<u16>) -> Self {
        let refused = Self::new(code::UNKNOWN_ATTRIBUTE, "an attribute is not supported");
        Self { unknown: attributes, ..refused }
    }

    /// The answer, before its signature.
    pub(super) fn draft(&self, request: &Message<'_>) -> Draft {
        let draft = error(request).error(self.code, &self.reason);
        if self.unknown.is_empty() {
            return draft;
        }
        let unknown: Vec<u8> = self.unknown.iter().flat_map(|kind| kind.to_be_bytes()).collect();
        draft.with(attribute::UNKNOWN_ATTRIBUTES, &unknown)
    }
}

impl Unauthenticated {
    /// The answer, with a nonce for the next try.
    pub(super) fn draft(&self, request: &Message<'_>, gate: &Gate, nonce: &str) -> Draft {
        let draft = error(request).error(self.code, self.reason);
        if !self.asks {
            return draft;
        }
        draft.with(attribute::REALM, gate.realm.as_bytes()).with(attribute::NONCE, nonce.as_bytes())
    }
}

/// A success.
pub(super) fn success(request: &Message<'_>) -> Draft {
    Draft::new(Class::Success, request.method, request.transaction)
}

fn error(request: &Message<'_>) -> Draft {
    Draft::new(Class::Error, request.method, request.transaction)
}
