//! Benchmarks. The package `rookery-bench` defines the measurements.

mod dispatch;

pub(crate) use dispatch::main;
