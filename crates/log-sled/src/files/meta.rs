//! The file `meta`: the format of the log and its epoch.

use std::path::Path;

use rookery_log::Epoch;

use crate::{
    OpenError,
    files::sealed::{self, Sealed},
};

/// The newest format of a data folder that this program knows. It covers the files and trees;
/// records have a version of their own.
const FORMAT: u32 = 1;
pub(crate) const NAME: &str = "meta";
const TITLE: &str = "rookery log";

/// The epoch of the log in `dir`.
pub(crate) fn read(dir: &Path) -> Result<Sealed<Epoch>, OpenError> {
    let fields =
        sealed::Fields::read(dir, NAME, TITLE).map_err(OpenError::io("read", dir.join(NAME)))?;
    fields.and_then(|fields| {
        let damaged =
            |damage: String| OpenError::damaged(dir, format!("the file `{NAME}`: {damage}"));
        let found = fields.get("format", |text| text.parse().ok()).map_err(damaged)?;
        if found > FORMAT {
            return Err(OpenError::TooNew { dir: dir.to_owned(), found, known: FORMAT });
        }
        let epoch =
            fields.get("epoch", |text| u64::from_str_radix(text, 16).ok()).map_err(damaged)?;
        Ok(Sealed::Whole(Epoch(epoch)))
    })
}

/// Makes `dir` the folder of a log of the epoch `epoch`.
pub(crate) fn create(dir: &Path, epoch: Epoch) -> Result<(), OpenError> {
    let fields = [("format", FORMAT.to_string()), ("epoch", epoch.to_string())];
    sealed::write(dir, NAME, TITLE, &fields).map_err(OpenError::io("write", dir.join(NAME)))
}
