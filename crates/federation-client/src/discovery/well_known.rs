//! `https://NAME/.well-known/matrix/server`: the name to which a server delegates.
//!
//! **Invariant:** at most [`REDIRECTS_MAX`] redirects are followed, to `https` alone, and each of them is checked and
//! resolved like the first address.
//! **Invariant:** an answer that cannot be used counts as none, as the specification says.

use std::time::Duration;

use rookery_domain::OwnedServerName;
use rookery_outgoing::{Bytes, Client, HeaderMap, Method, Request, StatusCode, Target, header};
use serde::Deserialize;

/// Most redirects.
const REDIRECTS_MAX: usize = 5;

/// Longest answer.
const ANSWER_BYTES_MAX: usize = 50 * 1024;

/// How long all requests together may take.
const TIME_MAX: Duration = Duration::from_secs(15);

/// How long an answer is kept that does not say so itself.
const KEPT_DEFAULT: Duration = Duration::from_hours(24);

/// The longest time for which an answer is kept, whatever it says. Source: Matrix server-server specification, "Server
/// discovery".
const KEPT_MAX: Duration = Duration::from_hours(48);

/// How long the absence of an answer is kept.
pub(super) const ABSENCE_KEPT: Duration = Duration::from_hours(1);

/// The answer of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// The server to ask.
    pub server: OwnedServerName,
    pub(super) kept: Duration,
}

/// Asks a host, by `https` on port 443. `Err` says why there is no usable answer.
pub(super) async fn ask(client: &Client, host: &str) -> Result<Delegation, String> {
    let url = format!("https://{host}/.well-known/matrix/server");
    let asked = tokio::time::timeout(TIME_MAX, follow(client, url));
    asked.await.unwrap_or_else(|_elapsed| Err("no answer in time".to_owned()))
}

/// The answer at an address, after its redirects.
///
/// # Errors
/// Why there is no usable answer.
pub async fn follow(client: &Client, mut url: String) -> Result<Delegation, String> {
    for _ in 0..=REDIRECTS_MAX {
        let target = Target::parse(&url).map_err(|error| format!("{url} {error}"))?;
        if !target.is_encrypted() {
            return Err(format!("{url} is not `https`"));
        }
        let answer = client
            .send(Request {
                method: Method::GET,
                target,
                headers: HeaderMap::new(),
                body: Bytes::new(),
                time_max: TIME_MAX,
                answer_bytes_max: ANSWER_BYTES_MAX,
                server: None,
            })
            .await
            .map_err(|error| format!("{url}: {error}"))?;
        if answer.status.is_redirection() {
            let to = answer.headers.get(header::LOCATION).and_then(|to| to.to_str().ok());
            let to = to.ok_or_else(|| format!("{url} redirects to nowhere"))?;
            url = against(&url, to);
            continue;
        }
        if answer.status != StatusCode::OK || answer.is_cut {
            return Err(format!("{url} answered {}", answer.status.as_u16()));
        }
        return read(&answer.body, &answer.headers).map_err(|error| format!("{url}: {error}"));
    }
    Err(format!("more than {REDIRECTS_MAX} redirects"))
}

/// The address that `to` means in an answer from `from`.
fn against(from: &str, to: &str) -> String {
    if to.contains("://") {
        return to.to_owned();
    }
    let origin_ends = from.get(8..).and_then(|rest| rest.find('/')).map_or(from.len(), |at| at + 8);
    let origin = &from[..origin_ends];
    if let Some(host) = to.strip_prefix("//") {
        format!("https://{host}")
    } else if to.starts_with('/') {
        format!("{origin}{to}")
    } else {
        format!("{origin}/.well-known/matrix/{to}")
    }
}

fn read(body: &[u8], headers: &HeaderMap) -> Result<Delegation, String> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "m.server")]
        server: OwnedServerName,
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    Ok(Delegation { server: answer.server, kept: kept(headers) })
}

/// How long an answer may be kept, by `Cache-Control`.
fn kept(headers: &HeaderMap) -> Duration {
    let control = headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let mut kept = KEPT_DEFAULT;
    for directive in control.unwrap_or_default().split(',').map(str::trim) {
        let directive = directive.to_ascii_lowercase();
        if directive == "no-store" || directive == "no-cache" {
            return Duration::ZERO;
        }
        if let Some(seconds) = directive.strip_prefix("max-age=") {
            kept = seconds.parse().map_or(kept, Duration::from_secs).min(KEPT_MAX);
        }
    }
    kept
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_as_long_as_it_says() {
        for (control, seconds) in [
            (None, 86_400),
            (Some("max-age=60"), 60),
            (Some("public, MAX-AGE=7"), 7),
            (Some("max-age=soon"), 86_400),
            (Some("max-age=18446744073709551615"), 172_800),
            (Some("max-age=60, no-store"), 0),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(control) = control {
                headers.insert(header::CACHE_CONTROL, control.parse().unwrap());
            }
            assert_eq!(kept(&headers).as_secs(), seconds, "{control:?}");
        }
    }

    #[test]
    fn redirects_are_read_against_the_address_that_gave_them() {
        let from = "https://one.example:8443/.well-known/matrix/server";
        assert_eq!(against(from, "/x"), "https://one.example:8443/x");
        assert_eq!(against(from, "//two.example/x"), "https://two.example/x");
        assert_eq!(against(from, "http://two.example/x"), "http://two.example/x");
        assert_eq!(against(from, "other"), "https://one.example:8443/.well-known/matrix/other");
    }

    #[test]
    fn an_answer_without_a_server_name_is_refused() {
        for body in ["{}", "{\"m.server\":\"\"}", "{\"m.server\":\"a b\"}", "[]", "<html>"] {
            assert!(read(body.as_bytes(), &HeaderMap::new()).is_err(), "{body}");
        }
        let delegation = read(b"{\"m.server\":\"two.example:443\"}", &HeaderMap::new()).unwrap();
        assert_eq!(delegation.server, "two.example:443");
    }
}
