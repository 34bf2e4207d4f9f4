//! The logs of a real channel, if they are available.

use std::{
    collections::HashMap,
    io::Read,
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;

use super::{Options, SourceOptions, replay_paths};
use crate::{Category, Command};

/// The archive beside the project, or beside a folder that contains it.
fn archive() -> Option<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/data/ubuntu-irc.tar.gz"))
        .find(|path| path.is_file())
}

/// Expected counts for the archive, without the parser.
fn rough_count(archive: &Path) -> HashMap<&'static str, u64> {
    let file = std::fs::File::open(archive).expect("opens");
    let mut counts = HashMap::new();
    for entry in tar::Archive::new(GzDecoder::new(file)).entries().expect("a tar") {
        let mut entry = entry.expect("an entry");
        let mut text = String::new();
        if !entry.path().expect("a path").to_string_lossy().ends_with(".raw.txt") {
            continue;
        }
        entry.read_to_string(&mut text).expect("UTF-8");
        for line in text.lines() {
            *counts.entry("lines").or_default() += 1;
            *counts.entry(look(line)).or_default() += 1;
        }
    }
    counts
}

fn look(line: &str) -> &'static str {
    if !line.starts_with("=== ") {
        let words = line.get(8..).unwrap_or_default().trim_start();
        return match words.split_once("> ") {
            _ if words.starts_with('-') => "notices",
            _ if words.starts_with("* ") && words.trim_end().matches(' ').count() < 2 => "wordless",
            _ if words.starts_with("* ") => "emotes",
            Some((_, said)) if !said.trim().is_empty() => "messages",
            None if words.starts_with('(') => "messages",
            _ => "wordless",
        };
    }
    if line.contains("]  has joined #") {
        "joins"
    } else if line.contains("]  has left #") {
        "leaves"
    } else if line.contains(" is now known as ") {
        "renames"
    } else if line.contains(" was kicked off #") {
        "kicks"
    } else if line.contains("..[topic/")
        || line.contains(" the topic of #")
        || line.contains("Topic for #")
    {
        "topics"
    } else if line.contains("=== mode/") || line.contains("=== net") || line.contains("=== Topic (")
    {
        "asides"
    } else {
        "emotes"
    }
}

#[test]
fn every_line_of_a_real_archive_ends_in_exactly_one_category() {
    let Some(archive) = archive() else {
        println!("skipped: there is no shared/data/ubuntu-irc.tar.gz beside the project");
        return;
    };
    let expected = rough_count(&archive);
    let begun = std::time::Instant::now();
    let (steps, replay) = replay_paths(&[archive], &SourceOptions::default(), &Options::default());
    println!("replayed in {:?}: {} steps", begun.elapsed(), steps.len());
    let summary = replay.summary();
    println!("{summary}");

    assert_eq!(summary.lines(), expected["lines"]);
    for (name, category) in [
        ("messages", Category::Message),
        ("emotes", Category::Emote),
        ("notices", Category::Notice),
        ("asides", Category::Aside),
        ("wordless", Category::Empty),
    ] {
        assert_eq!(summary.count(category), expected[name], "{name}");
    }
    let moves = ["joins", "leaves", "kicks", "renames", "topics"].map(|name| expected[name]);
    let counted =
        [Category::Join, Category::Leave, Category::Kick, Category::Rename, Category::Topic]
            .map(|category| summary.count(category));
    assert!(
        counted.iter().zip(&moves).all(|(counted, all)| counted <= all),
        "{counted:?} of {moves:?}"
    );
    let already_so = summary.count(Category::AlreadySo);
    assert_eq!(counted.iter().sum::<u64>() + already_so, moves.iter().sum::<u64>());
    assert_eq!(summary.unreadable().total(), 0);

    let own = summary.lines()
        - [Category::AlreadySo, Category::Aside, Category::Empty]
            .map(|c| summary.count(c))
            .iter()
            .sum::<u64>();
    let implied = summary.implied;
    let added = implied.rooms + implied.users + implied.joins + implied.leaves + implied.renames;
    assert_eq!(steps.len() as u64, own + added);
    let channels = steps.iter().filter(
        |step| matches!(&step.command, Command::CreateRoom { room, .. } if &**room == "#ubuntu"),
    );
    assert_eq!((channels.count(), implied.rooms), (1, 1));
    let distinct: std::collections::HashSet<_> = steps.iter().map(|step| step.id.0).collect();
    assert_eq!(distinct.len(), steps.len(), "each step has a name of its own");
}
