//! Programs that take part: their registration files, the list of services, and their sessions.
//!
//! **Invariant:** a change is effective before the call that makes it answers: no later request and
//! no open connection gets more than the new list allows.
//! **Invariant:** a service acts only as its bot and as users in its namespaces, and never as a user
//! whom another service claims exclusively.

mod directory;
mod file;
mod following;
mod registration;
mod session;

#[cfg(test)]
mod tests;

pub use self::{
    directory::{DirectoryError, ServiceDirectory},
    file::{FileError, FileFormat, parse, read},
    following::{FollowsSince, RoomFollowing},
    registration::{NewRegistration, Registered, Registration, RegistrationError},
    session::{ServiceSession, SessionError, UserRefusal},
};
