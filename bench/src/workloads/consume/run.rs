//! The measurements of `consume`, one after the other.

use crate::{Error, settings::Settings};

pub(crate) fn run(settings: &Settings) -> Result<(), Error> {
    super::live::run(settings)?;
    super::behind::run(settings)?;
    super::beside::run(settings)
}
