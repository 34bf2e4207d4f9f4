//! The log as text: one line of JSON for each record, for backups, moves and other programs.
//!
//! The first line names the format and the history, each following line is a record, and the last
//! line counts them. So a reader recognises a file that was cut short:
//!
//! ```json
//! {"rookery":"log","format":1,"epoch":"00000000000004d2"}
//! {"epoch":"…","position":1,"stream":"room/!r","revision":1,"command":"…","previous":"…","hash":"…","received":0,"checksum":"…","events":[{"id":"$e","envelope":{},"content":{}}]}
//! {"records":1,"hash":"…","epoch":"00000000000004d2"}
//! ```
//!
//! Envelope and content are JSON if they are a JSON object on one line, copied byte for byte;
//! otherwise they are `envelope_base64` or `content_base64`.
//!
//! The checksum covers the contents, which the hash leaves out so that they can be erased.
//!
//! **Invariant:** an import restores the exported records bit for bit. It computes the hash of each
//! record again and checks its place in the chain.
//! **Invariant:** memory is bounded by the largest record.

mod export;
mod import;
mod json;

pub use self::{
    export::Export,
    import::{Import, ImportError, LINE_BYTES_MAX},
    json::FORMAT,
};

#[cfg(test)]
mod tests;
