//! The identity of a line, in any file.
//!
//! The name of a line contains its channel, its local time, its bytes, and the number of equal lines before it. Names
//! of files have no part in it: a log that has grown, or was rotated, compressed, split or joined, gives the same
//! lines.
//!
//! **Invariant:** the same lines of a day have the same names, in one file or in several that overlap.
//! **Invariant:** equal lines have different names, also where one file ends and another continues.

use std::collections::{HashMap, VecDeque};

use rookery_log::CommandId;

use super::clock::Stated;

/// Number of lines at the end of a file that are compared with the start of the next one.
pub(crate) const HEAD_LINES: usize = 32;

/// Names the lines of one channel, file by file.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The number of lines of each name in the file. All days are kept: clocks go back, and with them the log.
    seen: HashMap<CommandId, u32>,
    /// The last stated time, and the number of its lines by name.
    last: Option<Stated>,
    at_last: HashMap<CommandId, u32>,
    /// The last lines of the file, and whether they are the whole file.
    tail: VecDeque<(u64, CommandId)>,
    is_whole: bool,
    /// The number of lines by name in the previous file at the time at which it ended and this one began.
    carried: HashMap<CommandId, u32>,
    carried_at: Option<Stated>,
}

impl Names {
    /// Begins a file with these first lines.
    pub(super) fn begin(&mut self, head: &[Vec<u8>]) {
        let repeated = self.repeated(head);
        let mut before = std::mem::take(self);
        self.is_whole = true;
        for (_, name) in before.tail.iter().rev().take(repeated) {
            if let Some(count) = before.at_last.get_mut(name) {
                *count = count.saturating_sub(1);
            }
        }
        (self.carried, self.carried_at) = (before.at_last, before.last);
    }

    /// The number of lines at the end of the previous file that this one repeats at its start. One
    /// line alone does not count: people say the same twice.
    fn repeated(&self, head: &[Vec<u8>]) -> usize {
        let head: Vec<u64> = head.iter().map(|line| short(line)).collect();
        let lines: Vec<u64> = self.tail.iter().map(|(line, _)| *line).collect();
        let same = |count: usize| lines[lines.len() - count..] == head[..count];
        let whole = |count: usize| count == lines.len() && self.is_whole;
        let most = head.len().min(lines.len());
        (1..=most).rev().find(|count| (*count > 1 || whole(*count)) && same(*count)).unwrap_or(0)
    }

    /// The name of the next line of the channel `key`.
    pub(super) fn name(&mut self, key: &str, stated: Option<Stated>, bytes: &[u8]) -> CommandId {
        let name = plain(key, stated, bytes);
        self.remember(bytes, name);
        if stated != self.last {
            self.at_last.clear();
            self.last = stated;
        }
        if self.carried_at.is_some() && self.carried_at != stated {
            self.carried.clear();
            self.carried_at = None;
        }
        let seen =
            self.seen.entry(name).or_insert_with(|| self.carried.get(&name).copied().unwrap_or(0));
        let before = *seen;
        *seen += 1;
        self.at_last.insert(name, *seen);
        match before {
            0 => name,
            before => CommandId::derive(&[b"irc line again", &name.0, &before.to_le_bytes()]),
        }
    }

    fn remember(&mut self, bytes: &[u8], name: CommandId) {
        self.tail.push_back((short(bytes), name));
        if self.tail.len() > HEAD_LINES {
            self.tail.pop_front();
            self.is_whole = false;
        }
    }
}

/// The name of the first such line.
pub(super) fn plain(key: &str, stated: Option<Stated>, bytes: &[u8]) -> CommandId {
    let mut when = Vec::with_capacity(11);
    if let Some(Stated { date, time }) = stated {
        when.extend(date.year().to_le_bytes());
        when.extend([date.month(), date.day()].map(i8::cast_unsigned));
        when.extend(time.iter().flat_map(|time| [time.hour, time.minute, time.second]));
    }
    CommandId::derive(&[b"irc line", key.as_bytes(), &when, bytes])
}

fn short(line: &[u8]) -> u64 {
    let hash = blake3::hash(line);
    hash.as_bytes()[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::Date;

    use super::*;
    use crate::irc::line::stamp::TimeOfDay;

    /// The names of the lines of files, each line with its minute.
    fn names(files: &[&[(u8, &str)]]) -> Vec<CommandId> {
        let mut names = Names::default();
        let mut all = Vec::new();
        for file in files {
            let head: Vec<Vec<u8>> =
                file.iter().take(HEAD_LINES).map(|(_, line)| line.as_bytes().to_vec()).collect();
            names.begin(&head);
            for (minute, line) in *file {
                let date = Date::constant(2014, 5, 6);
                let time = Some(TimeOfDay { hour: 7, minute: *minute, second: 0 });
                all.push(names.name("#a", Some(Stated { date, time }), line.as_bytes()));
            }
        }
        all
    }

    fn different(names: &[CommandId]) -> usize {
        names.iter().map(|name| name.0).collect::<BTreeSet<_>>().len()
    }

    #[test]
    fn lines_have_names_of_their_own_also_when_the_log_goes_back_a_day() {
        let mut names = Names::default();
        names.begin(&[]);
        let given = [6, 7, 6].map(|day| {
            let stated = Stated { date: Date::constant(2014, 5, day), time: None };
            names.name("#a", Some(stated), b"hi")
        });
        assert_eq!(different(&given), 3);
    }

    #[test]
    fn the_same_lines_have_the_same_names_however_files_are_cut() {
        let day: &[(u8, &str)] =
            &[(0, "a"), (0, "hi"), (0, "hi"), (1, "hi"), (1, "ho"), (1, "hi"), (2, "x"), (2, "x")];
        let whole = names(&[day]);
        assert_eq!(different(&whole), day.len());
        for cut in 1..day.len() {
            assert_eq!(names(&[&day[..cut], &day[cut..]]), whole, "cut after {cut} lines");
            assert_eq!(names(&[&day[..cut]]), whole[..cut], "first {cut} lines");
        }
        // A copy, a copy that has grown since, and one that begins later.
        assert_eq!(names(&[day, day])[day.len()..], whole);
        assert_eq!(names(&[&day[..3], day])[3..], whole);
        assert_eq!(names(&[&day[..1], day])[1..], whole);
        assert_eq!(names(&[day, &day[6..]])[day.len()..], whole[6..]);
        assert_eq!(names(&[&day[..6], &day[4..]])[6..], whole[4..]);
    }

    #[test]
    fn the_same_words_at_the_seam_of_two_files_are_two_lines() {
        let parts: [&[(u8, &str)]; 2] = [&[(0, "a"), (1, "hi")], &[(1, "hi"), (2, "b")]];
        assert_eq!(different(&names(&parts)), 4);
    }
}
