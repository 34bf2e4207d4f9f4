//! End-to-end tests of the running binary.
