//! One pattern of names.

use regex::{Regex, RegexBuilder};

/// Longest pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 1_024;

/// Largest compiled pattern, in bytes.
pub const PATTERN_COMPILED_BYTES_MAX: usize = 256 * 1_024;

/// A pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The pattern is empty, so it would match no name.
    #[error("the pattern is empty; write a regular expression that matches whole names")]
    Empty,
    /// The pattern is too long.
    #[error(
        "the pattern has {bytes} bytes and the maximum is {PATTERN_BYTES_MAX}; make it shorter"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The compiled pattern takes too much memory.
    #[error(
        "the pattern takes more than {PATTERN_COMPILED_BYTES_MAX} bytes once it is compiled; use smaller repetitions"
    )]
    TooLarge,
    /// The pattern is not a regular expression of the crate `regex`.
    #[error(
        "it is not a regular expression that the server understands: {0}; look-around and references back are not \
         supported"
    )]
    Syntax(String),
}

/// A regular expression that has to match a whole name.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    text: Box<str>,
    whole: Regex,
}

impl Pattern {
    /// Compiles a pattern.
    pub(crate) fn new(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > PATTERN_BYTES_MAX {
            return Err(PatternError::TooLong { bytes: text.len() });
        }
        // The pattern has to be whole by itself: `a)|(b` would leave the anchors.
        compile(text)?;
        let whole = compile(&format!(r"\A(?:{text})\z"))?;
        Ok(Self { text: text.into(), whole })
    }

    /// Whether the pattern matches all of `name`.
    pub(crate) fn matches(&self, name: &str) -> bool {
        self.whole.is_match(name)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

fn compile(text: &str) -> Result<Regex, PatternError> {
    let mut builder = RegexBuilder::new(text);
    builder.size_limit(PATTERN_COMPILED_BYTES_MAX).dfa_size_limit(PATTERN_COMPILED_BYTES_MAX);
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => PatternError::TooLarge,
        other => PatternError::Syntax(last_line(&other.to_string())),
    })
}

/// The reason, without the drawing above it.
fn last_line(error: &str) -> String {
    let last = error.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}
