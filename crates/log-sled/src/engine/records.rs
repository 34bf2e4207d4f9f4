//! Reading records out of what holds their values: the open engine, or an image of its files.
//!
//! **Invariant:** what is read has been checked: version, checksum, place, and all parts there.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use rookery_log::{Position, ReadError, Record};

use crate::{
    engine::store::StoreError,
    format::{self, Body, Damage, Stored},
};

/// What holds the values of records and of their chunks.
pub(crate) trait Records {
    /// The last position that has a record, whole or not.
    fn last(&self) -> Result<Option<Position>, StoreError>;

    /// The value of the record at `position`.
    fn value(&self, position: Position) -> Result<Option<Bytes>, StoreError>;

    /// The value of a chunk of the record at `position`.
    fn chunk(&self, position: Position, index: u32) -> Result<Option<Bytes>, StoreError>;

    /// The record at `position`, its header only.
    fn stored(&self, position: Position) -> Result<Option<Stored>, ReadError> {
        let value = self.value(position).map_err(|error| error.at(position))?;
        let stored = value.map(|value| Stored::read(value, position)).transpose();
        stored.map_err(|damage| damage.at(position))
    }

    /// The record at `position`, or `None` if there is nothing.
    fn record(&self, position: Position) -> Result<Option<Record>, ReadError> {
        self.stored(position)?.map(|stored| self.whole(&stored)).transpose()
    }

    /// The number of a chunk that the record lacks, if it lacks one.
    fn missing_chunk(&self, stored: &Stored) -> Result<Option<u32>, ReadError> {
        for index in stored.body.chunks() {
            let chunk = self.chunk(stored.position, index);
            if chunk.map_err(|error| error.at(stored.position))?.is_none() {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// The record behind the header `stored`.
    fn whole(&self, stored: &Stored) -> Result<Record, ReadError> {
        let body = match &stored.body {
            Body::Whole(body) => stored.decode(body),
            Body::Chunked { length, .. } => {
                let body = self.join(stored.position, stored.body.chunks(), *length)?;
                stored.decode_joined(&body)
            }
        };
        body.map_err(|damage| damage.at(stored.position))
    }

    /// The bytes of the chunks, one behind the other.
    fn join(
        &self,
        position: Position,
        chunks: Range<u32>,
        length: u32,
    ) -> Result<Bytes, ReadError> {
        let mut body = BytesMut::with_capacity((length as usize).min(format::BODY_BYTES_MAX));
        for index in chunks.clone() {
            let value = self.chunk(position, index).map_err(|error| error.at(position))?;
            let Some(value) = value else {
                let (number, count) = (index - chunks.start + 1, chunks.len());
                let damage = format!("part {number} of {count} is missing");
                return Err(Damage(damage.into()).at(position));
            };
            let part = format::read_chunk(value, position, index);
            body.extend_from_slice(&part.map_err(|damage| damage.at(position))?);
        }
        Ok(body.freeze())
    }
}
