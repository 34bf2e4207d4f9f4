//! The merged sources.

use std::{fs, path::PathBuf};

use rookery_accounts::RegistrationPolicy;

use crate::{
    cli,
    config::{ALL, Config, LogFormat, Problem, load, load::Loaded},
};

struct Given {
    folder: tempfile::TempDir,
    file: bool,
    environment: Vec<(String, String)>,
    flags: Vec<String>,
}

fn given() -> Given {
    let folder = tempfile::tempdir().expect("a folder");
    Given { folder, file: false, environment: vec![], flags: vec![] }
}

impl Given {
    fn path(&self) -> PathBuf {
        self.folder.path().join("rookery.toml")
    }

    fn file(mut self, text: &str) -> Self {
        fs::write(self.path(), text).expect("writes");
        self.file = true;
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    fn flags(mut self, line: &str) -> Self {
        self.flags.extend(line.split_whitespace().map(Into::into));
        self
    }

    fn load(self) -> Result<Loaded, Vec<Problem>> {
        let mut line = vec!["rookery".to_owned()];
        if self.file {
            line.extend(["--config".to_owned(), self.path().display().to_string()]);
        }
        line.extend(self.flags);
        let flags = cli::parse(line).expect("parses").flags;
        let environment =
            self.environment.into_iter().map(|(name, value)| (name.into(), value.into()));
        load(&flags, environment).map_err(|error| error.problems)
    }

    fn config(self) -> Config {
        self.load().expect("is valid").config
    }

    fn problems(self) -> Vec<String> {
        self.load().expect_err("is not valid").iter().map(ToString::to_string).collect()
    }
}

#[test]
fn defaults_serve_on_loopback_with_data_here() {
    let config = given().config();
    assert_eq!(config.data, PathBuf::from("./rookery-data"));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8008");
    assert_eq!(config.registration, RegistrationPolicy::LoopbackOnly);
    assert_eq!((config.server_name, config.token_lifetime), (None, None));
    assert!(config.allowed_origins.is_empty() && config.trusted_proxies.0.is_empty());
    assert_eq!((config.limits.body_bytes, config.limits.query_bytes), (65_536, 16_384));
    assert_eq!(config.cache.log_bytes, 16 << 20);
}

#[test]
fn the_printed_configuration_shows_the_share_of_each_cache() {
    let shown = given().flags("--memory-budget 64MiB --cache-rooms 1MiB").load().expect("is valid");
    let text = shown.to_string();
    for (name, size) in [
        ("pages of the log (cache.log)", "16 MiB"),
        ("states of rooms (cache.rooms)", "1 MiB"),
        ("states of users", "128 KiB"),
        ("latest records of the log", "2 MiB"),
        ("GraphQL documents", "4 MiB"),
    ] {
        let line = text.lines().find(|line| line.contains(name)).expect("is shown");
        assert!(line.starts_with('#') && line.ends_with(&format!(" {size}")), "{line}");
    }
    assert_eq!(given().file(&text).config(), shown.config);
}

#[test]
fn a_budget_that_is_too_small_is_refused_and_the_message_says_how_large_it_has_to_be() {
    let problems = given().flags("--memory-budget 15MiB").problems();
    let expected = "flag --memory-budget: \"15MiB\" is not valid; expected a size of at least 16MiB, \
                    such as 64MiB or 1GiB";
    assert_eq!(problems, [expected]);
    assert_eq!(given().flags("--memory-budget 16MiB").config().cache.log_bytes, 4 << 20);
}

#[test]
fn flags_go_before_variables_before_the_file_before_defaults() {
    let file = "listen = \"127.0.0.1:1\"\nlog = \"warn\"\nlog_format = \"json\"";
    let config = given()
        .file(file)
        .variable("ROOKERY_LISTEN", "127.0.0.1:2")
        .variable("ROOKERY_LOG", "debug")
        .flags("--listen 127.0.0.1:3")
        .config();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.log, "debug");
    assert_eq!(config.log_format, LogFormat::Json);
    assert_eq!(config.registration, RegistrationPolicy::LoopbackOnly);
}

#[test]
fn the_file_has_tables_lists_and_numbers() {
    let file = "registration = \"closed\"
        token_lifetime = \"30d\"
        allowed_origins = [\"https://a.example.org\", \"https://b.example.org\"]
        trusted_proxies = \"127.0.0.1\"
        cache.rooms = 7
        fanout.sharing = \"off\"
        [limits]
        body = 1024
        deadline = \"500ms\"";
    let config = given().file(file).config();
    assert_eq!(config.registration, RegistrationPolicy::Closed);
    assert_eq!(config.token_lifetime.map(|time| time.as_secs()), Some(30 * 86_400));
    assert_eq!(config.allowed_origins, ["https://a.example.org", "https://b.example.org"]);
    assert_eq!(config.trusted_proxies.0.len(), 1);
    assert_eq!((config.cache.rooms_bytes, config.limits.body_bytes), (7, 1_024));
    assert_eq!(config.limits.deadline.as_millis(), 500);
    assert!(!config.fanout_sharing && given().config().fanout_sharing);
}

#[test]
fn every_setting_can_be_set_in_every_way() {
    for setting in ALL.iter().filter(|setting| !setting.secret) {
        let value = match (setting.key, setting.default) {
            ("server_name", _) => "example.org",
            ("allowed_origins", _) => "https://example.org",
            (
                "trusted_proxies"
                | "turn.relay_address"
                | "turn.allowed_peers"
                | "outgoing.allow"
                | "federation.allow_networks",
                _,
            ) => "192.0.2.1",
            ("federation.listen", _) => "127.0.0.1:8449",
            ("federation.certificate" | "federation.key" | "federation.ca", _) => "file.pem",
            ("federation.notaries" | "federation.allow" | "federation.deny", _) => "one.example",
            ("federation.delegate", _) => "matrix.example.org:443",
            ("allowed_hosts", _) => "rookery.lan",
            ("allowed_documents", _) => "persisted-documents.json",
            ("cache.log" | "cache.rooms", _) => "12MiB",
            ("turn.listen", _) => "127.0.0.1:3479",
            ("turn.uris", _) => "stun:stun.example.org",
            (_, default) => default,
        };
        let file = format!("{} = \"{value}\"", setting.key);
        // The other settings of the relay and of the listener need it.
        let relay = |given: Given| match setting.key {
            "turn.relay_address" | "turn.allowed_peers" => {
                given.flags("--turn-listen 127.0.0.1:3478")
            }
            "federation.certificate" => {
                given.flags("--federation-listen 127.0.0.1:0 --federation-key key.pem")
            }
            "federation.key" => {
                given.flags("--federation-listen 127.0.0.1:0 --federation-certificate own.pem")
            }
            _ => given,
        };
        let shown = |given: Given| {
            let given = relay(given);
            let text = given.load().expect("is valid").to_string();
            let start = format!("{} = ", setting.key);
            let line = text.lines().find(|line| line.starts_with(&start)).expect("is shown");
            assert!(line.contains(value), "{line}");
            line.split(" # ").last().expect("a source").to_owned()
        };
        assert!(shown(given().file(&file)).starts_with(&format!("{} in /", setting.key)));
        let variable = shown(given().variable(&setting.variable(), value));
        assert_eq!(variable, format!("environment variable {}", setting.variable()));
        let flag = shown(given().flags(&format!("--{} {value}", setting.flag())));
        assert_eq!(flag, format!("flag --{}", setting.flag()));
    }
}

#[test]
fn what_is_shown_reads_back_as_the_same_configuration() {
    let first = given()
        .variable("ROOKERY_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1")
        .flags("--limits-body 1MiB")
        .load()
        .expect("is valid");
    let second = given().file(&first.to_string()).config();
    assert_eq!(first.config, second);
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_known_one() {
    let file = "listne = \"127.0.0.1:1\"\n[limits]\nboddy = 1\n[cache.log]\nx = 1\n[extra]\ny = 1";
    let problems = given().file(file).problems().join("\n");
    for expected in [
        "unknown key \"listne\"; did you mean \"listen\"?",
        "unknown key \"limits.boddy\"; did you mean \"limits.body\"?",
        "unknown key \"extra\"",
    ] {
        assert!(problems.contains(expected), "{expected} is not in {problems}");
    }
    assert!(problems.contains("cache.log in "), "a table is no size: {problems}");
}

#[test]
fn a_bad_value_is_named_with_its_place_and_what_is_expected() {
    let problems = given()
        .file("registration = \"maybe\"\nlisten = [\"127.0.0.1:1\"]\ncache.rooms = true")
        .variable("ROOKERY_LIMITS_BODY", "lots")
        .flags("--server-name Example.org --trusted-proxies 10.0.0.1,elsewhere")
        .problems();
    assert_eq!(problems.len(), 6, "{problems:#?}");
    let problems = problems.join("\n");
    for expected in [
        "rookery.toml: \"maybe\" is not valid; expected open, loopback or closed",
        "listen in ",
        "cache.rooms in ",
        "environment variable ROOKERY_LIMITS_BODY: \"lots\" is not valid; expected a size",
        "flag --server-name: \"Example.org\" is not valid; expected a host name in lower case",
        "flag --trusted-proxies: \"elsewhere\" is not valid; expected IP addresses",
    ] {
        assert!(problems.contains(expected), "{expected} is not in {problems}");
    }
}

#[test]
fn a_value_that_a_flag_overrides_may_be_bad() {
    let given = given().variable("ROOKERY_LISTEN", "nowhere").flags("--listen 127.0.0.1:0");
    assert_eq!(given.config().listen.port(), 0);
}

#[test]
fn a_file_that_is_missing_or_no_toml_is_named() {
    let problems = given().flags("--config /no/such/rookery.toml").problems().join("\n");
    assert!(problems.contains("cannot read the configuration file /no/such/rookery.toml"));
    let problems = given().file("listen = ").problems().join("\n");
    assert!(problems.contains("is not valid TOML") && problems.contains("line 1"), "{problems}");
}

#[test]
fn the_file_can_be_named_by_a_variable_and_the_flag_wins() {
    let named = given().file("listen = \"127.0.0.1:5\"");
    let path = named.path().display().to_string();
    let mut by_variable = named.variable("ROOKERY_CONFIG", &path);
    by_variable.file = false;
    assert_eq!(by_variable.config().listen.port(), 5);
    let both = given().file("").variable("ROOKERY_CONFIG", "/no/such/file");
    assert_eq!(both.config().listen.port(), 8_008);
}

#[test]
fn misspelt_variables_are_warned_about_and_foreign_ones_are_not() {
    let loaded = given()
        .variable("ROOKERY_LISTNE", "127.0.0.1:1")
        .variable("ROOKERY_PORT", "tcp://10.0.0.1:8008")
        .variable("ROOKERY_SERVICE_HOST", "10.0.0.1")
        .variable("HOME", "/root")
        .load()
        .expect("is valid");
    let expected = "unknown environment variable ROOKERY_LISTNE; did you mean ROOKERY_LISTEN?";
    assert_eq!(loaded.warnings, [expected]);
}

#[test]
fn the_printed_configuration_hints_at_a_proxy_that_is_not_named() {
    let hint = |loaded: &Loaded| loaded.to_string().contains("# hint: trusted_proxies");
    let loaded = given().load().expect("is valid");
    assert!(hint(&loaded));
    assert!(loaded.to_string().parse::<toml::Table>().is_ok(), "it is a file all the same");
    assert!(!hint(&given().flags("--trusted-proxies 127.0.0.1").load().expect("is valid")));
}

#[test]
fn the_compose_file_trusts_the_gateway_of_its_network() {
    let compose = include_str!("../../../../docker-compose.yml");
    let after = |key: &str| {
        let line = compose.lines().find_map(|line| line.trim().strip_prefix(key));
        line.unwrap_or_else(|| panic!("no {key} in the compose file")).trim().to_owned()
    };
    let trusted = after("ROOKERY_TRUSTED_PROXIES:");
    let loaded = given().variable("ROOKERY_TRUSTED_PROXIES", &trusted).load().expect("is valid");
    let gateway = after("gateway:").parse().expect("an address");
    assert!(loaded.config.trusted_proxies.trusts(gateway));
    assert_eq!(loaded.config.trusted_proxies.0.len(), 1, "and nobody else");
}

#[test]
fn settings_of_the_relay_go_together() {
    let relay = given().flags("--turn-listen 192.0.2.1:3478").config().turn;
    assert_eq!(relay.told_addresses(), ["192.0.2.1".parse::<std::net::IpAddr>().expect("parses")]);
    let uris: Vec<_> = relay.told_uris(3478).iter().map(ToString::to_string).collect();
    let expected = ["turn:192.0.2.1:3478?transport=udp", "turn:192.0.2.1:3478?transport=tcp"];
    assert_eq!(uris, expected);
    let both = given().flags(
        "--turn-listen [::]:3478 --turn-relay-address 198.51.100.7 --turn-relay-address 2001:db8::7",
    );
    let uris: Vec<_> = both.config().turn.told_uris(3478).iter().map(ToString::to_string).collect();
    assert_eq!(uris.len(), 4);
    assert!(uris.contains(&"turn:[2001:db8::7]:3478?transport=tcp".to_owned()), "{uris:?}");
    for (flags, named) in [
        ("--turn-listen 0.0.0.0:3478", "turn.relay_address"),
        ("--turn-relay-address 192.0.2.1", "turn.listen"),
        ("--turn-allowed-peers 10.0.0.0/8", "turn.listen"),
        ("--turn-uris turn:turn.example.org", "turn.secret"),
        (
            "--turn-listen 0.0.0.0:3478 --turn-relay-address 192.0.2.1 --turn-relay-address 192.0.2.2",
            "one family",
        ),
    ] {
        let problems = given().flags(flags).problems();
        assert!(problems.len() == 1 && problems[0].contains(named), "{flags}: {problems:?}");
    }
    let alone = given().variable("ROOKERY_TURN_SECRET", "north-wind-and-sun").problems();
    assert!(alone[0].contains("turn.uris"), "{alone:?}");
    given().flags("--turn-uris stun:stun.example.org").config();
}

#[test]
fn nobody_sees_a_secret() {
    let secret = "north-wind-and-sun";
    let shown = given()
        .file(&format!("[turn]\nlisten = \"127.0.0.1:3478\"\nsecret = \"{secret}\"\n"))
        .load()
        .expect("is valid");
    assert_eq!(shown.config.turn.secret.as_ref().map(rookery_turn::Secret::as_str), Some(secret));
    let text = format!("{shown}{:?}", shown.config);
    assert!(text.contains("# turn.secret is set, and not shown"), "{text}");
    assert!(!text.contains(secret), "{text}");
    let problems = given().variable("ROOKERY_TURN_SECRET", "too short").problems();
    assert!(
        problems[0].contains("TURN_SECRET") && !problems[0].contains("too short"),
        "{problems:?}"
    );
    assert!(cli::parse(["rookery", "--turn-secret", secret]).is_err(), "it has no flag");
}
