//! GraphQL documents, from the parameters of a request to a plan of known cost, and answers in their final shape.
//!
//! [`Params`] are read first. The gate ([`admit`]) counts before anything parses. [`Documents`] parse and validate each
//! text once and keep the result. A [`Plan`] is what the executor gets; a [`CostModel`] knows its cost. [`Validated`]
//! executes it and completes the answer, which becomes an [`Outcome`].
//!
//! **Invariant:** nothing here knows a type of any schema, a protocol of the network, a caller or the time.
//! **Invariant:** nothing here waits: the executor is the only asynchronous part.
//! **Invariant:** tokens, variables and the words of faults appear neither in logs nor in answers.

mod answer;
mod cost;
mod documents;
mod gate;
mod params;

pub use self::{
    answer::{
        fault::FaultId,
        outcome::{Errors, Outcome},
        refusal::{Effect, Location, Refusal, code},
        text::text_of,
    },
    cost::{Cost, CostModel, CostRules},
    documents::{
        DocumentLimits, Documents, Executable, FieldMarks, Plan, Reading, Types, TypesError,
        Validated, prepare,
    },
    gate::{
        Admitted, ESCAPED_MAX, GateLimits, GuardedFields, OperationKind, admit, json_nested_within,
        significant, unescaped_len,
    },
    params::Params,
};
