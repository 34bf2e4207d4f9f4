//! The screens of a client: home screen, timelines and pages.

pub(super) mod home;
pub(super) mod long;
pub(super) mod screen;
pub(super) mod scroll;
