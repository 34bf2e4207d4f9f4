//! Writes snapshots while the models continue.

use std::{fs::File, io, sync::Arc};

use rookery_log::Epoch;

use super::generation::{self, Saved};
use crate::{
    ReadModels,
    core::Core,
    models::{Models, remove},
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
    let retired = core.models.write().events.take_retired();
    for step in 0.. {
        let part = part(&core.models.read(), core.log.epoch(), step)?;
        let Some(part) = part else { break };
        part.write()?;
    }
    remove(retired);
    Ok(())
}

/// Like [`save`], for models that are not shared yet.
pub(crate) fn save_alone(models: &mut Models, epoch: Epoch) -> io::Result<()> {
    let retired = models.events.take_retired();
    for step in 0.. {
        let Some(part) = part(models, epoch, step)? else { break };
        part.write()?;
    }
    remove(retired);
    Ok(())
}

/// A serialised model, with the files that have to be synced before it is written.
struct Part {
    dir: std::path::PathBuf,
    files: Vec<Arc<File>>,
    saved: Saved,
}

impl Part {
    fn write(&self) -> io::Result<()> {
        for file in &self.files {
            file.sync_data()?;
        }
        self.saved.write(&self.dir)
    }
}

fn part(models: &Models, epoch: Epoch, step: usize) -> io::Result<Option<Part>> {
    let Some(saved) = generation::save(models, epoch, step)? else { return Ok(None) };
    let mut files = Vec::new();
    if saved.is_of_timelines() {
        files = models.timelines.shared.handles();
    } else if saved.is_of_events() {
        files = models.events.handles();
    }
    Ok(Some(Part { dir: models.dir.clone(), files, saved }))
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
