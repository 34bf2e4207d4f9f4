//! The sources of configuration values, and the errors of a configuration.

use std::{fmt, path::PathBuf};

use crate::config::Setting;

/// The source of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The default, without any source.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// An environment variable.
    Variable,
    /// The command line.
    Flag,
}

impl Source {
    /// Names the source of `setting`.
    #[must_use]
    pub fn describe(&self, setting: &Setting) -> String {
        match self {
            Self::Default => "default".into(),
            Self::File(path) => format!("{} in {}", setting.key, path.display()),
            Self::Variable => format!("environment variable {}", setting.variable()),
            Self::Flag => format!("flag --{}", setting.flag()),
        }
    }
}

/// One error of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        reason: String,
    },
    /// The file is not valid TOML.
    #[error("{} is not valid TOML: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, column and the expected syntax.
        reason: String,
    },
    /// The file has an unknown key.
    #[error("{}: unknown key {key:?}; did you mean {nearest:?}?", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The unknown key.
        key: String,
        /// The most similar known key.
        nearest: &'static str,
    },
    /// A value is not valid.
    #[error("{place}: {found:?} is not valid; expected {expected}")]
    Value {
        /// File and key, variable or flag.
        place: String,
        /// The value.
        found: String,
        /// The expected form.
        expected: &'static str,
    },
    /// Settings do not go together.
    #[error("{0}")]
    Together(String),
}

/// All errors of a configuration, not only the first one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is not valid:")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for ConfigError {}
