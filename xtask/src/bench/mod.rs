//! Benchmarks. What is measured, and how, is in the package `rookery-bench`.

mod dispatch;

pub(crate) use dispatch::main;
