//! Imports of IRC logs. This process reads them, and it or the running server carries them out.
//!
//! **Invariant:** the import asks a running server before it touches the data directory, and the server
//! continues to serve.
//! **Invariant:** without a server, half an import never passes for a whole one; see [`Unfinished`].

mod sink;

use std::{path::Path, sync::Arc, time::Instant};

use rookery_import::{
    Summary,
    irc::{
        Legacy, Mapping, Options, Replay, Source, SourceOptions, replay_all, settle_networks,
        time_zone,
    },
};
use rookery_log::EventLog;

pub use self::sink::ImportPart;
use self::sink::Sink;
pub(crate) use self::sink::carry_out;
use crate::{
    cli::IrcArguments,
    config::{Config, ServerIdentity},
    failure::Failure,
    import::unfinished::{Kind, Unfinished},
    node::Node,
    operator::reach,
    terminal,
    terminal::{counted::counted, progress::Progress},
};

/// Imports IRC logs, and reports the fate of their lines.
///
/// # Errors
/// [`Failure`] if the sources cannot be opened, if another import has to finish first, if
/// the log takes no more writes, or if a file was not readable at all.
pub(crate) async fn import_irc(config: &Config, arguments: IrcArguments) -> Result<(), Failure> {
    let import = Import::read(arguments)?;
    Unfinished::refuse_unless(Kind::Irc, &config.data)?;
    let started = Instant::now();
    let (summary, commits) = if reach(&config.data).await.is_some() {
        ServerIdentity::read(&config.data, config.server_name.as_deref())?;
        by_server(config, import).await?
    } else {
        here(config, import).await?
    };
    tell(&summary, commits, started.elapsed().as_secs_f64())
}

/// An import with all options of the operator.
struct Import {
    arguments: IrcArguments,
    source: Source,
    options: Options,
}

impl Import {
    /// Finds the logs, before anything opens for writing.
    fn read(arguments: IrcArguments) -> Result<Self, Failure> {
        let zone = arguments.timezone.as_deref().and_then(time_zone);
        let mut options =
            Options { user_prefix: arguments.user_prefix.clone(), ..Options::default() };
        options.zone = zone.unwrap_or(options.zone);
        if let Some(path) = &arguments.map {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Failure::file("cannot read the mapping", path, error))?;
            let mapping = Mapping::parse(&text)
                .map_err(|error| Failure::file("cannot use the mapping", path, error))?;
            options.mapped = mapping.users;
        }
        let about = SourceOptions {
            channel: arguments.channel.clone(),
            network: arguments.network.clone(),
            dialect: arguments.format,
            legacy: arguments.encoding.as_deref().and_then(Legacy::named),
        };
        let source = Source::open(&arguments.paths, &about)?;
        Ok(Self { arguments, source, options })
    }

    /// Reads all files and passes their content to `sink`. Calls `begin` before the first part.
    fn run(
        mut self,
        mut sink: Sink<'_>,
        begin: impl FnOnce(&Source) -> Result<(), Failure>,
    ) -> Result<(Summary, u64), Failure> {
        let runtime = tokio::runtime::Handle::current();
        let mapped: Vec<String> =
            self.options.mapped.iter().map(|(_, user)| user.clone()).collect();
        runtime.block_on(sink.check_mapped(mapped))?;
        let zone = self.options.zone.clone();
        settle_networks(&mut self.source, &zone, |ids| runtime.block_on(sink.known(ids)))?;
        begin(&self.source)?;
        let total = self.source.bytes();
        let mut bar = Progress::on_stderr("importing", "bytes", Some(total));
        let mut replay = Replay::new(&self.options);
        replay_all(&mut self.source, &mut replay, |_, lines, done| {
            bar.tell(done);
            runtime.block_on(sink.take(lines))
        })?;
        let applied = runtime.block_on(sink.finish())?;
        bar.finish(total);
        let commits = applied.commits;
        replay.summary_mut().add_applied(applied);
        Ok((replay.summary().clone(), commits))
    }
}

/// Lets the running server carry out the import.
async fn by_server(config: &Config, import: Import) -> Result<(Summary, u64), Failure> {
    let data = config.data.clone();
    let work = move || import.run(Sink::server(data), |_| Ok(()));
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::new(error.to_string()))?.map_err(|failure| go_on(&failure))
}

/// Carries out the import on a data directory that no server has open.
async fn here(config: &Config, import: Import) -> Result<(Summary, u64), Failure> {
    let node = Arc::new(Node::open_to_import(config).await.map_err(|failure| {
        let hint = if failure.is_in_use() { ": stop the server for the import" } else { "" };
        Failure::new(format!("{failure}{hint}"))
    })?);
    let (data, working) = (config.data.clone(), Arc::clone(&node));
    let work = move || {
        let before = *working.log.tail().borrow();
        let paths = import.arguments.paths.clone();
        let begin = |source: &Source| {
            Unfinished::new(Kind::Irc, &paths, identity(source)).begin(&data).map(drop)
        };
        let (summary, _) = import.run(Sink::here(&working), begin)?;
        Unfinished::end(&data)?;
        Ok((summary, working.log.tail().borrow().0 - before.0))
    };
    let imported = tokio::task::spawn_blocking(work).await;
    if let Ok(node) = Arc::try_unwrap(node) {
        node.close().await;
    }
    let imported = imported.map_err(|error| Failure::new(error.to_string()))?;
    match imported {
        Err(failure) if Unfinished::read(&config.data)?.is_some() => Err(go_on(&failure)),
        imported => imported,
    }
}

fn go_on(failure: &Failure) -> Failure {
    let message =
        format!("the import did not finish: {failure}; run the same import again to continue");
    Failure::new(message)
}

/// The same value for the same logs in any place, also if their last day has grown or was compressed since.
fn identity(source: &Source) -> String {
    let base_name = |name: &str| {
        let name = Path::new(name.rsplit(['/', '!']).next().unwrap_or_default()).to_owned();
        if name.extension().is_some_and(|end| end == "gz") { name.with_extension("") } else { name }
    };
    let files = source.files().iter();
    let mut files: Vec<_> = files.map(|file| (file.channel.key(), base_name(&file.name))).collect();
    files.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for (channel, name) in files {
        hasher.update(format!("{channel}\n{}\n", name.display()).as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

fn tell(summary: &Summary, commits: u64, seconds: f64) -> Result<(), Failure> {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    let rate = commits as f64 / seconds.max(0.001);
    let added = counted(commits, "commit");
    terminal::print(&format!("{summary}\nadded {added} in {seconds:.1} s ({rate:.0}/s)\n"))?;
    let unread = summary.unread();
    let Some((file, likely)) = unread.first() else { return Ok(()) };
    let files = counted(unread.len() as u64, "file");
    Err(Failure::new(format!("could not read any line of {files}: {file}: {likely}")))
}
