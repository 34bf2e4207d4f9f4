//! Lines as commands.
//!
//! A line gives no step (it is empty, unreadable or asks for what already holds), its own step, or
//! some implied steps and then its own. An implied step makes a line true: who speaks without having
//! joined is joined first, who comes back under another name is renamed first.
//!
//! **Invariant:** the last step of a line is its own, and bears the ID of the line: channel, date and
//! base name of the file, number and bytes of the line. The IDs of implied steps are derived from it
//! and from what they do, those of users and rooms from their names. (A line that asks for what
//! already holds may have implied steps only.)
//!
//! The same files give the same IDs, from a folder or from an archive. A run over some of the files
//! only may imply other steps than the run over all of them, so whoever applies the steps of a line
//! looks for its last ID first, and leaves them all out if the log knows it.
//!
//! **Invariant:** whoever speaks, joins or takes a new name bears the nick that the line gives her.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::Arc,
};

use super::{
    Step, Summary,
    clock::Clock,
    line::{self, Line, Parsed},
    people::{People, UserIndex},
    scene::Scene,
    source::LogFile,
    text::decode,
};

/// Most lines without a time that wait for the first line that states one.
const WAITING_MAX: usize = 10_000;

/// What users may choose.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Stands in front of each localpart, to keep imported users apart from others.
    pub user_prefix: String,
}

/// Turns the lines of log files, one after the other, into steps.
#[derive(Debug)]
pub struct Replay {
    pub(super) people: People,
    pub(super) rooms: HashMap<Arc<str>, Room>,
    file: Option<OpenFile>,
    pub(super) summary: Summary,
}

#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) members: HashSet<UserIndex>,
    pub(super) topic: Option<String>,
}

#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) name: Arc<str>,
    pub(super) channel: Arc<str>,
    /// What the IDs of all its lines start with.
    pub(super) identity: String,
    pub(super) clock: Clock,
    waiting: Vec<(u64, Vec<u8>)>,
}

impl Replay {
    /// Nothing read yet.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self {
            people: People::new(&options.user_prefix),
            rooms: HashMap::new(),
            file: None,
            summary: Summary::default(),
        }
    }

    /// Begins a file about `channel`. [`Self::end`] the one before first.
    pub fn begin(&mut self, file: &LogFile, channel: &str) {
        self.people.begin_file();
        self.summary.add_file();
        let base_name = file.name.rsplit(['/', '!']).next().unwrap_or_default();
        let channel = channel.to_lowercase();
        self.file = Some(OpenFile {
            name: file.name.clone(),
            identity: format!("{channel} {} {base_name}", file.date),
            channel: channel.into(),
            clock: Clock::new(file.date),
            waiting: Vec::new(),
        });
    }

    /// Reads the next line of the file. Gives its steps, behind those of lines that waited for it.
    ///
    /// # Panics
    /// Without a file that was begun.
    pub fn line(&mut self, number: u64, bytes: &[u8]) -> Vec<Step> {
        let mut file = self.file.take().expect("a line belongs to a file that was begun");
        let text = decode(bytes);
        let text = if number == 1 { text.trim_start_matches('\u{feff}') } else { &text };
        let parsed = line::parse(text);
        let mut steps = Vec::new();
        if let Some(time) = parsed.time {
            file.clock.set(time);
            self.flush(&mut file, &mut steps);
        }
        if parsed.happens() && !file.clock.is_set() && file.waiting.len() < WAITING_MAX {
            file.waiting.push((number, bytes.to_vec()));
        } else {
            self.flush_if_full(&mut file, &mut steps);
            self.apply(&mut file, number, bytes, parsed, &mut steps);
        }
        self.file = Some(file);
        steps
    }

    /// Ends the file: gives the steps of lines that waited for a time.
    pub fn end(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(mut file) = self.file.take() {
            self.flush(&mut file, &mut steps);
        }
        steps
    }

    /// What became of the lines so far.
    #[must_use]
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The summary, to note what was refused or left out.
    pub const fn summary_mut(&mut self) -> &mut Summary {
        &mut self.summary
    }

    fn flush_if_full(&mut self, file: &mut OpenFile, steps: &mut Vec<Step>) {
        if file.waiting.len() >= WAITING_MAX {
            self.flush(file, steps);
        }
    }

    fn flush(&mut self, file: &mut OpenFile, steps: &mut Vec<Step>) {
        for (number, bytes) in mem::take(&mut file.waiting) {
            let text = decode(&bytes);
            let text = if number == 1 { text.trim_start_matches('\u{feff}') } else { &text };
            self.apply(file, number, &bytes, line::parse(text), steps);
        }
    }

    fn apply(
        &mut self,
        file: &mut OpenFile,
        number: u64,
        bytes: &[u8],
        parsed: Parsed<'_>,
        steps: &mut Vec<Step>,
    ) {
        let mut scene = Scene { replay: self, file, number, bytes, steps };
        let category = scene.play(parsed.what);
        if let Some(category) = category {
            self.summary.add(category);
        }
    }
}

impl Parsed<'_> {
    /// Whether the line is about something that happened at some time.
    const fn happens(&self) -> bool {
        !matches!(self.what, Line::Aside(_) | Line::Empty | Line::Unreadable(_))
    }
}
