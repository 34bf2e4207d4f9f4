//! Erases the content of a stored event.
//!
//! A record of one value is overwritten, which the engine does completely or not at all. A record
//! in chunks gets new chunks beside the old ones. When these are on stable storage its value is
//! overwritten, so that it names the new chunks. When that is on stable storage, the old chunks are
//! removed.
//!
//! **Invariant:** at every moment all chunks that the stored value names exist.
//! **Invariant:** a record that cannot be read fails its own erasure and no other job.
//! **Invariant:** repeating an interrupted erasure completes it.

use bytes::Bytes;
use rookery_log::{EraseError, Position, ReadError, Record};

use super::{Group, Writer};
use crate::{
    engine::{records::Records as _, store::StoreError},
    files::marker,
    format::{Draft, Sealed, Stored},
};

impl Writer {
    pub(super) fn erase(
        &mut self,
        group: &mut Group,
        position: Position,
        index: usize,
        left: Bytes,
    ) -> Result<Result<(), EraseError>, StoreError> {
        if !(Position(1)..=self.shared.published()).contains(&position) {
            return Ok(Err(EraseError::Absent { position, index }));
        }
        // A record that cannot be read stays, and fails no other job.
        let (stored, record) = match self.readable(position) {
            Ok(found) => found,
            Err(error) => return Ok(Err(EraseError::Unreadable(error))),
        };
        let erased = match record.erased(index, left.clone()) {
            Ok(erased) => erased,
            Err(error) => return Ok(Err(error)),
        };
        let mut kept = stored.body.chunks();
        if erased != record {
            marker::set(&self.dir).map_err(|error| {
                StoreError::Refused(format!("cannot record that content is erased: {error}").into())
            })?;
            let mut sealed = Sealed::again(Draft::of(&erased.commit), &erased, &stored);
            let chunks = std::mem::take(&mut sealed.chunks);
            let first = sealed.first;
            kept = first..first + u32::try_from(chunks.len()).unwrap_or(0);
            for (chunk, index) in chunks.into_iter().zip(first..) {
                self.make_room(chunk.len())?;
                self.store().insert_chunk(position, index, chunk)?;
            }
            if !kept.is_empty() {
                self.sync()?;
            }
            self.make_room(sealed.value.len())?;
            self.store().insert_value(position, sealed)?;
            if !stored.body.chunks().is_empty() {
                self.sync()?;
            }
        }
        if !stored.body.chunks().is_empty() {
            self.store().keep_chunks(position, &kept)?;
        }
        group.add_erased(erased);
        self.recovery.remember((position, index, left));
        Ok(Ok(()))
    }

    fn readable(&self, position: Position) -> Result<(Stored, Record), ReadError> {
        let store = self.store();
        let missing = || ReadError::Damaged { position, damage: "the record is missing".into() };
        let stored = store.stored(position)?.ok_or_else(missing)?;
        let record = store.whole(&stored)?;
        Ok((stored, record))
    }
}
