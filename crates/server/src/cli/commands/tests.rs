use std::path::Path;

use super::*;

fn run(line: &str) -> Result<Invocation, clap::Error> {
    parse(std::iter::once("rookery").chain(line.split_whitespace()))
}

fn command(line: &str) -> Command {
    run(line).unwrap_or_else(|error| panic!("{line}: {error}")).command
}

fn refusal(line: &str) -> String {
    run(line).expect_err(line).to_string()
}

fn given(line: &str) -> Vec<(&'static str, String)> {
    let flags = run(line).unwrap_or_else(|error| panic!("{line}: {error}")).flags;
    flags.settings.into_iter().map(|(key, values)| (key, values.join("|"))).collect()
}

#[test]
fn the_command_line_is_sound() {
    shape().debug_assert();
}

#[test]
fn without_a_command_it_serves() {
    assert_eq!(command(""), Command::Serve);
    assert_eq!(command("serve"), Command::Serve);
    let listen = vec![("listen", "127.0.0.1:0".to_owned())];
    assert_eq!(given("--listen 127.0.0.1:0"), listen);
    assert_eq!(given("serve --listen 127.0.0.1:0"), listen);
    assert_eq!(given("--listen 127.0.0.1:1 serve --listen 127.0.0.1:0"), listen);
}

#[test]
fn events_of_other_servers_need_keys() {
    let receive = RoomCommand::Receive { file: "-".into(), keys: "keys.json".into() };
    assert_eq!(command("room receive - --keys keys.json"), Command::Room(receive));
    assert!(refusal("room receive events.ndjson").contains("--keys"));
}

#[test]
fn flags_for_all_commands_stand_before_or_after_the_command() {
    for line in [
        "--data D verify",
        "verify --data D",
        "log tail --data D",
        "log --data D tail",
        "import --data D irc X",
        "import irc --data D X",
        "import --data D X",
        "serve --data D",
        "--data D",
    ] {
        assert_eq!(given(line), [("data", "D".to_owned())], "{line}");
    }
    let flags = run("user list --config c.toml").expect("parses").flags;
    assert_eq!(flags.config.as_deref(), Some(Path::new("c.toml")));
}

#[test]
fn flags_of_serve_are_refused_elsewhere() {
    let text = refusal("--listen 127.0.0.1:0 verify");
    assert!(text.contains("--listen is an option of `rookery serve`"), "{text}");
    assert!(refusal("--check-config schema").contains("--check-config"));
    assert!(run("verify --listen 127.0.0.1:0").is_err());
}

#[test]
fn lists_are_given_with_commas_or_by_repeating_the_flag() {
    let both = vec![("trusted_proxies", "10.0.0.1|10.0.0.2".to_owned())];
    assert_eq!(given("--trusted-proxies 10.0.0.1,10.0.0.2"), both);
    assert_eq!(given("--trusted-proxies 10.0.0.1 --trusted-proxies 10.0.0.2"), both);
}

#[test]
fn the_configuration_can_be_checked() {
    assert!(run("--check-config").expect("parses").check_config);
    assert!(run("serve --check-config").expect("parses").check_config);
    assert!(!run("serve").expect("parses").check_config);
}

#[test]
fn missing_accounts_are_accepted_only_by_a_server() {
    assert!(run("--accept-missing-accounts").expect("parses").accept_missing_accounts);
    assert!(run("serve --accept-missing-accounts").expect("parses").accept_missing_accounts);
    assert!(!run("serve").expect("parses").accept_missing_accounts);
    assert!(
        refusal("--accept-missing-accounts verify").contains("is an option of `rookery serve`")
    );
}

#[test]
fn an_import_is_of_a_file_or_of_a_kind() {
    let file = |name: &str| Command::Import { kind: None, file: Some(name.into()) };
    let kind = |kind| Command::Import { kind: Some(kind), file: None };
    assert_eq!(command("import log.ndjson"), file("log.ndjson"));
    assert_eq!(command("import -"), file("-"));
    assert_eq!(command("import ./irc"), file("./irc"));
    let ndjson = ImportKind::Ndjson { file: "log.ndjson".into() };
    assert_eq!(command("import ndjson log.ndjson"), kind(ndjson));
    let paths = vec!["a".into(), "b".into()];
    let irc = ImportKind::Irc(IrcArguments { paths, ..IrcArguments::default() });
    assert_eq!(command("import irc a b"), kind(irc));
    for bad in [
        "import",
        "import irc",
        "import ndjson",
        "import a b",
        "import ndjson a b",
        "import a irc b",
    ] {
        refusal(bad);
    }
}

#[test]
fn the_other_commands_read_what_they_need() {
    assert_eq!(command("rebuild"), Command::Rebuild);
    assert_eq!(command("retry"), Command::Retry);
    assert_eq!(command("export -"), Command::Export { file: "-".into() });
    let tail = LogCommand::Tail { after: Some(7), follow: true };
    assert_eq!(command("log tail --after 7 --follow"), Command::Log(tail));
    let create = UserCommand::Create { name: "ada".into(), admin: true, no_password: false };
    assert_eq!(command("user create ada --admin"), Command::User(create));
    let token = UserCommand::Token {
        name: "ada".into(),
        device_name: "command line".into(),
        lifetime: Some(std::time::Duration::from_hours(12)),
    };
    assert_eq!(command("user token ada --lifetime 12h"), Command::User(token));
    assert!(refusal("user token ada --lifetime soon").contains("such as 12h"));
    for bad in ["export", "log", "user", "user create", "log tail --after x", "verifi"] {
        refusal(bad);
    }
}

#[test]
fn no_password_is_taken_on_the_command_line() {
    refusal("user create ada --password secret");
    refusal("user set-password ada secret");
}

#[test]
fn every_command_has_help_with_an_example() {
    fn walk(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        assert!(command.get_about().is_some(), "{path} says nothing");
        let mut below = command.get_subcommands().filter(|sub| sub.get_name() != "help").peekable();
        if below.peek().is_none() || command.get_after_help().is_some() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example") && help.contains("rookery"), "{path}: {help}");
        }
        below.for_each(|sub| walk(sub, &path));
    }
    walk(&shape(), "");
}

#[test]
fn help_names_the_default_and_the_variable_of_each_setting() {
    let help = refusal("--help");
    for setting in crate::config::ALL.iter().filter(|setting| !setting.secret) {
        assert!(help.contains(&format!("--{} ", setting.flag())), "{}", setting.key);
        assert!(help.contains(&setting.variable()), "{}", setting.key);
    }
    assert!(help.contains("[default: 127.0.0.1:8008]"), "{help}");
}
