//! Tests the whole path from files to steps.

mod dialects;
mod overlaps;
mod real;
mod replay;
mod sample;

use std::{convert::Infallible, fs, path::PathBuf};

use super::{Options, Replay, Source, SourceOptions, replay_all, settle_networks};
use crate::{Command, Step};

/// Replays files of one channel, given as name and content.
fn replay(files: &[(&str, &[u8])]) -> (Vec<Step>, Replay) {
    let named = SourceOptions { channel: Some("#made-up".to_owned()), ..SourceOptions::default() };
    replay_with(files, &named, &Options::default())
}

fn replay_with(
    files: &[(&str, &[u8])],
    source: &SourceOptions,
    options: &Options,
) -> (Vec<Step>, Replay) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    replay_paths(&[folder.path().to_owned()], source, options)
}

fn replay_paths(
    paths: &[PathBuf],
    source: &SourceOptions,
    options: &Options,
) -> (Vec<Step>, Replay) {
    let mut source = Source::open(paths, source).expect("opens");
    let new = |ids: Vec<_>| Ok::<_, Infallible>(vec![false; ids.len()]);
    let Ok(()) = settle_networks(&mut source, &options.zone, new);
    let mut replay = Replay::new(options);
    let mut all = Vec::new();
    let result: Result<(), Infallible> = replay_all(&mut source, &mut replay, |_, lines, _| {
        all.extend(lines.into_iter().flat_map(|line| line.steps));
        Ok(())
    });
    let Ok(()) = result;
    (all, replay)
}

/// A command in a few words.
fn told(command: &Command) -> String {
    match command {
        Command::CreateRoom { room, aliases, .. } => format!("create {room} as {}", aliases[0]),
        Command::RegisterUser { user, displayname } => format!("register {user} as {displayname}"),
        Command::Rename { user, displayname, .. } => format!("rename {user} to {displayname}"),
        Command::Join { user, .. } => format!("join {user}"),
        Command::Leave { user, reason, .. } => {
            format!("leave {user} {}", reason.as_deref().unwrap_or("-"))
        }
        Command::Kick { user, reason, .. } => format!("kick {user} {reason}"),
        Command::SetTopic { topic, .. } => format!("topic {topic}"),
        Command::Send { user, kind, body, .. } => format!("{kind:?} {user} {body}"),
    }
}
