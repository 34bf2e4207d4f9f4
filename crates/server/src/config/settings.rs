//! All settings, each in one place.

/// The commands that take the flag of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All commands.
    Global,
    /// `rookery serve`, which is also `rookery` without a command.
    Serve,
}

/// One setting of the operator.
#[derive(Debug)]
pub struct Setting {
    /// Its key in the file; dots separate tables.
    pub key: &'static str,
    /// The kind of the value, in one word for `--help`.
    pub value_name: &'static str,
    /// The required form of a value, to follow "expected".
    pub expects: &'static str,
    /// The default as text; empty for none.
    pub default: &'static str,
    /// The purpose, for `--help`.
    pub help: &'static str,
    /// The commands with this flag.
    pub scope: Scope,
    /// Whether it is a list.
    pub many: bool,
    /// Whether nobody may see its value. Then it has no flag either: other users of the machine see command lines.
    pub secret: bool,
}

impl Setting {
    /// The environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("ROOKERY_{}", self.key.replace('.', "_").to_uppercase())
    }

    /// The flag, without its dashes.
    #[must_use]
    pub fn flag(&self) -> String {
        self.key.replace(['.', '_'], "-")
    }
}

const fn global(
    key: &'static str,
    value_name: &'static str,
    default: &'static str,
    expects: &'static str,
    help: &'static str,
) -> Setting {
    Setting {
        key,
        value_name,
        expects,
        default,
        help,
        scope: Scope::Global,
        many: false,
        secret: false,
    }
}

const fn serve(
    key: &'static str,
    value_name: &'static str,
    default: &'static str,
    expects: &'static str,
    help: &'static str,
) -> Setting {
    Setting {
        key,
        value_name,
        expects,
        default,
        help,
        scope: Scope::Serve,
        many: false,
        secret: false,
    }
}

const fn bytes(key: &'static str, default: &'static str, help: &'static str) -> Setting {
    serve(key, "SIZE", default, "a size above zero, such as 65536, 64KiB or 16MiB", help)
}

const fn count(key: &'static str, default: &'static str, help: &'static str) -> Setting {
    serve(key, "N", default, "a whole number above zero", help)
}

const fn duration(key: &'static str, default: &'static str, help: &'static str) -> Setting {
    serve(key, "TIME", default, "a time above zero, such as 500ms, 10s, 5m, 12h or 30d", help)
}

const fn pace(key: &'static str, default: &'static str, help: &'static str) -> Setting {
    serve(
        key,
        "PACE",
        default,
        "how many at once and how many come back, such as 100+10/s, 100+1/m or 5+2/h; or none",
        help,
    )
}

/// All settings, in display order.
pub const ALL: &[Setting] = &[
    global("data", "DIR", "./rookery-data", "the path of a folder", "Folder of all data"),
    global("log_format", "FORMAT", "text", "text or json", "Format of log lines"),
    global(
        "log",
        "FILTER",
        "info",
        "a filter of tracing, such as info or rookery_delivery=debug,warn",
        "Filter of the log",
    ),
    serve(
        "listen",
        "ADDR:PORT",
        "127.0.0.1:8008",
        "an IP address and a port, such as 127.0.0.1:8008 or [::1]:0",
        "Address to listen on; port 0 takes a free port",
    ),
    global(
        "server_name",
        "NAME",
        "",
        "a host name in lower case, with an optional port, such as chat.example.org",
        "Name of the server, the end of its user IDs; fixed once there is data [default: the name \
         in the data, else localhost]",
    ),
    serve(
        "registration",
        "POLICY",
        "loopback",
        "open, loopback or closed",
        "Permission to register: anyone, clients on this machine, or no one",
    ),
    serve(
        "token_lifetime",
        "TIME",
        "none",
        "a time such as 12h or 30d, or none",
        "Lifetime of a login",
    ),
    serve(
        "compact_after",
        "TIME",
        "7d",
        "a time such as 12h or 30d, or none",
        "Time for which redacted content may stay in the files; after it, a start rewrites them",
    ),
    Setting {
        many: true,
        ..serve(
            "allowed_hosts",
            "HOST",
            "",
            "host names or IP addresses without a port, such as chat.example.org",
            "Hosts that clients may ask for besides server_name, localhost and IP addresses (a list)",
        )
    },
    Setting {
        many: true,
        ..serve(
            "allowed_origins",
            "ORIGIN",
            "",
            "origins without a path, such as https://chat.example.org",
            "Other web sites that may use this server from a browser (a list)",
        )
    },
    Setting {
        many: true,
        ..serve(
            "trusted_proxies",
            "NETWORK",
            "",
            "IP addresses or networks, such as 127.0.0.1 or 10.0.0.0/8",
            "Trusted reverse proxies, whose X-Forwarded-For counts (a list)",
        )
    },
    serve(
        "profiles",
        "WHO",
        "users",
        "users or shared_rooms",
        "Users who see the name and picture of a user: all users, or only those in a shared room",
    ),
    serve(
        "introspection",
        "WHO",
        "everybody",
        "everybody, users, admins or nobody",
        "Callers who may ask for the schema; the pages at / need it",
    ),
    serve(
        "allowed_documents",
        "FILE",
        "",
        "the path of a file",
        "Run only the GraphQL documents in this manifest of a code generator [default: run all]",
    ),
    duration("shutdown_timeout", "10s", "Time for running requests when the server stops"),
    serve(
        "fanout.sharing",
        "ON",
        "on",
        "on or off",
        "Whether the server computes shared answers of the event stream once",
    ),
    serve(
        "memory.budget",
        "SIZE",
        "64MiB",
        "a size of at least 16MiB, such as 64MiB or 1GiB",
        "Memory for all caches together",
    ),
    bytes("cache.log", "", "Memory for pages of the log [default: 1/4 of memory.budget]"),
    bytes(
        "cache.rooms",
        "",
        "Memory for the states of rooms with recent writes [default: 1/8 of memory.budget]",
    ),
    count("cache.sessions", "10000", "Cached sessions, besides those in use"),
    bytes("limits.body", "64KiB", "Largest body of a request"),
    bytes("limits.query", "16KiB", "Largest GraphQL document"),
    bytes("limits.frame", "64KiB", "Largest WebSocket frame from a client"),
    count("limits.nesting", "32", "Deepest nesting of brackets in a document"),
    count("limits.fragments", "16", "Most fragments in a document"),
    count("limits.fields", "1000", "Most fields of a document, with fragments expanded"),
    count("limits.root_fields", "10", "Most fields at the top of a document"),
    bytes("limits.answer", "8MiB", "Longest answer, as docs/limits.md counts it"),
    bytes(
        "limits.answers",
        "128MiB",
        "Memory for all long answers in the making; unread answers may take as much again",
    ),
    count("limits.work", "100000", "Most units of work for one answer"),
    count("limits.cost", "100000", "Highest cost of a request, as docs/limits.md counts it"),
    serve(
        "limits.rate",
        "N",
        "200000",
        "a whole number above zero, or none",
        "Cost that each user, or each address without a login, gets back each second; none removes all rates",
    ),
    count("limits.burst", "10000000", "Cost that can be spent at once before limits.rate applies"),
    count(
        "limits.service_rate",
        "2000000",
        "Cost that each service gets back each second, for all its users together; it can save up that of 50 seconds",
    ),
    pace("limits.rates.messages", "1000+10/s", "Messages, edits and redactions of a user"),
    pace("limits.rates.reactions", "1000+5/s", "Reactions of a user"),
    pace("limits.rates.state", "500+2/s", "Changes of room state by a user"),
    pace("limits.rates.rooms", "1600+10/m", "Rooms that a user creates"),
    pace("limits.rates.memberships", "500+1/s", "Joins, leaves, knocks, kicks and bans of a user"),
    pace("limits.rates.invites", "300+10/m", "Invites of a user"),
    pace("limits.rates.aliases", "300+10/m", "Aliases that a user gives to rooms"),
    pace("limits.rates.profiles", "100+10/m", "Changes of a user's profile"),
    pace("limits.rates.filters", "200+10/m", "Filters that a user stores"),
    pace(
        "limits.rates.preferences",
        "500+1/s",
        "Changes of a user's preferences, account data and ignored users",
    ),
    pace("limits.rates.receipts", "2000+20/s", "Read receipts of a user"),
    pace("limits.rates.calls", "30+6/m", "Calls that a user places"),
    pace("limits.rates.incoming_calls", "60+12/m", "Calls to a user, by all callers together"),
    pace(
        "limits.rates.services",
        "10000+200/s",
        "All actions of a service, of all its users together; `rate_limited = false` in its registration lifts it",
    ),
    pace("limits.rates.registrations", "200+2/m", "Registrations from one address"),
    pace("limits.rates.logins", "200+10/m", "Logins of a user from one address"),
    pace("limits.rates.ice_servers", "100+10/m", "Credentials for the relay of calls, of a user"),
    pace("limits.rates.webhooks", "60+1/s", "Messages of one incoming webhook"),
    pace(
        "limits.rates.webhook_requests",
        "600+10/s",
        "Requests to incoming webhooks from one address",
    ),
    count("limits.subscriptions", "64", "Most subscriptions of one WebSocket"),
    count("limits.user_subscriptions", "1000", "Most subscriptions of one user"),
    count("limits.user_sockets", "250", "Most sockets and event streams of one user"),
    count("limits.address_sockets", "100", "Most sockets of one address without a login"),
    count(
        "limits.address_connections",
        "512",
        "Most idle connections of one address without a login",
    ),
    duration("limits.login_time", "1m", "Lifetime of a socket or connection without a login"),
    count(
        "limits.connections",
        "32768",
        "Most connections, sockets included; fewer if the system allows fewer open files",
    ),
    duration("limits.deadline", "10s", "Longest duration of a request"),
    duration(
        "limits.action_wait",
        "500ms",
        "Time for which a numbered action waits for a missing number",
    ),
    duration(
        "limits.consumer_silence",
        "1m",
        "Time without an acknowledgement after which a consumer gets its batches again",
    ),
    count("limits.passwords_at_once", "2", "Passwords hashed at once; each takes 19 MiB"),
    count("limits.passwords_waiting", "64", "Logins in the queue for password hashing"),
    Setting {
        many: true,
        ..serve(
            "outgoing.allow",
            "NETWORK",
            "",
            "IP addresses or networks, such as 10.1.2.3 or 10.0.0.0/8",
            "Addresses that users' webhooks may reach although they are not public, also without TLS (a list)",
        )
    },
    duration(
        "outgoing.give_up_after",
        "1d",
        "Time of failures after which an outgoing webhook is disabled until its owner resumes it",
    ),
    serve(
        "turn.listen",
        "ADDR:PORT",
        "",
        "an IP address and a port, such as 0.0.0.0:3478",
        "Address of the relay for calls, by UDP and TCP [default: no relay]",
    ),
    Setting {
        many: true,
        ..serve(
            "turn.relay_address",
            "ADDR",
            "",
            "a single IP address, such as 198.51.100.7",
            "Public address of the relay, one of each family at most (a list) [default: that of \
             turn.listen]",
        )
    },
    serve(
        "turn.relay_ports",
        "RANGE",
        "49152-65535",
        "two ports from 1024 on, such as 49152-65535",
        "UDP ports of the relay for peers; firewalls have to let them through",
    ),
    Setting {
        many: true,
        ..serve(
            "turn.allowed_peers",
            "NETWORK",
            "",
            "IP addresses or networks, such as 10.1.2.3 or 10.0.0.0/8",
            "Addresses that the relay may send to although they are not public (a list)",
        )
    },
    Setting {
        many: true,
        ..serve(
            "turn.uris",
            "URI",
            "",
            "URIs such as turn:turn.example.org:3478?transport=udp",
            "Relays that clients are told (a list) [default: the relay of turn.listen]",
        )
    },
    Setting {
        secret: true,
        ..serve(
            "turn.secret",
            "TEXT",
            "",
            "at least 16 bytes without spaces",
            "Secret behind the credentials of the relay [default: derived from the signing key]",
        )
    },
    count("turn.allocations", "1000", "Most relayed addresses of all users"),
    count("turn.user_allocations", "12", "Most relayed addresses of one user"),
    count("turn.permissions", "64", "Most addresses of peers for one relayed address"),
    count("turn.channels", "64", "Most channels of one relayed address"),
    bytes(
        "turn.user_bandwidth",
        "4MiB",
        "Bytes that are relayed for one user each second, both directions together",
    ),
    count("turn.connections", "1000", "Most TCP connections to the relay"),
    count("turn.address_connections", "64", "Most TCP connections to the relay from one address"),
    serve(
        "federation.listen",
        "ADDR:PORT",
        "",
        "an IP address and a port, such as 0.0.0.0:8448",
        "Address to listen on for other servers [default: no federation]",
    ),
    serve(
        "federation.certificate",
        "FILE",
        "",
        "the path of a file",
        "Certificates of federation.listen in PEM [default: no TLS, behind a proxy that does it]",
    ),
    serve(
        "federation.key",
        "FILE",
        "",
        "the path of a file",
        "Private key of federation.certificate",
    ),
    serve(
        "federation.ca",
        "FILE",
        "",
        "the path of a file",
        "Certificates in PEM that are trusted for other servers besides those of the system",
    ),
    Setting {
        many: true,
        ..serve(
            "federation.allow_networks",
            "NETWORK",
            "",
            "IP addresses or networks, such as 10.1.2.3 or 10.0.0.0/8",
            "Addresses of other servers that may be reached although they are not public (a list)",
        )
    },
    Setting {
        many: true,
        ..serve(
            "federation.notaries",
            "SERVER",
            "",
            "server names, such as matrix.org",
            "Servers that are asked for the keys of servers that are away (a list)",
        )
    },
    Setting {
        many: true,
        ..serve(
            "federation.allow",
            "SERVER",
            "",
            "server names, such as example.org or *.example.org",
            "The only servers to talk with, if it names any (a list)",
        )
    },
    Setting {
        many: true,
        ..serve(
            "federation.deny",
            "SERVER",
            "",
            "server names, such as example.org or *.example.org",
            "Servers not to talk with (a list)",
        )
    },
    serve(
        "federation.delegate",
        "NAME",
        "",
        "a host name in lower case, with an optional port, such as matrix.example.org:443",
        "Name that /.well-known/matrix/server gives to other servers [default: none]",
    ),
    serve(
        "federation.public_rooms",
        "ON",
        "off",
        "on or off",
        "Whether other servers see the public directory of rooms",
    ),
    duration(
        "federation.retry_first",
        "1s",
        "Pause after the first failure of another server; it doubles",
    ),
    duration("federation.retry_longest", "1h", "Longest pause between two tries of another server"),
];
