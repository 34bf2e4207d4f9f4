//! The in-memory log keeps the contract.

use std::sync::Arc;

use async_trait::async_trait;
use rookery_log::{Epoch, ErasableLog, MemoryLog, contract::Rig, contract_tests};

struct InMemory(Arc<MemoryLog>);

#[async_trait]
impl Rig for InMemory {
    fn log(&self) -> Arc<dyn ErasableLog> {
        Arc::clone(&self.0) as _
    }

    async fn reopen(&mut self) {}
}

async fn rig() -> InMemory {
    InMemory(Arc::new(MemoryLog::new(Epoch(7))))
}

contract_tests!(rig);
