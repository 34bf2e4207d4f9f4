//! Changes of users to their own data.

mod accounts;
mod profiles;
mod rates;
mod reserved;
