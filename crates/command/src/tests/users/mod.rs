//! What users change about themselves.

mod accounts;
mod profiles;
mod rates;
