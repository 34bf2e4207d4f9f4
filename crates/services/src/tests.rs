//! The list of services, registration files and sessions.

use rookery_accounts::{Accounts, Millis, Options};
use rookery_domain::OwnedServerName;
use rookery_namespaces::Claim;
use tempfile::TempDir;

use crate::{
    DirectoryError, FileFormat, NewRegistration, Registration, ServiceDirectory, SessionError,
    UserRefusal, parse,
};

const NOW: Millis = Millis(1_700_000_000_000);

const SYNAPSES: &str = r#"
id: heisenbridge
url: http://127.0.0.1:9898
as_token: 0123456789abcdef0123456789abcdef
hs_token: "fedcba9876543210fedcba9876543210"
rate_limited: false
sender_localpart: heisenbridge
namespaces:
  users:
    - regex: '@irc_.*'
      exclusive: true
  aliases: []
  rooms: null
de.sorunome.msc2409.push_ephemeral: true
"#;

fn home() -> (TempDir, ServiceDirectory) {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = open(&folder);
    (folder, directory)
}

fn open(folder: &TempDir) -> ServiceDirectory {
    let path = folder.path().join("accounts.redb");
    let accounts = Accounts::open(&path, "example.org", Options::default()).expect("opens");
    let name = OwnedServerName::try_from("example.org").expect("a name");
    ServiceDirectory::open(accounts, name).expect("reads")
}

fn registration(name: &str, users: &str) -> NewRegistration {
    let registration = Registration {
        name: name.into(),
        bot: name.into(),
        url: None,
        is_rate_limited: true,
        users: vec![Claim { regex: users.into(), exclusive: true }],
        aliases: Vec::new(),
        rooms: Vec::new(),
        protocols: Vec::new(),
    };
    NewRegistration { registration, token: None, hs_token: None }
}

#[test]
fn a_registration_of_a_matrix_service_is_read_as_it_is() {
    let new = parse(SYNAPSES, FileFormat::Yaml).expect("reads");
    let registration = new.registration;
    assert_eq!(registration.name, "heisenbridge");
    assert_eq!(registration.url.as_deref(), Some("http://127.0.0.1:9898"));
    assert!(!registration.is_rate_limited);
    assert_eq!(registration.users, [Claim { regex: "@irc_.*".into(), exclusive: true }]);
    assert!(registration.aliases.is_empty() && registration.rooms.is_empty());
    assert_eq!(new.token.expect("a token").expose(), "0123456789abcdef0123456789abcdef");
    assert_eq!(new.hs_token.as_deref(), Some("fedcba9876543210fedcba9876543210"));
}

#[test]
fn our_own_registration_is_short() {
    let text = "name = \"echo\"\n\n[[users]]\nregex = '@_echo_.*'\nexclusive = true\n";
    let new = parse(text, FileFormat::Toml).expect("reads");
    assert_eq!(new.registration.bot, "echo");
    assert!(new.registration.is_rate_limited && new.token.is_none());
    assert_eq!(new.registration.users, [Claim { regex: "@_echo_.*".into(), exclusive: true }]);
}

#[test]
fn mistakes_in_files_are_named_with_key_and_line() {
    let yaml = |from: &str, to: &str| {
        let text = SYNAPSES.replace(from, to);
        assert_ne!(text, SYNAPSES, "{from}");
        parse(&text, FileFormat::Yaml).err().expect("refused").to_string()
    };
    let said = [
        (yaml("id: heisenbridge", "id: 'a b'"), vec!["line 2", "`id`", "1 to 64"]),
        (yaml("id: heisenbridge\n", ""), vec!["`id` is missing"]),
        (yaml("as_token:", "token:"), vec!["`as_token` is missing"]),
        (yaml("sender_localpart:", "sender:"), vec!["`sender_localpart` is missing"]),
        (yaml("hs_token:", "secret:"), vec!["`hs_token` is missing", "`url`"]),
        (
            yaml("0123456789abcdef0123456789abcdef", "short"),
            vec!["line 4", "`as_token`", "guessed"],
        ),
        (yaml("http://", "ftp://"), vec!["line 3", "`url`", "https://"]),
        (yaml("'@irc_.*'", "'@irc_(.*'"), vec!["line 10", "`namespaces.users[0].regex`"]),
        (yaml("'@irc_.*'", "'(?=@irc).*'"), vec!["line 10", "look-around"]),
        (yaml("exclusive: true", "exclusive: 7up"), vec!["line 11"]),
        (yaml("namespaces:", "namespaces"), vec!["line"]),
    ];
    for (message, words) in said {
        for word in words {
            assert!(message.contains(word), "{word} is not in: {message}");
        }
    }
    let toml = |text: &str| parse(text, FileFormat::Toml).err().expect("refused").to_string();
    assert!(toml("").contains("`name` is missing"));
    assert!(
        toml("name = \"a\"\nnmae = 1").starts_with("line 2: "),
        "{}",
        toml("name = \"a\"\nnmae = 1")
    );
    let bad = toml("name = \"a\"\n[[users]]\nregex = \"(\"");
    assert!(bad.starts_with("line 3: `users[0].regex`"), "{bad}");
}

#[tokio::test]
async fn a_service_acts_at_once_and_no_longer_once_it_is_removed() {
    let (folder, directory) = home();
    let added = directory.add(registration("irc", "@_irc_.*:example.org"), NOW).await;
    let token = added.expect("adds").expect("a token");
    let session = directory.session(token.expose(), None, NOW).await.expect("acts");
    let session = session.expect("a service");
    assert!(session.is_bot);
    assert_eq!(session.identity.user_id(), "@irc:example.org");
    assert!(directory.session("another token", None, NOW).await.expect("reads").is_none());
    directory.remove("irc").await.expect("removes");
    assert!(session.identity.revocation().is_some());
    assert!(directory.session(token.expose(), None, NOW).await.expect("reads").is_none());
    assert!(directory.current().is_empty());
    drop((session, directory));
    assert!(open(&folder).current().is_empty());
}

#[tokio::test]
async fn rotating_a_service_replaces_its_token_also_after_a_restart() {
    let (folder, directory) = home();
    let added = directory.add(registration("irc", "@_irc_.*:example.org"), NOW).await;
    let old = added.expect("adds").expect("a token");
    let session = directory.session(old.expose(), None, NOW).await.expect("acts").expect("acts");
    let new = directory.rotate("irc").await.expect("rotates");
    assert!(session.identity.revocation().is_some());
    drop((session, directory));
    let directory = open(&folder);
    assert!(directory.session(old.expose(), None, NOW).await.expect("reads").is_none());
    assert!(directory.session(new.expose(), None, NOW).await.expect("reads").is_some());
}

#[tokio::test]
async fn a_service_acts_as_users_in_its_namespaces_only() {
    let (_folder, directory) = home();
    let added = directory.add(registration("irc", "@_irc_.*:example.org"), NOW).await;
    let token = added.expect("adds").expect("a token");
    let registered = directory.get("irc").expect("is there");
    let act = |user: &'static str| directory.session(token.expose(), Some(user), NOW);
    for outside in ["@ada:example.org", "@_irc_bob:example.com", "_irc_bob", "@_irc_bob", ""] {
        let refused = act(outside).await.err();
        assert!(matches!(refused, Some(SessionError::Forbidden(_))), "{outside}: {refused:?}");
    }
    let missing = act("@_irc_bob:example.org").await.expect_err("refused").to_string();
    assert!(missing.contains("ensureUser"), "{missing}");
    for _ in 0..2 {
        directory.ensure_user(&registered, "_irc_bob", NOW).await.expect("creates");
    }
    let bob = act("@_irc_bob:example.org").await.expect("acts").expect("acts");
    assert!(!bob.is_bot);
    let outside = directory.ensure_user(&registered, "ada", NOW).await;
    assert!(matches!(outside, Err(UserRefusal::Outside { .. })), "{outside:?}");
    let malformed = directory.ensure_user(&registered, "_irc_ä", NOW).await;
    assert!(matches!(malformed, Err(UserRefusal::Name(_))), "{malformed:?}");
}

#[tokio::test]
async fn letters_of_another_case_lead_to_no_user_outside_the_namespace() {
    let (_folder, directory) = home();
    let added = directory.add(registration("irc", "@ADA:example.org"), NOW).await;
    let token = added.expect("adds").expect("a token");
    let registered = directory.get("irc").expect("is there");
    let ada = directory.session(token.expose(), Some("@ADA:example.org"), NOW).await.err();
    assert!(matches!(ada, Some(SessionError::Forbidden(_))), "{ada:?}");
    assert!(directory.ensure_user(&registered, "ada", NOW).await.is_err());
}

#[tokio::test]
async fn two_services_never_claim_a_name_exclusively() {
    let (_folder, directory) = home();
    directory.add(registration("irc", "@_irc_.*:example.org"), NOW).await.expect("adds");
    let same = directory.add(registration("slack", "@_irc_.*:example.org"), NOW).await.err();
    let Some(DirectoryError::Conflict(conflict)) = same else { panic!("{same:?}") };
    let text = conflict.to_string();
    assert!(text.contains("irc") && text.contains("slack"), "{text}");
    // Patterns that differ may have names in common: such a name is refused when it is used.
    directory.add(registration("slack", "@.*_slack:example.org"), NOW).await.expect("adds");
    for service in ["irc", "slack"] {
        let registered = directory.get(service).expect("is there");
        let both = directory.ensure_user(&registered, "_irc_a_slack", NOW).await;
        assert!(matches!(both, Err(UserRefusal::Reserved { .. })), "{both:?}");
    }
}
