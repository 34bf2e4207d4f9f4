//! The state that the projector, the readers and a rebuild share.

use std::{
    path::PathBuf,
    sync::{Arc, Weak},
};

use parking_lot::{Mutex, RwLock};
use rookery_log::{EventLog, Position};
use rookery_work::Lock;
use tokio::sync::watch;

use crate::{
    Observer,
    commits::{Cache, Gathered},
    models::Models,
    options::Options,
    rebuild::Progress,
};

/// Shared by all handles of the read models.
pub(crate) struct Core {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) models: RwLock<Models>,
    pub(crate) cache: Cache,
    pub(crate) gathered: Gathered,
    pub(crate) checkpoint: watch::Sender<Position>,
    pub(crate) observers: RwLock<Vec<Arc<dyn Observer>>>,
    /// Locked during changes of rows: by the projector, a retry, or a rebuild that takes over.
    pub(crate) projecting: Lock<()>,
    /// Locked while snapshots are written, or their directory changes.
    pub(crate) saving: Lock<()>,
    /// Locked by the one rebuild or verification that may run.
    pub(crate) rebuilding: Lock<()>,
    /// The progress of the rebuild that runs, which owns it.
    pub(crate) progress: Mutex<Weak<Mutex<Option<Progress>>>>,
}
