//! The rules of accounts, each as a test against a real file.

mod consumers;
mod ends;
mod faults;
mod file;
mod history;
mod imported;
mod login;
mod register;
mod sessions;
mod users;
mod webhooks;
