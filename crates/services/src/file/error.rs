//! Errors in registration files.

use std::fmt;

/// A registration file cannot be used. The text says where and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// The reason.
        reason: String,
    },
    /// The name of the file has no known ending.
    #[error(
        "cannot tell the format of {path}: name it with the ending .toml, or .yaml for a registration of a Matrix \
         application service"
    )]
    UnknownFormat {
        /// The file.
        path: String,
    },
    /// The text is not TOML or YAML, or has values of other types.
    #[error("{}{reason}", Place(*line))]
    Syntax {
        /// The line, from 1.
        line: Option<u64>,
        /// The reason.
        reason: String,
    },
    /// A key is missing.
    #[error("the key `{key}` is missing: {advice}")]
    Missing {
        /// The key.
        key: &'static str,
        /// The line to write.
        advice: &'static str,
    },
    /// A value cannot be used.
    #[error("{}`{key}`: {reason}", Place(*line))]
    Value {
        /// The key.
        key: String,
        /// The line, from 1.
        line: Option<u64>,
        /// The reason.
        reason: String,
    },
}

/// `line 3: `, or nothing.
struct Place(Option<u64>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(line) => write!(f, "line {line}: "),
            None => Ok(()),
        }
    }
}
