//! Checks comments and pages for plain English, as far as a program can.

mod prose;
mod rules;
mod violations;

pub(crate) use violations::style;
