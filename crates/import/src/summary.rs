//! The outcome of each line.
//!
//! **Invariant:** the counts of all categories add up to the number of lines.

use std::{fmt, sync::Arc};

use crate::{Applied, Refusal};

/// Most complaints that are kept with file and line; further ones are only counted.
pub const COMPLAINTS_LISTED_MAX: usize = 1_000;

/// The outcome of a line: exactly one of these.
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
    /// A kick.
    Kick,
    /// A change of nick.
    Rename,
    /// A topic.
    Topic,
    /// Asks for the current state: a join of a member, a leave of a non-member.
    AlreadySo,
    /// Modes, servers that lost each other: has a meaning in IRC only.
    Aside,
    /// Blank, or a message without text.
    Empty,
    /// Unreadable; listed.
    Unreadable,
}

impl Category {
    /// All categories, in the order of the table.
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
            Self::AlreadySo => "no change",
            Self::Aside => "only meant for IRC",
            Self::Empty => "without text",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A complaint, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u64,
    /// The complaint.
    pub reason: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

/// Complaints: the first [`COMPLAINTS_LISTED_MAX`], and the number of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaints {
    listed: Vec<Complaint>,
    total: u64,
}

impl Complaints {
    /// The number of all.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The first ones.
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

/// Implied events that must have happened for a line to be true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Implied {
    /// Created rooms.
    pub rooms: u64,
    /// Created users.
    pub users: u64,
    /// Joins of users who spoke without a join.
    pub joins: u64,
    /// Leaves of users whose nick another user took.
    pub leaves: u64,
    /// New names of users who came back under another one.
    pub renames: u64,
}

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    files: u64,
    counts: [u64; Category::ALL.len()],
    /// The implied events.
    pub implied: Implied,
    unreadable: Complaints,
    refused: Complaints,
    skipped: Vec<(Arc<str>, String)>,
    unread: Vec<(Arc<str>, String)>,
    apart: Vec<(String, String)>,
}

impl Summary {
    /// The number of lines read.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The number of files read.
    #[must_use]
    pub const fn files(&self) -> u64 {
        self.files
    }

    /// The number of lines in `category`.
    #[must_use]
    pub const fn count(&self, category: Category) -> u64 {
        self.counts[category as usize]
    }

    /// The unreadable lines.
    #[must_use]
    pub const fn unreadable(&self) -> &Complaints {
        &self.unreadable
    }

    /// The readable lines that the rules of the room refused.
    #[must_use]
    pub const fn refused(&self) -> &Complaints {
        &self.refused
    }

    /// The skipped or interrupted files, with the reasons.
    #[must_use]
    pub fn skipped(&self) -> &[(Arc<str>, String)] {
        &self.skipped
    }

    /// The unreadable files, with the likely format of each.
    #[must_use]
    pub fn unread(&self) -> &[(Arc<str>, String)] {
        &self.unread
    }

    /// Adds the outcome of executed steps.
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

    /// Notes a skipped or interrupted file.
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
        writeln!(f, "implied and added:")?;
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
            writeln!(f, "skipped or interrupted files:")?;
            self.skipped.iter().try_for_each(|(file, why)| writeln!(f, "  {file}: {why}"))?;
        }
        if !self.apart.is_empty() {
            writeln!(f, "users with another name, because theirs is taken:")?;
            self.apart.iter().try_for_each(|(user, name)| writeln!(f, "  {user} as {name}"))?;
        }
        if !self.unread.is_empty() {
            writeln!(f, "unreadable files:")?;
            self.unread.iter().try_for_each(|(file, likely)| writeln!(f, "  {file}: {likely}"))?;
        }
        self.unreadable.show("unreadable lines", f)?;
        self.refused.show("lines refused by the rules", f)
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
