//! Reads and merges the sources of the configuration.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt::{self, Write as _},
    fs,
    path::Path,
};

use rookery_command::{ActionKind, ActionRates};
use rookery_federation::{Access, Pauses};
use rookery_turn::{Bounds, Secret};
use toml::Value;

use crate::{
    cli::Flags,
    config::{
        ALL, Caches, Config, ConfigError, Host, Limits, Problem, Setting, Source, TrustedProxies,
        values,
    },
    federation::FederationSettings,
    turn::TurnSettings,
};

const PREFIX: &str = "ROOKERY_";

/// Stands for the value of a secret.
const HIDDEN: &str = "(hidden)";

/// The environment variable for the path of the file, like `--config`.
const FILE_VARIABLE: &str = "ROOKERY_CONFIG";

/// A valid configuration, with the source of each value.
///
/// Displayed as TOML, with the sources as comments.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// Environment variables that look like misspelt settings. They are only warnings: Kubernetes
    /// creates variables `ROOKERY_...` for any service of that name.
    pub warnings: Vec<String>,
    chosen: BTreeMap<&'static str, (Vec<String>, Source)>,
}

/// Reads the configuration from the file, the environment and the flags.
///
/// `environment` has all variables, also foreign ones.
///
/// # Errors
/// [`ConfigError`] with all errors.
pub fn load(
    flags: &Flags,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded, ConfigError> {
    let mut sources = Sources::default();
    let environment: BTreeMap<String, OsString> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    let file = flags.config.clone().or_else(|| environment.get(FILE_VARIABLE).map(Into::into));
    if let Some(path) = file {
        sources.read_file(&path);
    }
    let warnings = sources.read_environment(&environment);
    for (setting, values) in &flags.settings {
        sources.choose(setting, values.clone(), Source::Flag);
    }
    let config = sources.resolve();
    let together = [config.turn.problem(), config.federation.problem()];
    sources.problems.extend(together.into_iter().flatten().map(Problem::Together));
    if sources.problems.is_empty() {
        Ok(Loaded { config, warnings, chosen: sources.chosen })
    } else {
        Err(ConfigError { problems: sources.problems })
    }
}

#[derive(Default)]
struct Sources {
    chosen: BTreeMap<&'static str, (Vec<String>, Source)>,
    problems: Vec<Problem>,
}

impl Sources {
    /// Adds a value; later sources win.
    fn choose(&mut self, key: &'static str, values: Vec<String>, source: Source) {
        self.chosen.insert(key, (values, source));
    }

    fn read_file(&mut self, path: &Path) {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let reason = error.to_string();
                return self.problems.push(Problem::Unreadable { path: path.into(), reason });
            }
        };
        match text.parse::<toml::Table>() {
            Ok(table) => self.read_table(path, "", &table),
            Err(error) => {
                let reason = error.to_string().trim_end().to_owned();
                self.problems.push(Problem::Syntax { path: path.into(), reason });
            }
        }
    }

    fn read_table(&mut self, path: &Path, above: &str, table: &toml::Table) {
        for (name, value) in table {
            let key = format!("{above}{name}");
            let below = format!("{key}.");
            if let Some(setting) = ALL.iter().find(|setting| setting.key == key) {
                self.read_value(path, setting, value);
            } else if let (Value::Table(inner), true) =
                (value, ALL.iter().any(|setting| setting.key.starts_with(&below)))
            {
                self.read_table(path, &below, inner);
            } else {
                let known = ALL.iter().map(|setting| setting.key);
                let nearest = nearest(&key, known).unwrap_or_default();
                self.problems.push(Problem::UnknownKey { path: path.into(), key, nearest });
            }
        }
    }

    fn read_value(&mut self, path: &Path, setting: &'static Setting, value: &Value) {
        let source = Source::File(path.into());
        let read = match value {
            Value::Array(items) if setting.many => items.iter().map(scalar).collect(),
            other => scalar(other).map(|text| vec![text]),
        };
        match read {
            Some(values) => self.choose(setting.key, values, source),
            None => self.complain(setting, &source, value.to_string()),
        }
    }

    /// Returns warnings.
    fn read_environment(&mut self, environment: &BTreeMap<String, OsString>) -> Vec<String> {
        let mut warnings = Vec::new();
        for (name, value) in environment {
            let Some(setting) = ALL.iter().find(|setting| setting.variable() == *name) else {
                warnings.extend(misspelt(name));
                continue;
            };
            match value.to_str() {
                Some(text) if setting.many => {
                    self.choose(setting.key, split_list(text), Source::Variable);
                }
                Some(text) => self.choose(setting.key, vec![text.into()], Source::Variable),
                None => {
                    let found = value.to_string_lossy().into_owned();
                    self.complain(setting, &Source::Variable, found);
                }
            }
        }
        warnings
    }

    fn complain(&mut self, setting: &Setting, source: &Source, found: String) {
        let place = source.describe(setting);
        let found = if setting.secret { HIDDEN.to_owned() } else { found };
        self.problems.push(Problem::Value { place, found, expected: setting.expects });
    }

    /// All values of a list. Invalid ones are left out and become errors.
    fn list<T>(&mut self, key: &str, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let Some(setting) = ALL.iter().find(|setting| setting.key == key) else {
            unreachable!("{key} is no setting")
        };
        let Some((values, source)) = self.chosen.get(key).cloned() else {
            return split_list(setting.default).iter().filter_map(|text| parse(text)).collect();
        };
        let mut parsed = Vec::new();
        for text in values {
            match parse(&text) {
                Some(value) => parsed.push(value),
                None => self.complain(setting, &source, text),
            }
        }
        parsed
    }

    /// The value of an optional setting.
    fn maybe<T>(&mut self, key: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.list(key, parse).pop()
    }

    /// The value of a setting with a default. The default also replaces an invalid value.
    fn one<T>(&mut self, key: &str, parse: impl Fn(&str) -> Option<T>) -> T {
        let chosen = self.maybe(key, &parse);
        chosen
            .or_else(|| parse(ALL.iter().find(|setting| setting.key == key)?.default))
            .unwrap_or_else(|| unreachable!("the default of {key} is not valid"))
    }

    fn rates(&mut self) -> ActionRates {
        ActionKind::ALL.iter().fold(ActionRates::default(), |rates, kind| {
            let key = format!("limits.rates.{}", kind.name());
            rates.with(*kind, self.one(&key, values::pace))
        })
    }

    fn turn(&mut self) -> TurnSettings {
        TurnSettings {
            listen: self.maybe("turn.listen", |text| text.parse().ok()),
            relay_addresses: self.list("turn.relay_address", values::single_address),
            relay_ports: self.one("turn.relay_ports", values::ports),
            allowed_peers: self.list("turn.allowed_peers", values::network),
            uris: self.list("turn.uris", |text| text.parse().ok()),
            secret: self.maybe("turn.secret", |text| Secret::new(text).ok()),
            bounds: Bounds {
                allocations: self.one("turn.allocations", values::count),
                user_allocations: self.one("turn.user_allocations", values::count),
                permissions: self.one("turn.permissions", values::count),
                channels: self.one("turn.channels", values::count),
                user_bandwidth: self.one("turn.user_bandwidth", values::bytes),
                connections: self.one("turn.connections", values::count),
                address_connections: self.one("turn.address_connections", values::count),
            },
        }
    }

    fn federation(&mut self) -> FederationSettings {
        FederationSettings {
            listen: self.maybe("federation.listen", |text| text.parse().ok()),
            certificate: self.maybe("federation.certificate", values::path),
            key: self.maybe("federation.key", values::path),
            ca: self.maybe("federation.ca", values::path),
            allow_networks: self.list("federation.allow_networks", values::network),
            notaries: self.list("federation.notaries", |text| text.try_into().ok()),
            access: Access {
                allow: self.list("federation.allow", |text| text.parse().ok()),
                deny: self.list("federation.deny", |text| text.parse().ok()),
            },
            delegate: self.maybe("federation.delegate", values::server_name),
            public_rooms: self.one("federation.public_rooms", values::switch),
            pauses: Pauses {
                first: self.one("federation.retry_first", values::duration),
                longest: self.one("federation.retry_longest", values::duration),
            },
        }
    }

    fn resolve(&mut self) -> Config {
        Config {
            data: self.one("data", values::path),
            log_format: self.one("log_format", values::log_format),
            log: self.one("log", values::log_filter),
            listen: self.one("listen", |text| text.parse().ok()),
            server_name: self.maybe("server_name", values::server_name),
            registration: self.one("registration", values::registration),
            token_lifetime: self.one("token_lifetime", values::lifetime),
            compact_after: self.one("compact_after", values::lifetime),
            allowed_hosts: self.list("allowed_hosts", Host::without_port),
            allowed_origins: self.list("allowed_origins", values::origin),
            trusted_proxies: TrustedProxies(self.list("trusted_proxies", values::network)),
            profiles: self.one("profiles", values::profiles),
            introspection: self.one("introspection", values::introspection),
            allowed_documents: self.maybe("allowed_documents", values::path),
            shutdown_timeout: self.one("shutdown_timeout", values::duration),
            fanout_sharing: self.one("fanout.sharing", values::switch),
            cache: Caches::new(
                self.one("memory.budget", values::budget),
                self.maybe("cache.log", values::bytes),
                self.maybe("cache.rooms", values::bytes),
                self.one("cache.sessions", values::count),
            ),
            limits: Limits {
                body_bytes: self.one("limits.body", values::bytes),
                query_bytes: self.one("limits.query", values::bytes),
                frame_bytes: self.one("limits.frame", values::bytes),
                nesting: self.one("limits.nesting", values::count),
                fragments: self.one("limits.fragments", values::count),
                fields: self.one("limits.fields", values::count),
                root_fields: self.one("limits.root_fields", values::count),
                answer_bytes: self.one("limits.answer", values::bytes),
                answers_bytes: self.one("limits.answers", values::bytes),
                work: self.one("limits.work", values::count),
                cost: self.one("limits.cost", values::count),
                rate: self.one("limits.rate", values::rate),
                burst: self.one("limits.burst", values::count),
                service_rate: self.one("limits.service_rate", values::count),
                rates: self.rates(),
                registrations: self.one("limits.rates.registrations", values::pace),
                logins: self.one("limits.rates.logins", values::pace),
                ice_servers: self.one("limits.rates.ice_servers", values::pace),
                webhooks: self.one("limits.rates.webhooks", values::pace),
                webhook_requests: self.one("limits.rates.webhook_requests", values::pace),
                subscriptions: self.one("limits.subscriptions", values::count),
                user_subscriptions: self.one("limits.user_subscriptions", values::count),
                user_sockets: self.one("limits.user_sockets", values::count),
                address_sockets: self.one("limits.address_sockets", values::count),
                address_connections: self.one("limits.address_connections", values::count),
                login_time: self.one("limits.login_time", values::duration),
                connections: self.one("limits.connections", values::count),
                deadline: self.one("limits.deadline", values::duration),
                action_wait: self.one("limits.action_wait", values::duration),
                consumer_silence: self.one("limits.consumer_silence", values::duration),
                passwords_at_once: self.one("limits.passwords_at_once", values::count),
                passwords_waiting: self.one("limits.passwords_waiting", values::count),
            },
            turn: self.turn(),
            federation: self.federation(),
            outgoing_allow: self.list("outgoing.allow", values::network),
            outgoing_give_up_after: self.one("outgoing.give_up_after", values::duration),
        }
    }
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for setting in ALL {
            let (values, source) = match self.chosen.get(setting.key) {
                Some((values, source)) => (values.clone(), source.describe(setting)),
                None => (split_list(setting.default), Source::Default.describe(setting)),
            };
            let mut quoted = values.iter().map(|value| Value::from(value.as_str()).to_string());
            let line = if setting.secret && !values.is_empty() {
                format!("# {} is set, and not shown", setting.key)
            } else if setting.many {
                format!("{} = [{}]", setting.key, quoted.collect::<Vec<_>>().join(", "))
            } else if let Some(value) = quoted.next() {
                format!("{} = {value}", setting.key)
            } else {
                format!("# {} is not set", setting.key)
            };
            writeln!(f, "{line:<44} # {source}")?;
        }
        self.config.cache.fmt(f)?;
        if self.config.allowed_hosts.is_empty() {
            f.write_str(
                "# hint: allowed_hosts names no host. The server answers requests for \
                 server_name,\n# localhost and its own IP addresses; others get the status 421. \
                 Name each other\n# host that clients and proxies use in `Host`, for \
                 example allowed_hosts = [\"chat.example.org\"].\n",
            )?;
        }
        if self.config.trusted_proxies.0.is_empty() {
            f.write_str(
                "# hint: trusted_proxies names no proxy. Behind a reverse proxy, all clients \
                 count as one\n# for limits by address, such as those of logins: list the address \
                 from which the proxy\n# connects, for example trusted_proxies = \
                 [\"127.0.0.1\"].\n",
            )?;
        }
        Ok(())
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The entries of a comma-separated list.
fn split_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Into::into).collect()
}

fn misspelt(name: &str) -> Option<String> {
    if name == FILE_VARIABLE {
        return None;
    }
    let variables: Vec<_> = ALL.iter().map(Setting::variable).collect();
    let nearest = nearest(name, variables.iter().map(String::as_str))?;
    let mut warning = String::new();
    (distance(name, nearest) <= 2)
        .then(|| write!(warning, "unknown environment variable {name}; did you mean {nearest}?"))?
        .ok()?;
    Some(warning)
}

fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known.min_by_key(|candidate| distance(word, candidate))
}

/// The number of edits between two words: a letter changed, added, removed, or swapped with the
/// next one.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<_>, Vec<_>) = (one.chars().collect(), other.chars().collect());
    let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
    for i in 0..=one.len() {
        for j in 0..=other.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let changed = usize::from(one[i - 1] != other[j - 1]);
                let mut least =
                    (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + changed);
                if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[one.len()][other.len()]
}
