//! Accounts: profiles, filters and logins.

mod account_data;
mod filters;
mod ignoring;
mod logins;
mod naming;
mod preferences;
mod profiles;
