//! Writes snapshots while the models continue.

use std::{io, path::PathBuf, sync::Arc};

use rookery_log::Epoch;

use super::generation;
use crate::{
    ReadModels,
    core::Core,
    models::{AnyModel, Models, remove},
};

impl ReadModels {
    /// Writes snapshots of all models.
    ///
    /// # Errors
    /// If a file cannot be written. The previous snapshots stay.
    pub async fn save(&self) -> io::Result<()> {
        let saving = self.core.saving.lock_owned().await;
        let core = Arc::clone(&self.core);
        let saved = tokio::task::spawn_blocking(move || {
            let _saving = saving;
            save(&core)
        });
        saved.await.map_err(io::Error::other)?
    }

    /// Starts to write snapshots, unless that is running already.
    pub(crate) fn save_behind(&self) {
        let Some(saving) = self.core.saving.try_lock_owned() else { return };
        let core = Arc::clone(&self.core);
        tokio::task::spawn_blocking(move || {
            let _saving = saving;
            if let Err(error) = save(&core) {
                tracing::error!("the read models could not be saved: {error}");
            }
        });
    }
}

/// Saves all models one after the other, so that each is locked only briefly. The caller holds
/// `saving`.
pub(crate) fn save(core: &Core) -> io::Result<()> {
    tidy(core)?;
    let retired = take_retired(&mut core.models.write());
    for number in 0.. {
        let (saved, dir) = {
            let models = core.models.read();
            let Some(model) = models.each().get(number).copied() else { break };
            (generation::save(model, core.log.epoch())?, models.dir.clone())
        };
        saved.write(&dir)?;
    }
    remove(retired);
    Ok(())
}

/// Like [`save`], for models that are not shared yet.
pub(crate) fn save_alone(models: &mut Models, epoch: Epoch) -> io::Result<()> {
    let retired = take_retired(models);
    for model in models.each() {
        generation::save(model, epoch)?.write(&models.dir)?;
    }
    remove(retired);
    Ok(())
}

fn take_retired(models: &mut Models) -> Vec<PathBuf> {
    models.each_mut().into_iter().flat_map(AnyModel::take_retired).collect()
}

/// Merges files of the event index while no reader waits for it.
fn tidy(core: &Core) -> io::Result<()> {
    loop {
        let (merger, dir) = {
            let mut models = core.models.write();
            let Some(merger) = models.events.due() else { return Ok(()) };
            (merger, models.dir.clone())
        };
        let run = merger.run(&dir)?;
        core.models.write().events.replace(&merger.runs, run);
    }
}
