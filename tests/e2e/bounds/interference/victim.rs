//! A user with typical operations and a stopwatch.

use std::{
    collections::BTreeSet,
    fmt,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{Fixture, MESSAGES};
use crate::client::Follower;

/// Number of repetitions of each operation.
const RESUMES: usize = 4;
const QUERIES: usize = 40;
const SENDS: usize = 40;

/// Smaller differences come from the machine: server, users and other programs share two processors.
const NOISE: Duration = Duration::from_millis(25);

/// The same for a resume, which has many steps.
const RESUME_NOISE: Duration = Duration::from_millis(100);

/// Longest wait for a resume: a longer one has failed anyway.
const HOPELESS: Duration = Duration::from_secs(4);

/// The page for scrolling: long enough to need memory among all answers.
const PAGE: &str = "query($room: RoomID!, $before: Cursor) { room(by: { roomId: $room }) {
    timeline(last: 60, before: $before) { nodes { eventId text } } } }";

pub(super) struct Victim<'a> {
    fixture: &'a Fixture,
    live: Follower,
    chance: u64,
}

/// The durations of operations.
#[derive(Default)]
pub(super) struct Times {
    resume: Vec<Duration>,
    query: Vec<Duration>,
    send: Vec<Duration>,
    live: Vec<Duration>,
}

impl<'a> Victim<'a> {
    pub(super) fn new(fixture: &'a Fixture, seed: u64) -> Self {
        Self { fixture, live: fixture.bob.follow(None), chance: seed | 1 }
    }

    pub(super) fn measure(&mut self) -> Times {
        let mut times = Times::default();
        // Once for each at least, in any case.
        let (send, live) = self.send();
        (times.query, times.send, times.live) = (vec![self.query()], vec![send], vec![live]);
        for _ in 0..RESUMES {
            times.resume.push(self.resume());
            if times.resume.last() > Some(&HOPELESS) {
                break;
            }
            for _ in 0..QUERIES / RESUMES {
                times.query.push(self.query());
            }
            for _ in 0..SENDS / RESUMES {
                let (send, live) = self.send();
                times.send.push(send);
                times.live.push(live);
            }
        }
        times
    }

    /// From the connection to the last missed event.
    fn resume(&self) -> Duration {
        let began = Instant::now();
        let mut stream = self.fixture.bob.follow(Some(&self.fixture.start));
        for _ in 0..MESSAGES {
            stream.item();
            if began.elapsed() > HOPELESS {
                break;
            }
        }
        began.elapsed()
    }

    fn query(&mut self) -> Duration {
        let Fixture { bob, room, cursors, .. } = self.fixture;
        let before = &cursors[self.chance(cursors.len())];
        let began = Instant::now();
        bob.run(PAGE, &json!({ "room": room, "before": before }));
        began.elapsed()
    }

    /// Until the sender has the answer, and until another user has the event.
    fn send(&mut self) -> (Duration, Duration) {
        let Fixture { ann, room, .. } = self.fixture;
        let began = Instant::now();
        let said = ann.say(room, "hello");
        let send = began.elapsed();
        self.live.until(|item| item["eventId"] == said.as_str());
        (send, began.elapsed())
    }

    fn chance(&mut self, below: usize) -> usize {
        chance(&mut self.chance, below)
    }
}

/// A number below `below`. Source: Marsaglia, "Xorshift RNGs".
pub(super) fn chance(state: &mut u64, below: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % below as u64).unwrap()
}

impl Times {
    fn all(&self) -> [(&'static str, &[Duration]); 4] {
        [
            ("resume", &self.resume),
            ("query", &self.query),
            ("send", &self.send),
            ("live delivery", &self.live),
        ]
    }

    /// The operations that took more than twice as long.
    pub(super) fn worse(quiet: &Self, disturbed: &Self) -> BTreeSet<&'static str> {
        let both = quiet.all().into_iter().zip(disturbed.all());
        let worse = both.filter(|((measure, quiet), (_, disturbed))| {
            let noise = if *measure == "resume" { RESUME_NOISE } else { NOISE };
            p99(disturbed) > 2 * p99(quiet).max(noise)
        });
        worse.map(|((measure, _), _)| measure).collect()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (measure, times) in self.all() {
            write!(f, " {measure} {:.1} ms", p99(times).as_secs_f64() * 1e3)?;
        }
        Ok(())
    }
}

/// The 99th percentile of times.
fn p99(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[(times.len() * 99).div_ceil(100) - 1]
}

#[test]
fn what_takes_more_than_twice_as_long_is_worse_unless_it_is_noise() {
    let times = |query, send| Times {
        resume: vec![NOISE],
        query: vec![query],
        send: vec![send],
        live: vec![NOISE],
    };
    let ms = Duration::from_millis;
    let found = Times::worse(&times(ms(100), ms(1)), &times(ms(201), ms(49)));
    assert_eq!(found, BTreeSet::from(["query"]));
}
