//! Texts as readers see them: normal forms, visible characters, words, and the names in a text.
//!
//! **Invariant:** nothing here does I/O, and nothing knows events.

mod names;
mod normal;
mod phrases;

pub use self::{
    names::Names,
    normal::{composed, each_word, normal, shows_nothing, without_invisible},
    phrases::{calls_everybody, phrase},
};
