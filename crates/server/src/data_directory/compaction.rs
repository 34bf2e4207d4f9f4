//! Rewrites the files of a data directory, so that they no longer hold redacted content.
//!
//! **Invariant:** after an interruption at any moment, a server can serve the directory, and a
//! second run completes the work.

use std::{fs, io, path::Path, time::Duration};

use rookery_log_sled::{Compacted, SledOptions, compact, erased_since};

use crate::{
    config::Config, data_directory::salvage, failure::Failure, node::Node,
    terminal::progress::Progress,
};

/// Rewrites the data of `config`, which no server may have open.
///
/// # Errors
/// [`Failure`], which says what to do.
pub(crate) async fn run(config: &Config) -> Result<Compacted, Failure> {
    salvage::examine(config).await?;
    let node = Node::open(config).await;
    let node =
        node.map_err(|failure| if failure.is_in_use() { in_use(&config.data) } else { failure })?;
    // First executes a redaction that a crash interrupted; then saves all models again.
    node.commands.resume_erasures().await?;
    node.close().await;
    rewrite(config).await
}

/// The reason not to rewrite files below a running server.
pub(crate) fn in_use(data: &Path) -> Failure {
    let data = data.display();
    Failure::new(format!(
        "a server has {data} open: stop the server first, or restart it with `--compact-after \
         1s`, so that it compacts by itself"
    ))
}

/// Compacts at a start if redacted content has stayed in the files for too long.
///
/// # Errors
/// [`Failure`], which says what to do.
pub(crate) async fn if_due(config: &Config) -> Result<(), Failure> {
    let Some(after) = config.compact_after else { return Ok(()) };
    let since = erased_since(&config.data.join("log"))?;
    let age = since.and_then(|since| since.elapsed().ok());
    if age.is_some_and(|age| age >= after) {
        let age = whole_days(age.unwrap_or_default());
        tracing::info!("redacted content has been in the files {age}: rewriting them now");
        run(config).await?;
    }
    Ok(())
}

fn whole_days(age: Duration) -> String {
    match age.as_secs() / 86_400 {
        0 => "for less than a day".to_owned(),
        1 => "for a day".to_owned(),
        days => format!("for {days} days"),
    }
}

async fn rewrite(config: &Config) -> Result<Compacted, Failure> {
    let data = config.data.clone();
    let cache_bytes = config.cache.log_bytes as u64;
    let work = tokio::task::spawn_blocking(move || {
        // Removes derived files first: a crash leaves the file that asks for this work.
        remove_derived(&data).map_err(|error| Failure::file("cannot tidy", &data, error))?;
        let mut bar = Progress::on_stderr("compacting", "commits", None);
        let options = SledOptions { cache_bytes, ..SledOptions::default() };
        let compacted = compact(&data.join("log"), &options, |done, last| {
            bar.set_total(last.0);
            bar.tell(done.0);
        })?;
        Ok(compacted)
    });
    work.await.map_err(|error| Failure::new(error.to_string()))?
}

/// Removes derived files that may hold content from before a redaction: models from before a
/// rebuild, snapshots of rooms, and half-written files of a crash.
fn remove_derived(data: &Path) -> io::Result<()> {
    rookery_projection::remove_old(&data.join("models"))?;
    for entry in fs::read_dir(data.join("rooms"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "state" || it == "new") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
