//! Benchmarks; each workload is a module here.

mod dispatch;

pub(crate) use dispatch::main;
