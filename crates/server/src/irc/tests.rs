//! The whole way from files to steps.

mod real;
mod replay;
mod sample;

use std::{convert::Infallible, fs, path::PathBuf};

use super::{Command, Options, Replay, Source, Step, replay_all};

/// Replays files of one channel that are given as name and content.
fn replay(files: &[(&str, &[u8])]) -> (Vec<Step>, Replay) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        fs::write(folder.path().join(name), content).expect("a file");
    }
    replay_paths(&[folder.path().to_owned()], Some("#made-up"))
}

fn replay_paths(paths: &[PathBuf], channel: Option<&str>) -> (Vec<Step>, Replay) {
    let mut source = Source::open(paths, channel).expect("opens");
    let mut replay = Replay::new(&Options::default());
    let mut all = Vec::new();
    let result: Result<(), Infallible> = replay_all(&mut source, &mut replay, |_, steps, _| {
        all.extend(steps);
        Ok(())
    });
    let Ok(()) = result;
    (all, replay)
}

/// A command in a few words.
fn told(command: &Command) -> String {
    match command {
        Command::CreateRoom { channel, alias } => format!("create {channel} as {alias}"),
        Command::RegisterUser { user, displayname } => format!("register {user} as {displayname}"),
        Command::Rename { user, displayname } => format!("rename {user} to {displayname}"),
        Command::Join { user, .. } => format!("join {user}"),
        Command::Leave { user, reason, .. } => {
            format!("leave {user} {}", reason.as_deref().unwrap_or("-"))
        }
        Command::Kick { user, reason, .. } => format!("kick {user} {reason}"),
        Command::SetTopic { topic, .. } => format!("topic {topic}"),
        Command::Send { user, kind, body, .. } => format!("{kind:?} {user} {body}"),
    }
}
