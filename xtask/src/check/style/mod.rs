//! Whether comments and pages keep to plain English, as far as a program can see it.

mod prose;
mod rules;
mod violations;

pub(crate) use violations::style;
