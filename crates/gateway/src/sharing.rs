//! Shared execution: the answer to a commit is executed and serialised once for all subscribers
//! with equal requests (decision 16).
//!
//! **Invariant:** a field is executed for many only if the schema marks it `@shared`; any other
//! field depends on the viewer.
//! **Invariant:** a shared execution has no viewer. A field that asks for the viewer fails there,
//! whatever its mark is, and then each subscriber gets an execution of their own.
//! **Invariant:** a shared response has no errors.

mod document;
mod execution;
mod fanout;
mod following;
mod group;
mod identity;
mod shelf;
#[cfg(test)]
mod tests;

pub(crate) use self::{
    execution::Handed,
    fanout::Fanout,
    following::{Opening, resume_point},
};
pub use self::{fanout::FanoutCounts, following::SharingSchema};
