//! The servers with which this server talks.

use std::str::FromStr;

use rookery_domain::ServerName;

/// The lists of an operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// If it names any, only these servers are talked with.
    pub allow: Vec<ServerPattern>,
    /// These servers are not talked with.
    pub deny: Vec<ServerPattern>,
}

/// A server name, or `*.` and the end of server names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerPattern(String);

/// The text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a server name, or `*.` and the end of server names")]
pub struct PatternError;

impl FromStr for ServerPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let name = text.strip_prefix("*.").unwrap_or(text);
        let parsed = <&ServerName>::try_from(name).map_err(|_| PatternError)?;
        let is_lower = !parsed.as_str().bytes().any(|byte| byte.is_ascii_uppercase());
        is_lower.then(|| Self(text.to_owned())).ok_or(PatternError)
    }
}

impl ServerPattern {
    fn matches(&self, server: &ServerName) -> bool {
        // A port makes another server, but not another host.
        let (name, host) =
            (server.as_str().to_ascii_lowercase(), server.host().to_ascii_lowercase());
        match self.0.strip_prefix('*') {
            Some(end) => host.ends_with(end) || name.ends_with(end),
            None => name == self.0 || host == self.0,
        }
    }
}

impl Access {
    /// Whether this server talks with `server`.
    #[must_use]
    pub fn allows(&self, server: &ServerName) -> bool {
        let is_in = |list: &[ServerPattern]| list.iter().any(|pattern| pattern.matches(server));
        (self.allow.is_empty() || is_in(&self.allow)) && !is_in(&self.deny)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn allows(access: &Access, server: &str) -> bool {
        access.allows(<&ServerName>::try_from(server).unwrap())
    }

    #[test]
    fn lists_name_servers_and_the_ends_of_their_names() {
        let patterns = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        assert!(allows(&Access::default(), "one.example"));
        let deny = patterns(&["*.bad.example", "worse.example"]);
        let access = Access { allow: Vec::new(), deny };
        for denied in ["a.bad.example", "a.b.BAD.example:1", "worse.example", "worse.example:8448"]
        {
            assert!(!allows(&access, denied), "{denied}");
        }
        for allowed in ["bad.example", "notbad.example", "a.worse.example"] {
            assert!(allows(&access, allowed), "{allowed}");
        }
        let access = Access { allow: patterns(&["*.good.example"]), ..access };
        assert!(allows(&access, "a.good.example"));
        assert!(!allows(&access, "one.example"));
    }

    #[test]
    fn what_is_no_server_name_is_no_pattern() {
        for text in ["", "*", "*.", "a b", "A.example", "*.*.example"] {
            assert_eq!(text.parse::<ServerPattern>(), Err(PatternError), "{text}");
        }
    }
}
