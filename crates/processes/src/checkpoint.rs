//! The checkpoint of a process after a start.
//!
//! One small file for each process: position, epoch and checksum. If the file is missing, damaged,
//! of another epoch or ahead of the log, the process starts at the beginning, and finds its earlier
//! work done.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use rookery_log::{Epoch, Position};

/// The file of one process; `None` for a log in memory.
pub struct Checkpoint {
    file: Option<PathBuf>,
    epoch: Epoch,
}

impl Checkpoint {
    /// Removes the checkpoint of the process `name` in `folder`, so that it starts at the
    /// beginning.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn forget(folder: &Path, name: &str) -> io::Result<()> {
        match fs::remove_file(folder.join(format!("{name}.process"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ if folder.exists() => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    }

    /// The checkpoint of the process `name` in `folder`, for a log of this epoch.
    #[must_use]
    pub fn of(folder: Option<&Path>, name: &str, epoch: Epoch) -> Self {
        Self { file: folder.map(|folder| folder.join(format!("{name}.process"))), epoch }
    }

    /// The position up to which all work is done, for a log that ends at `tail`.
    #[must_use]
    pub fn load(&self, tail: Position) -> Position {
        let Some(file) = &self.file else { return Position::ORIGIN };
        let Ok(text) = fs::read_to_string(file) else { return Position::ORIGIN };
        let position = self.parse(&text).filter(|position| *position <= tail);
        position.unwrap_or_else(|| {
            tracing::warn!(file = %file.display(), "a checkpoint cannot be used: the log is read again");
            Position::ORIGIN
        })
    }

    /// Records that all work up to `position` is done. A crash leaves the old checkpoint or the new
    /// one.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, position: Position) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let draft = file.with_extension("new");
        let mut writing = File::create(&draft)?;
        writing.write_all(self.text(position).as_bytes())?;
        writing.sync_all()?;
        fs::rename(draft, file)
    }

    fn text(&self, position: Position) -> String {
        let said = format!("{position} {}", self.epoch);
        format!("{said} {}\n", &blake3::hash(said.as_bytes()).to_hex()[..16])
    }

    fn parse(&self, text: &str) -> Option<Position> {
        let position = Position(text.split(' ').next()?.parse().ok()?);
        (self.text(position) == text).then_some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_checkpoint_of_this_log_is_the_beginning() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let of = |epoch| Checkpoint::of(Some(folder.path()), "work", Epoch(epoch));
        let (here, tail) = (of(7), Position(100));
        assert_eq!(here.load(tail), Position::ORIGIN);
        here.save(Position(42))?;
        assert_eq!(here.load(tail), Position(42));
        assert_eq!(here.load(Position(41)), Position::ORIGIN, "the log was restored");
        assert_eq!(of(8).load(tail), Position::ORIGIN, "another history");
        let file = folder.path().join("work.process");
        let text = fs::read_to_string(&file)?;
        for damaged in [text.replacen("42", "43", 1), String::new(), text[..5].to_owned()] {
            fs::write(&file, damaged)?;
            assert_eq!(here.load(tail), Position::ORIGIN);
        }
        Ok(())
    }
}
