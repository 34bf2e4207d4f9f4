//! Reads records from a source of values: the open engine, or an image of its files.
//!
//! **Invariant:** every record that is read has been checked: version, checksum, place, and the
//! presence of all parts.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use rookery_log::{Position, ReadError, Record};

use crate::{
    engine::store::StoreError,
    format::{self, Body, Damage, Stored},
};

/// A source of the values of records and of their chunks.
pub(crate) trait Records {
    /// The last position that has a record, complete or not.
    fn last(&self) -> Result<Option<Position>, StoreError>;

    /// The value of the record at `position`.
    fn value(&self, position: Position) -> Result<Option<Bytes>, StoreError>;

    /// The value of a chunk of the record at `position`.
    fn chunk(&self, position: Position, index: u32) -> Result<Option<Bytes>, StoreError>;

    /// The header of the record at `position`.
    fn stored(&self, position: Position) -> Result<Option<Stored>, ReadError> {
        let value = self.value(position).map_err(|error| error.at(position))?;
        let stored = value.map(|value| Stored::read(value, position)).transpose();
        stored.map_err(|damage| damage.at(position))
    }

    /// The record at `position`, or `None` if there is none.
    fn record(&self, position: Position) -> Result<Option<Record>, ReadError> {
        self.stored(position)?.map(|stored| self.whole(&stored)).transpose()
    }

    /// The number of the first missing chunk of the record, if one is missing.
    fn missing_chunk(&self, stored: &Stored) -> Result<Option<u32>, ReadError> {
        for index in stored.body.chunks() {
            let chunk = self.chunk(stored.position, index);
            if chunk.map_err(|error| error.at(stored.position))?.is_none() {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// The record with the header `stored`.
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

    /// The joined bytes of the chunks.
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
