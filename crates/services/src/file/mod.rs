//! Registration files: our TOML, and the YAML of Matrix application services.

mod error;
mod source;
mod toml;
mod yaml;

pub use self::{
    error::FileError,
    source::{FileFormat, parse, read},
};
