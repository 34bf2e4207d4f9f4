//! The operator's file that maps nicks to users with accounts.
//!
//! One pair on each line: the nick, blanks or `=`, the user. Empty lines and lines that start with `#` are
//! ignored.

use super::line::nick::Nick;

/// Nicks, and their users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Each nick once, with a user name or ID in its written form.
    pub users: Vec<(Nick, String)>,
}

/// Why a mapping is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// A line is not a pair.
    #[error("line {line}: expected a nick and a user, like `ada_ = ada`")]
    NoPair {
        /// The line, from 1.
        line: usize,
    },
    /// A nick is not valid.
    #[error("line {line}: {nick:?} is not a nick")]
    NoNick {
        /// The line, from 1.
        line: usize,
        /// The text in the line.
        nick: String,
    },
    /// A nick has two users.
    #[error("line {line}: the nick {nick:?} already has a user")]
    Twice {
        /// The line, from 1.
        line: usize,
        /// The nick.
        nick: String,
    },
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// [`MappingError`], which names the line.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let mut users: Vec<(Nick, String)> = Vec::new();
        for (line, text) in text.lines().enumerate().map(|(index, text)| (index + 1, text.trim())) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let pair = text.split_once(char::is_whitespace).or_else(|| text.split_once('='));
            let (nick, user) = pair.ok_or(MappingError::NoPair { line })?;
            let (nick, user) = (nick.trim(), user.trim());
            let user = user.strip_prefix('=').unwrap_or(user).trim();
            if user.is_empty() || user.contains(char::is_whitespace) {
                return Err(MappingError::NoPair { line });
            }
            let nick = Nick::parse(nick)
                .ok_or_else(|| MappingError::NoNick { line, nick: nick.to_owned() })?;
            if users.iter().any(|(other, _)| other.fold() == nick.fold()) {
                return Err(MappingError::Twice { line, nick: nick.to_string() });
            }
            users.push((nick, user.to_owned()));
        }
        Ok(Self { users })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_read_line_by_line() {
        let text =
            "# who is who\n\nada = ada\nada_ @ada:example.org\n[bob]\t@=5bbob=5d:x\neve=eve\n";
        let mapping = Mapping::parse(text).expect("reads");
        let users: Vec<_> =
            mapping.users.iter().map(|(nick, user)| (nick.as_str(), user.as_str())).collect();
        let expected = [
            ("ada", "ada"),
            ("ada_", "@ada:example.org"),
            ("[bob]", "@=5bbob=5d:x"),
            ("eve", "eve"),
        ];
        assert_eq!(users, expected);
    }

    #[test]
    fn a_line_that_is_no_pair_is_named() {
        let twice = MappingError::Twice { line: 2, nick: "{a}".into() };
        for (text, error) in [
            ("ada", MappingError::NoPair { line: 1 }),
            ("ada =", MappingError::NoPair { line: 1 }),
            ("ada = b c", MappingError::NoPair { line: 1 }),
            ("\na:b = c", MappingError::NoNick { line: 2, nick: "a:b".into() }),
            ("[a] = b\n{a} = c", twice),
        ] {
            assert_eq!(Mapping::parse(text), Err(error), "{text}");
        }
    }
}
