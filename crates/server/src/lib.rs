//! The `rookery` program.
