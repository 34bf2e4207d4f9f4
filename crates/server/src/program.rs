//! Runs the command of a command line.

pub(crate) mod logging;

use std::{path::Path, process::ExitCode};

use crate::{
    cli::{
        Command, ImportKind, Invocation, LogCommand, RoomCommand, ServerCommand, TurnCommand, parse,
    },
    config::{self, Config},
    data_directory::{compaction, salvage, signing},
    failure::Failure,
    import::{import_irc, import_log, unfinished::Unfinished},
    node::{Node, clock},
    operator::{
        Destination, Order, Output, ServerKeyFile, ServiceOrder, ask, ask_running, execute, reach,
        read_sent, show,
    },
    serve, terminal,
    terminal::{counted::counted, password},
    turn,
};

/// The exit code of a program whose output has no reader any more, as shells report it: 128 +
/// SIGPIPE.
const READER_GONE: u8 = 141;

/// The exit code after an invalid command line, as in clap.
const USAGE: u8 = 2;

/// Runs the program with the arguments and the environment of this process.
#[must_use]
pub fn main() -> ExitCode {
    let code = match parse(std::env::args_os()) {
        Ok(invocation) => ended(run(invocation)),
        Err(answer) if answer.use_stderr() => {
            // If the message cannot be printed, the exit code still states the failure.
            answer.print().ok();
            ExitCode::from(USAGE)
        }
        Err(answer) => ended(answer.print().map_err(|error| terminal::unprinted(&error))),
    };
    terminal::flush();
    code
}

fn ended(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_reader_gone() => ExitCode::from(READER_GONE),
        Err(failure) => {
            terminal::tell(format_args!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn run(invocation: Invocation) -> Result<(), Failure> {
    let Invocation { command, flags, check_config, accept_missing_accounts } = invocation;
    // Commands without a configuration must not fail for an invalid one.
    match &command {
        Command::Schema { shared: false } => {
            return terminal::print(&rookery_gateway::schema::sdl());
        }
        Command::Schema { shared: true } => {
            return terminal::print(&rookery_gateway::schema::marked_sdl());
        }
        Command::Health { url } => return health(url),
        _ => {}
    }
    let loaded = config::load(&flags, std::env::vars_os())?;
    if check_config {
        return terminal::print(&loaded.to_string());
    }
    logging::start(&loaded.config)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    config::check_folder(&loaded.config.data)?;
    runtime.block_on(async {
        match command {
            Command::Serve => serve::run(&loaded.config, accept_missing_accounts).await,
            command => Box::pin(carry_out(command, &loaded.config)).await,
        }
    })
}

async fn carry_out(command: Command, config: &Config) -> Result<(), Failure> {
    match command {
        Command::Rebuild => order(config, Order::Rebuild, Destination::Screen).await,
        Command::Retry => order(config, Order::Retry, Destination::Screen).await,
        Command::Compact => compact(config).await,
        Command::Verify => order(config, Order::Verify, Destination::Screen).await,
        Command::Status => {
            config::ServerIdentity::read(&config.data, config.server_name.as_deref())?;
            ask_running(&config.data, &Order::Status).await
        }
        Command::Export { file } => {
            let screen = file == Path::new("-");
            let destination = if screen { Destination::Screen } else { Destination::File(file) };
            order(config, Order::Export, destination).await
        }
        Command::Log(LogCommand::Tail { after, follow }) => {
            order(config, Order::Tail { after, follow }, Destination::Screen).await
        }
        Command::Log(LogCommand::Salvage { file, into }) => {
            if reach(&config.data).await.is_some() {
                let data = config.data.display();
                return Err(Failure::new(format!(
                    "a server has {data} open: stop it first. A serving log is intact; `rookery \
                     export` writes it while the server runs"
                )));
            }
            salvage::run(config, file.as_deref(), into.as_deref()).await
        }
        Command::Turn(TurnCommand::Check { uri }) => turn::check(config, &uri),
        Command::Federation(command) => {
            config::ServerIdentity::read(&config.data, config.server_name.as_deref())?;
            ask_running(&config.data, &Order::Federation { command }).await
        }
        Command::Server(ServerCommand::RotateKey) => rotate_key(config).await,
        Command::Room(RoomCommand::Receive { file, keys }) => receive(config, &file, &keys).await,
        Command::Service(command) => {
            let order = Order::Service { order: ServiceOrder::read(command)? };
            self::order(config, order, Destination::Screen).await
        }
        Command::User(command) => {
            let password = password::read_for(&command)?;
            order(config, Order::User { command, password }, Destination::Screen).await
        }
        Command::Import { kind: Some(ImportKind::Irc(arguments)), .. } => {
            import_irc(config, arguments).await
        }
        Command::Import { kind: Some(ImportKind::Ndjson { file }), .. }
        | Command::Import { kind: None, file: Some(file) } => {
            let records = import_log(config, &file).await?;
            terminal::tell(format_args!("imported {}", counted(records, "commit")));
            Ok(())
        }
        Command::Import { kind: None, file: None } => {
            Err(Failure::new("name a file: see `rookery import --help`"))
        }
        Command::Serve | Command::Schema { .. } | Command::Health { .. } => Ok(()),
    }
}

/// Executes a command: here, or in the server that has the data directory open.
async fn order(config: &Config, order: Order, destination: Destination) -> Result<(), Failure> {
    orders(config, vec![order], destination).await
}

/// Executes commands one after the other, until one fails.
async fn orders(
    config: &Config,
    orders: Vec<Order>,
    destination: Destination,
) -> Result<(), Failure> {
    // A command is about existing data; only a server creates a directory.
    config::ServerIdentity::read(&config.data, config.server_name.as_deref())?;
    Unfinished::refuse(&config.data)?;
    if reach(&config.data).await.is_some() {
        return ask_all(config, &orders, &destination).await;
    }
    if orders.iter().any(Order::reads_all) {
        salvage::examine(config).await?;
    }
    let node = match Node::open(config).await {
        Ok(node) => node,
        // A server has started meanwhile, or is about to accept commands.
        Err(failure) if failure.is_in_use() => return ask_all(config, &orders, &destination).await,
        Err(failure) => return Err(failure),
    };
    let (output, replies) = Output::channel();
    let may_stop = orders.iter().all(Order::changes_nothing);
    let work = async {
        let mut result = Ok(());
        for order in orders {
            result = execute(&node, order, &output).await;
            if result.is_err() {
                break;
            }
        }
        output.end(result).await;
        drop(output);
    };
    let shown = async {
        let shown = show(replies, &destination, may_stop);
        tokio::pin!(shown, work);
        tokio::select! {
            shown = &mut shown => {
                if !may_stop {
                    work.await;
                }
                shown
            }
            () = &mut work => shown.await,
        }
    };
    let shown = tokio::select! {
        shown = shown => shown,
        ended = node.tasks.ended() => return Err(ended.into()),
    };
    node.close().await;
    shown
}

/// Lets the running server execute commands one after the other, until one fails.
async fn ask_all(
    config: &Config,
    orders: &[Order],
    destination: &Destination,
) -> Result<(), Failure> {
    for order in orders {
        ask(&config.data, order, destination).await?;
    }
    Ok(())
}

/// Sends the events in `file` in as many requests as necessary.
async fn receive(config: &Config, file: &Path, keys: &Path) -> Result<(), Failure> {
    let keys = ServerKeyFile::read(keys)?;
    let portions = read_sent(file)?.into_iter();
    let receive = portions.map(|sent| Order::Receive { keys: keys.clone(), sent });
    orders(config, receive.collect(), Destination::Screen).await
}

/// Gives a stopped server another signing key.
async fn rotate_key(config: &Config) -> Result<(), Failure> {
    let identity = config::ServerIdentity::read(&config.data, config.server_name.as_deref())?;
    if reach(&config.data).await.is_some() {
        let data = config.data.display();
        return Err(Failure::new(format!("a server has {data} open: stop it first")));
    }
    let (old, new) = signing::rotate(&config.data, &identity, clock::now().0)?;
    terminal::tell(format_args!(
        "the server signs with {new} from its next start on; {old} is published as an old key"
    ));
    Ok(())
}

/// Rewrites the files of a data directory that no server has open.
async fn compact(config: &Config) -> Result<(), Failure> {
    config::ServerIdentity::read(&config.data, config.server_name.as_deref())?;
    if reach(&config.data).await.is_some() {
        return Err(compaction::in_use(&config.data));
    }
    let done = compaction::run(config).await?;
    terminal::tell(format_args!(
        "rewrote {}: {} KiB before, {} KiB now; no redacted content is left",
        counted(done.commits, "commit"),
        done.bytes_before.div_ceil(1_024),
        done.bytes_after.div_ceil(1_024),
    ));
    Ok(())
}

/// Asks a running server whether it is ready.
fn health(url: &str) -> Result<(), Failure> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(std::time::Duration::from_secs(3)))
        .build()
        .into();
    let address = format!("{}/readyz", url.trim_end_matches('/'));
    match agent.get(&address).call() {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::new(format!("{address} is not ready: {error}"))),
    }
}
