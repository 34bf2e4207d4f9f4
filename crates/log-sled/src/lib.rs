//! The event log in sled: one writer thread, group commit, a real sync before every answer.
//!
//! The data folder holds `meta` (format version and epoch), `anchor` and `head` (the known end of
//! the log), `lock`, `erased` (see [`erased_since`]), the folder `sled` with the engine's own
//! files, and the folder `index` with derived data.
//!
//! **Invariant:** only the writer thread changes the engine's trees after opening.
//! **Invariant:** no commit is answered or read before `sync_data` on the file `db`.
//! **Invariant:** no panic of the engine leaves this crate.

mod engine;
mod error;
mod files;
mod format;
mod image;
mod index;
mod log;
mod open;
mod salvage;
mod slot;
mod threads;
mod wake;
mod whole;
mod writer;

pub use self::{
    engine::disk::{Disk, RealDisk},
    error::{ImportError, OpenError},
    log::{PreparedLog, SledLog},
    open::options::SledOptions,
    salvage::{Edit, Moved, Salvage, Saved, Saving},
    threads::OnPanic,
    whole::{
        compact::{Compacted, compact, erased_since},
        examine::{examine, examine_after, reached},
        import::Importing,
        verify::Verified,
    },
};
