//! Checks of the sources themselves. Each is a pure function that returns the violations.

mod arrows;
mod built;
mod ignored;
mod image;
mod layout;
mod leaks;
mod links;
mod promises;
mod purity;
mod style;

pub(crate) use arrows::arrows;
pub(crate) use built::lacking;
pub(crate) use image::image_files;
pub(crate) use layout::layout;
pub(crate) use leaks::leaks;
pub(crate) use links::links;
pub(crate) use promises::promises;
pub(crate) use purity::purity;
pub(crate) use style::style;
