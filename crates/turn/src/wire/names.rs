//! The numbers of methods, attributes and error codes.

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// Source: RFC 8656, section 17.
pub(crate) mod method {
    pub(crate) const BINDING: u16 = 0x001;
    pub(crate) const ALLOCATE: u16 = 0x003;
    pub(crate) const REFRESH: u16 = 0x004;
    pub(crate) const SEND: u16 = 0x006;
    pub(crate) const DATA: u16 = 0x007;
    pub(crate) const CREATE_PERMISSION: u16 = 0x008;
    pub(crate) const CHANNEL_BIND: u16 = 0x009;
}

/// Source: RFC 8489, section 14, and RFC 8656, section 18.
pub(crate) mod attribute {
    pub(crate) const USERNAME: u16 = 0x0006;
    pub(crate) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(crate) const ERROR_CODE: u16 = 0x0009;
    pub(crate) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
    pub(crate) const CHANNEL_NUMBER: u16 = 0x000c;
    pub(crate) const LIFETIME: u16 = 0x000d;
    pub(crate) const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub(crate) const DATA: u16 = 0x0013;
    pub(crate) const REALM: u16 = 0x0014;
    pub(crate) const NONCE: u16 = 0x0015;
    pub(crate) const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub(crate) const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
    pub(crate) const EVEN_PORT: u16 = 0x0018;
    pub(crate) const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(crate) const FINGERPRINT: u16 = 0x8028;

    /// Attributes from here on may be ignored.
    pub(crate) const OPTIONAL: u16 = 0x8000;
}

/// Source: RFC 8489, section 14.8, and RFC 8656, section 19.
pub(crate) mod code {
    pub(crate) const BAD_REQUEST: u16 = 400;
    pub(crate) const UNAUTHENTICATED: u16 = 401;
    pub(crate) const FORBIDDEN: u16 = 403;
    pub(crate) const UNKNOWN_ATTRIBUTE: u16 = 420;
    pub(crate) const ALLOCATION_MISMATCH: u16 = 437;
    pub(crate) const STALE_NONCE: u16 = 438;
    pub(crate) const FAMILY_NOT_SUPPORTED: u16 = 440;
    pub(crate) const WRONG_CREDENTIALS: u16 = 441;
    pub(crate) const TRANSPORT_NOT_SUPPORTED: u16 = 442;
    pub(crate) const PEER_FAMILY_MISMATCH: u16 = 443;
    pub(crate) const QUOTA_REACHED: u16 = 486;
    pub(crate) const INSUFFICIENT_CAPACITY: u16 = 508;
}
