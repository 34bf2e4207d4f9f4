//! The addresses to which the server may send on behalf of others: as a relay for calls, and by HTTP.
//!
//! **Invariant:** one list of networks decides for all of them.

mod public;

pub use self::public::{PublicAddresses, Refusal};
