//! The reasons why servers did not help, and the refusal for the user that follows from them.

use rookery_domain::{OwnedServerName, Rejection, RemoteOutcome, ServerName};

use crate::client::CallError;

/// Longest stored text of one server.
const REASON_CHARS_MAX: usize = 200;

/// The outcome of a request at one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// It does not know the room.
    Unknown,
    /// It did not answer, or its answer could not be used.
    Failed,
    /// It cannot let the user in; another server may be able to.
    CannotAdmit,
    /// This server does not know the version of the room.
    Version,
    /// It refused.
    Forbidden,
}

/// The servers that were asked, and why each did not help.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<(OwnedServerName, Kind, String)>);

impl Failures {
    /// A server refused, or did not answer.
    pub(super) fn call(&mut self, error: CallError) {
        let kind = match error.code.as_deref() {
            Some("M_NOT_FOUND") => Kind::Unknown,
            Some("M_UNABLE_TO_AUTHORISE_JOIN" | "M_UNABLE_TO_GRANT_JOIN") => Kind::CannotAdmit,
            Some("M_INCOMPATIBLE_ROOM_VERSION" | "M_UNSUPPORTED_ROOM_VERSION") => Kind::Version,
            Some("M_FORBIDDEN") => Kind::Forbidden,
            _ => Kind::Failed,
        };
        self.0.push((error.server, kind, error.reason));
    }

    /// The answer of a server cannot be used.
    pub(super) fn answer(&mut self, server: &ServerName, reason: impl Into<String>) {
        self.0.push((server.to_owned(), Kind::Failed, reason.into()));
    }

    /// The refusal for the user. A server that forbids it decides, wherever it stands in the list.
    pub(super) fn outcome(&self) -> RemoteOutcome {
        let strongest = self.0.iter().map(|(_, kind, _)| *kind).max();
        let named = |kind: Option<Kind>| {
            let of_kind = self.0.iter().filter(|(_, it, _)| kind.is_none_or(|kind| *it == kind));
            let texts = of_kind.map(|(server, _, reason)| {
                let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
                format!("{server}: {reason}")
            });
            texts.collect::<Vec<_>>().join("; ")
        };
        let rejection = match strongest {
            Some(Kind::Unknown) => Rejection::NoSuchRoom,
            Some(Kind::Forbidden) => Rejection::Forbidden { rule: named(Some(Kind::Forbidden)) },
            Some(Kind::Version) => Rejection::UnknownRoomVersion(named(Some(Kind::Version))),
            Some(Kind::CannotAdmit) => Rejection::NobodyCanAdmit,
            Some(Kind::Failed) => Rejection::ServerUnreachable(named(None)),
            None => Rejection::ServerUnreachable("no server was named".to_owned()),
        };
        RemoteOutcome::from(&rejection)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn code(answers: &[Option<&str>]) -> String {
        let mut failures = Failures::default();
        for (number, code) in answers.iter().enumerate() {
            let server = OwnedServerName::try_from(format!("s{number}.example")).unwrap();
            let code = code.map(str::to_owned);
            failures.call(CallError { server, reason: "because".to_owned(), code });
        }
        match failures.outcome() {
            RemoteOutcome::Refused { code, message } => format!("{code} {message}"),
            RemoteOutcome::Done { .. } => unreachable!("failures are refused"),
        }
    }

    #[test]
    fn a_server_that_forbids_decides_and_silence_names_everybody_who_was_asked() {
        let forbidden = code(&[None, Some("M_FORBIDDEN"), Some("M_NOT_FOUND")]);
        assert!(forbidden.starts_with("FORBIDDEN") && forbidden.contains("s1.example: because"));
        let silent = code(&[None, Some("M_NOT_FOUND")]);
        assert!(silent.starts_with("SERVER_UNREACHABLE"), "{silent}");
        assert!(silent.contains("s0.example: because") && silent.contains("s1.example"));
        assert!(code(&[Some("M_NOT_FOUND")]).starts_with("NO_SUCH_ROOM"));
        let version = code(&[None, Some("M_INCOMPATIBLE_ROOM_VERSION")]);
        assert!(version.starts_with("UNKNOWN_ROOM_VERSION"), "{version}");
    }
}
