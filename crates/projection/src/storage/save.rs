//! Writes snapshots while the models continue.
//!
//! **Invariant:** the models are locked for a piece at a time, never for all rows of a model.
//! **Invariant:** a snapshot names only data that is on the disk.

use std::{io, path::Path, sync::Arc};

use super::generation;
use crate::{
    ReadModels,
    core::Core,
    models::{AnyModel, remove},
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

/// Saves all models one after the other. The caller holds `saving`.
pub(crate) fn save(core: &Core) -> io::Result<()> {
    save_in_pieces(core, || {})
}

/// Like [`save`]. It calls `between` after each piece, when the models are not locked.
pub(crate) fn save_in_pieces(core: &Core, mut between: impl FnMut()) -> io::Result<()> {
    tidy(core)?;
    let (retired, dir, count) = {
        let mut models = core.models.write();
        let models = &mut *models;
        let retired = models.each_mut().into_iter().flat_map(AnyModel::take_retired);
        (retired.collect(), models.dir.clone(), models.each().len())
    };
    for number in 0..count {
        save_model(core, &dir, number, &mut between)?;
    }
    remove(retired);
    Ok(())
}

fn save_model(
    core: &Core,
    dir: &Path,
    number: usize,
    between: &mut impl FnMut(),
) -> io::Result<()> {
    let (name, mut draft) = {
        let mut models = core.models.write();
        let model = &mut models.each_mut()[number];
        ((model.name(), model.version()), model.begin_save())
    };
    if let Some(draft) = &mut draft {
        draft.prepare();
        let file = draft.create(dir, name.0)?;
        loop {
            let piece = core.models.read().each()[number].next_piece(draft)?;
            let Some(piece) = piece else { break };
            draft.append(&file, &piece)?;
            between();
        }
        file.sync_data()?;
    }
    let finished = core.models.write().each_mut()[number].end_save(draft.as_ref())?;
    generation::write(dir, name, core.log.epoch(), &finished)?;
    remove(draft.and_then(|draft| draft.replaced(dir, name.0)).into_iter().collect());
    Ok(())
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
