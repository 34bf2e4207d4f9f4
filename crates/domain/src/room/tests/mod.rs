//! Tests of the inside of a room.

mod bounds;
