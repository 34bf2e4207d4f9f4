//! The contract suite: placeholder until written.
