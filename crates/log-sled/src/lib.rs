//! The event log in sled: one writer thread, group commit, a real sync before every answer.
//!
//! The data folder holds `meta` (format version and epoch), `anchor` and `head` (how far the log
//! is known to reach), `lock`, `erased` (see [`erased_since`]), the folder `sled` with the engine's own files, and the folder `index`
//! with what is derived from them.
//!
//! **Invariant:** only the writer thread changes the engine's trees after opening.
//! **Invariant:** nothing is answered, and nobody reads it, before `sync_data` on the file `db`.
//! **Invariant:** no panic of the engine gets out of this crate.

mod engine;
mod error;
mod files;
mod format;
mod image;
mod index;
mod log;
mod open;
mod salvage;
mod whole;
mod writer;

pub use self::{
    engine::disk::{Disk, RealDisk},
    error::{ImportError, OpenError},
    log::{PreparedLog, SledLog},
    open::options::SledOptions,
    salvage::{Edit, Moved, Salvage, Saved, Saving},
    whole::{
        compact::{Compacted, compact, erased_since},
        examine::examine,
        import::Importing,
        verify::Verified,
    },
};
