//! Serves clients until a signal stops the program.

mod bridges;
pub(crate) mod calls;
pub(crate) mod descriptors;
pub(crate) mod health;

use std::{
    fmt::Display,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::{
    Extension,
    extract::{ConnectInfo, State},
    http::StatusCode,
    response::IntoResponse,
    routing::get,
};
use rookery_accounts::{Millis, RegistrationPolicy};
use rookery_audience::keep_ephemeral;
use rookery_gateway::{
    HookRates, router,
    schema::{GUARDED_FIELDS, TO_LEARN, prepare},
    webhooks,
};
use rookery_graphql_documents::{DocumentLimits, GateLimits};
use rookery_graphql_edge::{
    AllowList, AnswerLimits, CallerLimits, Rate, SecurityLog, ServeOptions, ShutdownHandle,
    SocketOptions, TransportOptions, TrustedPeers, serve, shutdown,
};
use rookery_hosts::{Hosts, behind_proxies, only_for};
use rookery_log::EventLog;
use rookery_outgoing_webhooks::OutgoingWebhooks;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};

use crate::{
    config::{Config, ServerIdentity},
    data_directory::{compaction, reconcile},
    failure::Failure,
    federation::{Serving, well_known},
    import::unfinished::Unfinished,
    node::{Node, clock},
    operator,
    turn::{Issuer, Relay},
};

/// How many seconds of its rate a service can save up.
const SERVICE_BURST_SECONDS: usize = 50;

/// Time between two rounds of housekeeping.
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// Time between two checks for expired tokens.
const EXPIRY_LOOK: Duration = Duration::from_millis(250);
/// Below this number of connections, the server warns its operator.
const CONNECTIONS_FEW: usize = 1_000;

/// Rounds of housekeeping between two snapshots.
const SAVE_ROUNDS: u32 = 12;

/// Serves clients with `config` until SIGTERM or SIGINT. Refuses accounts that lack users of the log, unless
/// `accept_missing_accounts` allows it.
///
/// # Errors
/// [`Failure`], which says what to do.
pub(crate) async fn run(config: &Config, accept_missing_accounts: bool) -> Result<(), Failure> {
    prepare();
    let security = SecurityLog::default();
    let options = TransportOptions { security: security.clone(), ..options(config)? };
    let files = descriptors::raise_limit();
    let listener = TcpListener::bind(config.listen).await.map_err(|error| {
        let address = config.listen;
        Failure::new(format!(
            "cannot listen on {address} ({error}): choose another address with --listen, or port \
             0 for any free port"
        ))
    })?;
    refuse_lost_accounts(config, accept_missing_accounts)?;
    if let Err(failure) = compaction::if_due(config).await {
        tracing::error!(
            "cannot compact, so redacted content stays in the files for now: {failure}"
        );
    }
    let node = Arc::new(open(config, accept_missing_accounts).await?);
    let (relay, issuer) = match relay(config, &node).await {
        Ok(relay) => relay,
        Err(failure) => {
            close(node).await;
            return Err(failure);
        }
    };
    let federation = match Serving::open(config, &node).await {
        Ok(federation) => federation,
        Err(failure) => {
            close(node).await;
            return Err(failure);
        }
    };
    let address = listener.local_addr()?;
    let name = node.commands.server_name();
    let orders = operator::bind(&config.data);
    // A program that reads this line may stop the server at once.
    let signalled = signalled()?;
    let hint = first_steps(&node, config.registration)?;
    let page = page(address);
    tracing::info!(
        server_name = %name,
        data = %config.data.display(),
        "listening on http://{address} (the page for browsers: {page}){hint}"
    );
    let (handle, stop) = shutdown();
    let schema = Serving::connect(federation.as_ref(), node.app()).with_ice_servers(issuer);
    let schema = schema.with_security_log(security.clone()).with_deadline(config.limits.deadline);
    let transport = router(
        Arc::new(schema.with_sockets(options.sockets.clone())),
        node.tokens(),
        options,
        stop.clone(),
    );
    let app = transport
        .merge(rookery_web::router())
        .merge(webhooks(
            node.accounts.clone(),
            Arc::clone(&node.commands),
            clock::now,
            hook_rates(config),
        ))
        .route("/healthz", get(StatusCode::OK))
        .route("/readyz", get(ready).with_state(Arc::clone(&node)))
        .merge(bridges::edge(&node, Serving::other_servers(federation.as_ref())))
        .merge(well_known(config.federation.delegate.as_deref()));
    let hosts = Hosts::new(address, name.as_str(), &config.allowed_hosts);
    let app = only_for(behind_proxies(app, &config.trusted_proxies), hosts, security);
    let tasks = node.tasks.clone();
    let serving =
        tasks.spawn("connections", serve(listener, app, serve_options(config, files), stop));
    let mut background = background(&node, orders);
    background.extend(relay.map(|relay| relay.task));
    if let Some(federation) = federation {
        background.extend(federation.start(&node)?);
    }
    let result = tokio::select! {
        () = signalled => Ok(()),
        ended = tasks.ended() => {
            tracing::error!("{ended}: stopping");
            Err(Failure::from(ended))
        }
    };
    stop_serving(handle, config.shutdown_timeout).await;
    background.iter().for_each(JoinHandle::abort);
    std::fs::remove_file(config.data.join(operator::SOCKET_NAME)).ok();
    for task in background.into_iter().chain([serving]) {
        task.await.ok();
    }
    let closed = async {
        note_log_mark(&node).await;
        close(node).await;
    };
    if result.is_ok() {
        closed.await;
    } else if tokio::time::timeout(config.shutdown_timeout, closed).await.is_err() {
        tracing::warn!("cannot save snapshots after this: the next start reads more of the log");
    }
    tracing::info!("stopped");
    result
}

/// Starts the work that goes on beside the connections.
fn background(
    node: &Arc<Node>,
    orders: std::io::Result<tokio::net::UnixListener>,
) -> Vec<JoinHandle<()>> {
    let tasks = &node.tasks;
    let (ephemeral, reader) = (node.ephemeral.clone(), node.reader.clone());
    let follower = node.feeds.follower();
    let working = Arc::clone(node);
    vec![
        tasks.spawn("typing, presence and signals", async move {
            keep_ephemeral(&ephemeral, &reader, follower).await;
        }),
        tasks.spawn("calls", calls::end_calls(Arc::clone(node))),
        tasks.spawn("housekeeping", housekeeping(Arc::clone(node))),
        tasks.spawn("expiry of sessions", end_expired_sessions(Arc::clone(node))),
        tasks.spawn("processes", async move {
            working.commands.run_processes(&clock::now).await;
        }),
        tasks.spawn("pushes to bridges", rookery_matrix_bridge::push(bridges::pushing(node))),
        tasks.spawn("outgoing webhooks", node.outgoing_webhooks.clone().run()),
        tasks.spawn("orders of operators", take_orders(orders, Arc::clone(node))),
    ]
}

/// Starts the relay for calls if there is one, and makes what tells users of it.
async fn relay(config: &Config, node: &Node) -> Result<(Option<Relay>, Arc<Issuer>), Failure> {
    let secret = config.turn.secret(&node.signing_key);
    let realm = node.commands.server_name().as_str();
    let relay = Relay::start(&config.turn, realm, secret.clone(), &node.tasks).await?;
    let port = relay.as_ref().map_or(0, |relay| relay.address.port());
    if let Some(relay) = &relay {
        node.relay.get_or_init(|| relay.monitor.clone());
    }
    let issuer = Issuer::new(config.turn.told_uris(port), secret);
    Ok((relay, Arc::new(issuer)))
}

/// The address of the page for a browser on this machine.
fn page(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}/")
}

/// A hint for the operator of a server without accounts.
fn first_steps(node: &Node, registration: RegistrationPolicy) -> Result<&'static str, Failure> {
    if !node.accounts.users(None, 1)?.is_empty() {
        return Ok("");
    }
    Ok(match registration {
        RegistrationPolicy::Open => {
            "; no account exists yet: the first to register from this machine becomes the administrator"
        }
        RegistrationPolicy::LoopbackOnly => {
            "; no account exists yet: register one from this machine, which makes it the administrator"
        }
        RegistrationPolicy::Closed => {
            "; no account exists yet: create one with `rookery user create NAME --admin`"
        }
    })
}

/// Refuses a folder without its accounts before anything in it changes.
fn refuse_lost_accounts(config: &Config, accept_missing_accounts: bool) -> Result<(), Failure> {
    Unfinished::refuse(&config.data)?;
    match ServerIdentity::read(&config.data, config.server_name.as_deref()) {
        Ok(identity) if !accept_missing_accounts => {
            reconcile::refuse_before_opening(&config.data, &identity.server_name)
        }
        _ => Ok(()),
    }
}

/// Opens the node, once its accounts have all users of its log.
async fn open(config: &Config, accept_missing_accounts: bool) -> Result<Node, Failure> {
    let node = Node::open(config).await?;
    if let Err(failure) = reconcile::accounts_with_log(&node, accept_missing_accounts).await {
        node.close().await;
        return Err(failure);
    }
    Ok(node)
}

async fn stop_serving(handle: ShutdownHandle, timeout: Duration) {
    tracing::info!("stopping: finishing the running requests, and asking clients to reconnect");
    handle.request();
    if tokio::time::timeout(timeout, handle.drained()).await.is_err() {
        tracing::warn!("some clients did not close their sockets in time");
    }
}

/// Closes the node once nobody else holds it. A hanging request does not prevent the snapshots for
/// ever.
async fn close(node: Arc<Node>) {
    let mut node = node;
    for _ in 0..50 {
        match Arc::try_unwrap(node) {
            Ok(node) => return node.close().await,
            Err(shared) => node = shared,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tracing::warn!("a request is still running: the next start reads more of the log");
}

/// Handles SIGTERM and SIGINT from now on; the returned future waits for one of them.
fn signalled() -> Result<impl Future<Output = ()>, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ready: the log and the accounts accept writes, and the read side has caught up with the log. Only clients on this
/// machine see the failed part.
async fn ready(
    State(node): State<Arc<Node>>,
    client: Option<Extension<ConnectInfo<SocketAddr>>>,
) -> impl IntoResponse {
    let mut problems: Vec<_> =
        health::problems(&node).into_iter().map(|problem| problem.what).collect();
    if problems.is_empty() {
        let tail = *node.log.tail().borrow();
        match node.models.wait_for(tail, Duration::from_secs(1)).await {
            Ok(()) => return (StatusCode::OK, "ready\n".to_owned()),
            Err(_) => problems.push("the read models have not caught up with the log"),
        }
    }
    let is_near = client.is_some_and(|Extension(ConnectInfo(client))| client.ip().is_loopback());
    let what = if is_near { problems.join(", and ") } else { "not ready".to_owned() };
    let text = format!("{what}; `rookery status` on the server says why\n");
    (StatusCode::SERVICE_UNAVAILABLE, text)
}

async fn housekeeping(node: Arc<Node>) {
    // If the server is killed soon, the next start does not compare the same part of the log with
    // the accounts again.
    note_log_mark(&node).await;
    let mut watch = health::Watch::default();
    for round in 1_u32.. {
        tokio::time::sleep(HOUSEKEEPING).await;
        watch.look(&node);
        if let Err(error) = node.accounts.maintain(Millis(clock::now().0)).await {
            tracing::debug!(%error, "the housekeeping of the accounts failed");
        }
        if round % SAVE_ROUNDS != 0 {
            continue;
        }
        if let Err(error) = node.commands.save().await {
            tracing::warn!("cannot save snapshots of rooms: {error}");
        }
        note_log_mark(&node).await;
    }
}

/// Stores the current position of the log in the accounts.
async fn note_log_mark(node: &Node) {
    if let Err(error) = node.accounts.note_log_mark().await {
        tracing::debug!(%error, "cannot store the mark of the log in the accounts");
    }
}

/// Ends sessions within [`EXPIRY_LOOK`] of the expiry of their tokens, by the wall clock, which may jump.
async fn end_expired_sessions(node: Arc<Node>) {
    loop {
        tokio::time::sleep(EXPIRY_LOOK).await;
        if let Err(error) = node.accounts.end_expired(Millis(clock::now().0)).await {
            tracing::error!(%error, "cannot remove expired tokens");
            tokio::time::sleep(HOUSEKEEPING).await;
        }
    }
}

async fn take_orders(socket: std::io::Result<tokio::net::UnixListener>, node: Arc<Node>) {
    match socket {
        Ok(socket) => operator::serve(socket, node).await,
        Err(error) => {
            tracing::warn!(
                "cannot open the operator's socket ({error}): commands such as `rookery user` \
                 work only after the server has stopped"
            );
            std::future::pending::<()>().await;
        }
    }
}

fn serve_options(config: &Config, files: u64) -> ServeOptions {
    let limits = &config.limits;
    let open =
        descriptors::open_files() + config.turn.descriptors() + OutgoingWebhooks::descriptors();
    let connections = descriptors::connections(limits.connections, files, open);
    tracing::info!(open_files = files, connections, "the system's limit of open files");
    if connections < limits.connections.min(CONNECTIONS_FEW) {
        tracing::warn!(
            "only {connections} connections fit into {files} open files: raise the limit of open files \
             (`ulimit -n`, `LimitNOFILE=` of systemd)"
        );
    }
    let proxies = config.trusted_proxies.clone();
    ServeOptions {
        connections_max: connections,
        stranger_connections_max: limits.address_connections,
        stranger_lifetime: limits.login_time,
        trusted: TrustedPeers::new(move |address| proxies.trusts(address)),
        drain_deadline: config.shutdown_timeout,
        ..ServeOptions::default()
    }
}

fn options(config: &Config) -> Result<TransportOptions, Failure> {
    let limits = &config.limits;
    Ok(TransportOptions {
        gate: GateLimits {
            query_bytes_max: limits.query_bytes,
            nesting_max: limits.nesting,
            fragments_max: limits.fragments,
            fields_max: limits.fields,
            root_fields_max: limits.root_fields,
            guarded: GUARDED_FIELDS,
            ..GateLimits::default()
        },
        cost_max: limits.cost,
        answers: AnswerLimits {
            bytes_max: limits.answer_bytes,
            all_bytes_max: limits.answers_bytes,
            work_max: limits.work,
        },
        documents: DocumentLimits {
            bytes_max: config.cache.documents_bytes,
            ..DocumentLimits::default()
        },
        rate: limits.rate.map(|per_second| Rate { per_second, burst: limits.burst }),
        program_rate: Some(Rate {
            per_second: limits.service_rate,
            burst: limits.service_rate.saturating_mul(SERVICE_BURST_SECONDS),
        }),
        allowed: config.allowed_documents.as_deref().map(allow_list).transpose()?.map(Arc::new),
        introspection: config.introspection,
        body_bytes_max: limits.body_bytes,
        execution_deadline: limits.deadline,
        to_learn: TO_LEARN,
        page: Some(rookery_web::GRAPHIQL),
        allowed_origins: config.allowed_origins.clone(),
        callers: CallerLimits {
            user_sockets_max: limits.user_sockets,
            user_subscriptions_max: limits.user_subscriptions,
            stranger_sockets_max: limits.address_sockets,
            stranger_lifetime: limits.login_time,
            ..CallerLimits::default()
        },
        socket: SocketOptions {
            frame_bytes_max: limits.frame_bytes,
            operations_max: limits.subscriptions,
            ..SocketOptions::default()
        },
        ..TransportOptions::default()
    })
}

fn hook_rates(config: &Config) -> HookRates {
    let (limits, is_limited) = (&config.limits, config.limits.rate.is_some());
    HookRates {
        webhook: limits.webhooks.filter(|_| is_limited),
        address: limits.webhook_requests.filter(|_| is_limited),
    }
}

/// Reads the allowed documents.
fn allow_list(path: &Path) -> Result<AllowList, Failure> {
    let refuse = |reason: &dyn Display| {
        let path = path.display();
        Failure::new(format!("cannot use the documents in {path} (allowed_documents): {reason}"))
    };
    let text = std::fs::read_to_string(path).map_err(|error| refuse(&error))?;
    let list = AllowList::read(&text).map_err(|error| refuse(&error))?;
    tracing::info!(documents = list.len(), file = %path.display(), "running only the listed documents");
    Ok(list)
}
