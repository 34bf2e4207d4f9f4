//! Commands of operators, and imports.

mod administrators;
mod import;
mod imported;
mod operator;
mod orders;
mod outputs;
mod relay;
