//! Commands of operators, and imports.

mod import;
mod imported;
mod operator;
mod orders;
mod outputs;
mod relay;
