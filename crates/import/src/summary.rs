//! What became of each line.
//!
//! **Invariant:** the counts of all categories add up to the number of lines.

use std::{fmt, sync::Arc};

use crate::{Applied, Refusal};

/// How many complaints are kept with file and line; more are only counted.
pub const COMPLAINTS_LISTED_MAX: usize = 1_000;

/// What became of a line: exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// A message.
    Message,
    /// An action (`/me`).
    Emote,
    /// A notice to the channel.
    Notice,
    /// Somebody joined.
    Join,
    /// Somebody left.
    Leave,
    /// Somebody was thrown out.
    Kick,
    /// Somebody took another name.
    Rename,
    /// A topic was set.
    Topic,
    /// Asks for what already holds: a join of who is there, a leave of who is not.
    AlreadySo,
    /// Modes, servers that lost each other: has a meaning in IRC only.
    Aside,
    /// Blank, or a message without words.
    Empty,
    /// Could not be read; listed.
    Unreadable,
}

impl Category {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 12] = [
        Self::Message,
        Self::Emote,
        Self::Notice,
        Self::Join,
        Self::Leave,
        Self::Kick,
        Self::Rename,
        Self::Topic,
        Self::AlreadySo,
        Self::Aside,
        Self::Empty,
        Self::Unreadable,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Message => "messages",
            Self::Emote => "actions (/me)",
            Self::Notice => "notices",
            Self::Join => "joins",
            Self::Leave => "leaves",
            Self::Kick => "kicks",
            Self::Rename => "new names",
            Self::Topic => "topics",
            Self::AlreadySo => "already so",
            Self::Aside => "only meant for IRC",
            Self::Empty => "without words",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Something that went wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

/// Complaints: the first [`COMPLAINTS_LISTED_MAX`], and how many there are in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaints {
    listed: Vec<Complaint>,
    total: u64,
}

impl Complaints {
    /// How many there are.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The first of them.
    #[must_use]
    pub fn listed(&self) -> &[Complaint] {
        &self.listed
    }

    fn add(&mut self, complaint: Complaint) {
        self.total += 1;
        if self.listed.len() < COMPLAINTS_LISTED_MAX {
            self.listed.push(complaint);
        }
    }

    fn show(&self, title: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.total == 0 {
            return Ok(());
        }
        writeln!(f, "{title}:")?;
        self.listed.iter().try_for_each(|complaint| writeln!(f, "  {complaint}"))?;
        match self.total - self.listed.len() as u64 {
            0 => Ok(()),
            more => writeln!(f, "  and {more} more"),
        }
    }
}

/// What no line says, but must have happened for a line to be true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Implied {
    /// Rooms that were made.
    pub rooms: u64,
    /// Users that were made.
    pub users: u64,
    /// Joins of those who spoke without having joined.
    pub joins: u64,
    /// Leaves of those whose nick somebody else took.
    pub leaves: u64,
    /// New names of those who came back under another one.
    pub renames: u64,
}

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    files: u64,
    counts: [u64; Category::ALL.len()],
    /// What was added so that the lines hold.
    pub implied: Implied,
    unreadable: Complaints,
    refused: Complaints,
    skipped: Vec<(Arc<str>, String)>,
    unread: Vec<(Arc<str>, String)>,
    apart: Vec<(String, String)>,
}

impl Summary {
    /// How many lines were read.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many files were read.
    #[must_use]
    pub const fn files(&self) -> u64 {
        self.files
    }

    /// How many lines ended in `category`.
    #[must_use]
    pub const fn count(&self, category: Category) -> u64 {
        self.counts[category as usize]
    }

    /// The lines that could not be read.
    #[must_use]
    pub const fn unreadable(&self) -> &Complaints {
        &self.unreadable
    }

    /// The lines that were read, and that the rules of the room refused.
    #[must_use]
    pub const fn refused(&self) -> &Complaints {
        &self.refused
    }

    /// The files that were left out, or broken off, and why.
    #[must_use]
    pub fn skipped(&self) -> &[(Arc<str>, String)] {
        &self.skipped
    }

    /// The files of which nothing could be read, and what each is likely to be.
    #[must_use]
    pub fn unread(&self) -> &[(Arc<str>, String)] {
        &self.unread
    }

    /// Adds what came of carrying out the steps.
    pub fn add_applied(&mut self, applied: Applied) {
        for Refusal { file, line, reason } in applied.refused {
            self.refuse(file, line, reason);
        }
        let new = applied.apart.into_iter().filter(|pair| !self.apart.contains(pair));
        let new: Vec<_> = new.collect();
        self.apart.extend(new);
    }

    pub(super) const fn add_file(&mut self) {
        self.files += 1;
    }

    pub(super) const fn add(&mut self, category: Category) {
        self.counts[category as usize] += 1;
    }

    pub(super) fn add_unreadable(&mut self, file: Arc<str>, line: u64, reason: String) {
        self.add(Category::Unreadable);
        self.unreadable.add(Complaint { file, line, reason });
    }

    pub(super) fn add_unread(&mut self, file: Arc<str>, likely: String) {
        self.unread.push((file, likely));
    }

    /// Notes that the command layer refused a step.
    pub fn refuse(&mut self, file: Arc<str>, line: u64, reason: String) {
        self.refused.add(Complaint { file, line, reason });
    }

    /// Notes that a file was left out, or broken off.
    pub fn skip(&mut self, file: Arc<str>, reason: String) {
        self.skipped.push((file, reason));
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, label: &str, count: u64| {
            writeln!(f, "  {label:<24} {count:>10}")
        };
        row(f, "files", self.files)?;
        row(f, "lines", self.lines())?;
        writeln!(f, "of these lines:")?;
        for category in Category::ALL {
            row(f, category.label(), self.count(category))?;
        }
        writeln!(f, "added so that they hold:")?;
        let Implied { rooms, users, joins, leaves, renames } = self.implied;
        for (label, count) in [
            ("rooms", rooms),
            ("users", users),
            ("joins", joins),
            ("leaves", leaves),
            ("new names", renames),
        ] {
            row(f, label, count)?;
        }
        if !self.skipped.is_empty() {
            writeln!(f, "files left out or broken off:")?;
            self.skipped.iter().try_for_each(|(file, why)| writeln!(f, "  {file}: {why}"))?;
        }
        if !self.apart.is_empty() {
            writeln!(f, "users whose names others have, imported under another one:")?;
            self.apart.iter().try_for_each(|(user, name)| writeln!(f, "  {user} as {name}"))?;
        }
        if !self.unread.is_empty() {
            writeln!(f, "files of which nothing could be read:")?;
            self.unread.iter().try_for_each(|(file, likely)| writeln!(f, "  {file}: {likely}"))?;
        }
        self.unreadable.show("unreadable lines", f)?;
        self.refused.show("lines that the rules refused", f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_count_in_the_place_of_their_table() {
        for (index, category) in Category::ALL.into_iter().enumerate() {
            assert_eq!(category as usize, index);
        }
    }

    #[test]
    fn complaints_beyond_the_list_are_counted() {
        let mut summary = Summary::default();
        for line in 1..=COMPLAINTS_LISTED_MAX as u64 + 2 {
            summary.add_unreadable("a.log".into(), line, "is odd".into());
        }
        assert_eq!(summary.unreadable().listed().len(), COMPLAINTS_LISTED_MAX);
        assert_eq!(summary.unreadable().total(), COMPLAINTS_LISTED_MAX as u64 + 2);
        let shown = summary.to_string();
        assert!(
            shown.contains("  a.log:1: is odd\n") && shown.contains("  and 2 more\n"),
            "{shown}"
        );
    }
}
