//! Accounts: profiles, filters and logins.

mod filters;
mod logins;
mod naming;
mod preferences;
mod profiles;
