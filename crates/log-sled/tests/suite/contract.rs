//! The log in sled keeps the contract.

use std::sync::Arc;

use async_trait::async_trait;
use rookery_log::{ErasableLog, contract::Rig, contract_tests};
use rookery_log_sled::{SledLog, SledOptions};
use tempfile::TempDir;

struct OnDisk {
    dir: TempDir,
    log: Option<Arc<SledLog>>,
}

impl OnDisk {
    fn open(&mut self) {
        let log = SledLog::open(self.dir.path(), SledOptions::default());
        self.log = Some(Arc::new(log.expect("a log that opens")));
    }
}

#[async_trait]
impl Rig for OnDisk {
    fn log(&self) -> Arc<dyn ErasableLog> {
        Arc::clone(self.log.as_ref().expect("an open log")) as _
    }

    async fn reopen(&mut self) {
        let log = self.log.take().expect("an open log");
        drop(Arc::into_inner(log).expect("nobody else has the log"));
        self.open();
    }
}

async fn rig() -> OnDisk {
    let mut rig = OnDisk { dir: tempfile::tempdir().expect("a temporary folder"), log: None };
    rig.open();
    rig
}

contract_tests!(rig);
