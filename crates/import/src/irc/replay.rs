//! Lines as commands.
//!
//! A line gives no step (it is empty, unreadable or asks for the current state), its own step, or some implied
//! steps and then its own. An implied step makes a line true: a user who speaks without a join is joined first, a
//! user who returns under another name is renamed first.
//!
//! **Invariant:** the last step of a line is its own, and has the name of the line (see `identity`). The IDs of
//! implied steps are derived from it and from their effect, those of users and rooms from their names. (A line that
//! asks for the current state may have implied steps only.)
//!
//! The same files give the same IDs, from a folder or from an archive. A run over some of the files may imply other
//! steps than a run over all of them. So the importer looks for the last ID of a line first, and leaves out all of
//! its steps if the log knows it.
//!
//! **Invariant:** a user who speaks, joins or takes a new name has the nick of the line.
//! **Invariant:** each line of a file ends in exactly one [`Category`](crate::Category) of the [`Summary`].

mod clock;
mod drive;
mod effects;
mod identity;
mod networks;
mod people;

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::Arc,
};

use jiff::tz::TimeZone;

use self::{
    clock::Clock,
    effects::Effects,
    identity::Names,
    people::{People, UserIndex},
};
use super::{
    dialect::likely,
    line::{
        Line, Parsed, Unreadable, encoding::Legacy, formatting::without_formatting, nick::Nick,
    },
    source::{Channel, LogFile},
};
use crate::{LineSteps, Summary};

pub use self::{drive::replay_all, networks::settle_networks, people::MAPPED_MARK};
pub(crate) use self::{effects::room_command, identity::HEAD_LINES};

/// Most lines without a time that wait for the first line with a time.
const WAITING_MAX: usize = 10_000;

/// Bytes at the start of a file that are kept to guess its format.
const START_BYTES: usize = 512;

/// Options of the operator.
#[derive(Clone, Debug)]
pub struct Options {
    /// Prefix of each localpart, to keep imported users apart from others.
    pub user_prefix: String,
    /// Users with accounts, by nicks, for whom the import may act.
    pub mapped: Vec<(Nick, String)>,
    /// The zone of times without an offset.
    pub zone: TimeZone,
}

impl Default for Options {
    fn default() -> Self {
        Self { user_prefix: String::new(), mapped: Vec::new(), zone: TimeZone::UTC }
    }
}

/// Turns the lines of log files, one after the other, into steps.
#[derive(Debug)]
pub struct Replay {
    zone: TimeZone,
    people: People,
    rooms: HashMap<Arc<str>, Room>,
    names: HashMap<Arc<str>, Names>,
    file: Option<OpenFile>,
    summary: Summary,
}

#[derive(Debug, Default)]
struct Room {
    members: HashSet<UserIndex>,
    topic: Option<String>,
}

#[derive(Debug)]
struct OpenFile {
    name: Arc<str>,
    channel: Channel,
    /// The key of the channel's room.
    room: Arc<str>,
    dialect: Option<super::Dialect>,
    legacy: Legacy,
    clock: Clock,
    waiting: Vec<(u64, Vec<u8>)>,
    /// Lines that were not blank, and the readable ones among them.
    written: u64,
    readable: u64,
    start: String,
}

impl Replay {
    /// A replay before the first file.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let mapped = options.mapped.iter().map(|(nick, user)| (nick, user.as_str()));
        Self {
            zone: options.zone.clone(),
            people: People::new(&options.user_prefix, mapped),
            rooms: HashMap::new(),
            names: HashMap::new(),
            file: None,
            summary: Summary::default(),
        }
    }

    /// Begins a file with the first lines `head`. Call [`Self::end`] for the previous one first.
    pub fn begin(&mut self, file: &LogFile, head: &[Vec<u8>]) {
        self.people.begin_file();
        self.summary.add_file();
        let room: Arc<str> = file.channel.key().into();
        self.names.entry(room.clone()).or_default().begin(head);
        self.file = Some(OpenFile {
            name: file.name.clone(),
            room,
            channel: file.channel.clone(),
            dialect: file.dialect,
            legacy: file.legacy.clone(),
            clock: Clock::new(file.date, self.zone.clone()),
            waiting: Vec::new(),
            written: 0,
            readable: 0,
            start: String::new(),
        });
    }

    /// Reads the next line of the file. Returns its steps, after those of lines that waited for it.
    ///
    /// # Panics
    /// Without a begun file.
    pub fn line(&mut self, number: u64, bytes: &[u8]) -> Vec<LineSteps> {
        let mut file = self.file.take().expect("a line belongs to a file that was begun");
        let text = file.text(bytes);
        let text = without_formatting(&text);
        let parsed = file.read(&text);
        let mut steps = Vec::new();
        if let Line::Day { date, time } = parsed.what {
            file.clock.set_day(date, time.filter(|_| parsed.stamp.is_none()));
        }
        if let Some(stamp) = &parsed.stamp {
            file.clock.set(stamp);
            self.flush(&mut file, &mut steps);
        }
        if parsed.happens() && !file.clock.is_set() && file.waiting.len() < WAITING_MAX {
            file.waiting.push((number, bytes.to_vec()));
        } else {
            if file.waiting.len() >= WAITING_MAX {
                self.flush(&mut file, &mut steps);
            }
            self.apply(&mut file, number, bytes, parsed, &mut steps);
        }
        self.file = Some(file);
        steps
    }

    /// Ends the file: returns the steps of lines that waited for a time.
    pub fn end(&mut self) -> Vec<LineSteps> {
        let mut steps = Vec::new();
        if let Some(mut file) = self.file.take() {
            self.flush(&mut file, &mut steps);
            if file.written > 0 && file.readable == 0 {
                let likely = likely(&file.name, &file.start);
                self.summary.add_unread(file.name, likely);
            }
        }
        steps
    }

    /// The summary of the lines so far.
    #[must_use]
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The summary, to note refused or skipped items.
    pub const fn summary_mut(&mut self) -> &mut Summary {
        &mut self.summary
    }

    fn flush(&mut self, file: &mut OpenFile, steps: &mut Vec<LineSteps>) {
        for (number, bytes) in mem::take(&mut file.waiting) {
            let text = file.text(&bytes);
            let text = without_formatting(&text);
            let parsed = file.read(&text);
            self.apply(file, number, &bytes, parsed, steps);
        }
    }

    fn apply(
        &mut self,
        file: &mut OpenFile,
        number: u64,
        bytes: &[u8],
        mut parsed: Parsed<'_>,
        steps: &mut Vec<LineSteps>,
    ) {
        if parsed.happens() && !file.clock.is_dated() {
            parsed.what = Line::Unreadable(Unreadable::NoDay);
        }
        file.count(&parsed, bytes);
        let names = self.names.entry(file.room.clone()).or_default();
        let name = names.name(&file.room, file.clock.stated(), bytes);
        let mut effects = Effects { replay: self, file, number, name, at: None, steps: Vec::new() };
        let category = effects.make(parsed.what);
        let made = effects.finish();
        if let Some(category) = category {
            self.summary.add(category);
        }
        if !made.steps.is_empty() {
            steps.push(made);
        }
    }
}

impl OpenFile {
    fn text<'a>(&self, bytes: &'a [u8]) -> std::borrow::Cow<'a, str> {
        self.legacy.decode(bytes)
    }

    fn read<'a>(&self, text: &'a str) -> Parsed<'a> {
        match self.dialect {
            Some(dialect) => dialect.read(text),
            None if text.trim().is_empty() => Parsed::of(None, Line::Empty),
            None => Parsed::unreadable(None, Unreadable::UnknownStart),
        }
    }

    fn count(&mut self, parsed: &Parsed<'_>, bytes: &[u8]) {
        let blank = parsed.stamp.is_none() && parsed.what == Line::Empty;
        self.written += u64::from(!blank);
        self.readable += u64::from(!blank && parsed.is_readable());
        if self.readable == 0 && self.start.len() < START_BYTES {
            self.start += &String::from_utf8_lossy(bytes);
            self.start.push('\n');
        }
    }
}
