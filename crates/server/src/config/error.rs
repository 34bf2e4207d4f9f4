//! Where values come from, and what is wrong with them.

use std::{fmt, path::PathBuf};

use crate::config::Setting;

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nowhere: it is the default.
    Default,
    /// In the file.
    File(PathBuf),
    /// In an environment variable.
    Variable,
    /// On the command line.
    Flag,
}

impl Source {
    /// Names the place where `setting` was set.
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

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        reason: String,
    },
    /// The file is no TOML.
    #[error("{} is not valid TOML: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, column and what was expected.
        reason: String,
    },
    /// The file has a key that means nothing.
    #[error("{}: unknown key {key:?}; did you mean {nearest:?}?", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// What it says.
        key: String,
        /// The known key that is most like it.
        nearest: &'static str,
    },
    /// A value makes no sense.
    #[error("{place}: {found:?} is not valid; expected {expected}")]
    Value {
        /// File and key, variable or flag.
        place: String,
        /// The value.
        found: String,
        /// What it has to look like.
        expected: &'static str,
    },
}

/// What is wrong with the configuration: everything, not only the first thing.
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
