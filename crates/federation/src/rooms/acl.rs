//! `m.room.server_acl`: the servers that a room lets take part.
//!
//! Source: Matrix client-server specification, "Server Access Control Lists (ACLs) for rooms".

use rookery_domain::{Pdu, ServerName};
use serde::Deserialize;

/// Most comparisons for one entry. Beyond it the entry is taken to match, which is the safe side of a list of denials.
const STEPS_MAX: usize = 10_000;

#[derive(Deserialize)]
struct Lists {
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    deny: Vec<String>,
    #[serde(default = "yes")]
    allow_ip_literals: bool,
}

fn yes() -> bool {
    true
}

/// Whether the lists of a room let a server take part. A room without lists lets everybody.
pub(super) fn allows(acl: Option<&Pdu>, server: &ServerName) -> bool {
    let Some(acl) = acl else { return true };
    // Lists of a wrong form deny nobody: otherwise one mistake would end the room for all.
    let Some(lists) = acl.content_as::<Lists>() else { return true };
    if !lists.allow_ip_literals && server.is_ip_literal() {
        return false;
    }
    let host = server.host();
    let is_in = |list: &[String]| list.iter().any(|pattern| matches(pattern, host));
    !is_in(&lists.deny) && is_in(&lists.allow)
}

/// Whether a pattern with `*` and `?` matches a whole name, whatever the case of its letters.
fn matches(pattern: &str, name: &str) -> bool {
    let lower = |text: &str| text.to_ascii_lowercase().into_bytes();
    let (pattern, name) = (lower(pattern), lower(name));
    let (mut at, mut of) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    for _ in 0..STEPS_MAX {
        if of == name.len() {
            return pattern[at..].iter().all(|byte| *byte == b'*');
        }
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[of] => {
                at += 1;
                of += 1;
            }
            _ => {
                let Some((star_at, star_of)) = star else { return false };
                star = Some((star_at, star_of + 1));
                at = star_at + 1;
                of = star_of + 1;
            }
        }
    }
    true
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    fn acl(content: &serde_json::Value) -> Pdu {
        let json = json!({
            "room_id": "!r:one.example", "sender": "@a:one.example", "type": "m.room.server_acl",
            "state_key": "", "origin_server_ts": 1, "depth": 1, "content": content,
        });
        Pdu::parse("$acl".try_into().unwrap(), json.to_string().into_bytes().into()).unwrap()
    }

    fn allows_by(content: &serde_json::Value, server: &str) -> bool {
        allows(Some(&acl(content)), <&ServerName>::try_from(server).unwrap())
    }

    #[test]
    fn a_denial_counts_more_than_a_permission() {
        let lists = json!({ "allow": ["*"], "deny": ["*.evil.example", "bad?.example"] });
        for denied in ["a.evil.example", "A.B.Evil.example:1", "bad1.example"] {
            assert!(!allows_by(&lists, denied), "{denied}");
        }
        for allowed in ["evil.example", "bad.example", "bad12.example", "192.0.2.1"] {
            assert!(allows_by(&lists, allowed), "{allowed}");
        }
    }

    #[test]
    fn lists_without_permissions_let_nobody_in() {
        assert!(!allows_by(&json!({}), "one.example"));
        assert!(!allows_by(&json!({ "allow": ["two.example"] }), "one.example"));
        assert!(allows(None, <&ServerName>::try_from("one.example").unwrap()));
    }

    #[test]
    fn addresses_can_be_excluded() {
        let lists = json!({ "allow": ["*"], "allow_ip_literals": false });
        assert!(!allows_by(&lists, "192.0.2.1") && !allows_by(&lists, "[2001:db8::1]:8448"));
        assert!(allows_by(&lists, "one.example"));
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let lists = json!({ "allow": ["*"], "deny": ["*a".repeat(200)] });
        let name = "a".repeat(199) + "b.example";
        allows_by(&lists, &name);
    }
}
