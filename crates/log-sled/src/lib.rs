//! The event log in sled: one writer thread, group commit, a real sync before every answer.
//!
//! The data folder holds `meta` (format version and epoch), `anchor` and `head` (how far the log
//! is known to reach), `lock`, `erased` (see [`erased_since`]), the folder `sled` with the engine's own files, and the folder `index`
//! with what is derived from them.
//!
//! **Invariant:** only the writer thread changes the engine's trees after opening.
//! **Invariant:** nothing is answered, and nobody reads it, before `sync_data` on the file `db`.
//! **Invariant:** no panic of the engine gets out of this crate.

mod anchor;
mod check;
mod compact;
mod disk;
mod engine;
mod error;
mod examine;
mod format;
mod head;
mod image;
mod import;
mod index;
mod keys;
mod log;
mod marker;
mod meta;
mod open;
mod options;
mod quiet;
mod recent;
mod records;
mod recover;
mod salvage;
mod sealed;
mod store;
mod swap;
mod verify;
mod writer;

pub use self::{
    compact::{Compacted, compact, erased_since},
    disk::{Disk, RealDisk},
    error::{ImportError, OpenError},
    examine::examine,
    import::Importing,
    log::{PreparedLog, SledLog},
    options::SledOptions,
    salvage::{Edit, Moved, Salvage, Saved, Saving},
    verify::Verified,
};
