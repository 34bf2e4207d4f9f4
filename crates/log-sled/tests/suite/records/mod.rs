//! Records that are missing, or that cannot be read.

mod holes;
mod unreadable;
