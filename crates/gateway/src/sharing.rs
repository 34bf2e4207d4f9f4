//! Shared execution: what a commit is to subscribers who ask in the same way is executed and
//! serialised once for all of them (decision 16).
//!
//! **Invariant:** a field is executed for many only where the schema marks it `@shared`; what nobody
//! has marked depends on who asks.
//! **Invariant:** a shared execution has no viewer. A field that asks who asks fails there, whatever
//! its mark says, and then everybody gets an execution of their own.
//! **Invariant:** a shared response has no errors.

mod document;
mod execution;
mod fanout;
mod following;
mod group;
mod identity;
mod mark;
mod shelf;
#[cfg(test)]
mod tests;

pub(crate) use self::{
    execution::{Handed, SeenByMembers},
    fanout::Fanout,
    following::{Opening, resume_point},
    mark::{SharedBy, shared},
};
pub use self::{fanout::FanoutCounts, following::SharingSchema};
