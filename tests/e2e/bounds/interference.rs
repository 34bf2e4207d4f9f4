//! One user misbehaves, and another user's resume, query, send and live delivery stay as fast.
//!
//! The tests compare times within one run, with and without the misbehaving user. A measure counts as worse if it is worse
//! three times in a row, since a single time may come from the machine.

mod misbehaviour;
mod victim;

use std::{collections::BTreeSet, num::NonZeroUsize, sync::Mutex, thread};

use rookery_log::Rounds;
use serde_json::json;
use tempfile::tempdir;

use self::{
    misbehaviour::Misbehaviour,
    victim::{Times, Victim},
};
use crate::{client::Client, server::Server};

/// The tests run one after the other: each would be the other's interference.
static ALONE: Mutex<()> = Mutex::new(());

/// Messages sent before the measurement.
const MESSAGES: usize = 800;

/// Length of each of them, in bytes.
const BODY_BYTES: usize = 1_500;

/// Number of repetitions that have to be worse.
const TRIES: usize = 3;

/// The server and the users of a test.
struct Fixture {
    _data: tempfile::TempDir,
    server: Server,
    /// A user who sends a message now and then.
    ann: Client,
    /// The user who misbehaves.
    eve: Client,
    /// More such users, for misbehaviours that need many.
    eves: Vec<Client>,
    bob: Client,
    room: String,
    /// The position of `bob` and `eve` before all messages.
    start: String,
    /// Cursors all over the timeline.
    cursors: Vec<String>,
}

/// Accounts that together have all the memory for answers.
const EVES: usize = 8;

/// A few long answers take all the available memory.
const LITTLE_ROOM: [&str; 4] = ["--limits-answer", "320KiB", "--limits-answers", "2560KiB"];

impl Fixture {
    fn new(limits: &[&str]) -> Self {
        let data = tempdir().unwrap();
        let arguments = [&["--limits-rate", "none"], limits].concat();
        let server = Server::start_with(data.path(), &arguments);
        let [ann, bob, eve] = ["ann", "bob", "eve"].map(|name| Client::register(&server, name));
        let room = ann.create_room(json!({ "preset": "PUBLIC" }));
        for user in [&bob, &eve] {
            user.act("joinRoom", json!({ "room": { "roomId": room } }));
        }
        let eves: Vec<_> =
            (0..EVES).map(|number| Client::register(&server, &format!("eve{number}"))).collect();
        for user in &eves {
            user.act("joinRoom", json!({ "room": { "roomId": room } }));
        }
        let start = bob.position();
        ann.say_many(&room, &"x".repeat(BODY_BYTES), MESSAGES);
        // The following reads also come from files.
        assert!(server.stop().success());
        let server = Server::start_with(data.path(), &arguments);
        let [ann, bob, eve] = [ann, bob, eve].map(|user| user.at(&server));
        let eves = eves.iter().map(|user| user.at(&server)).collect();
        let cursors = cursors(&ann, &room);
        Self { _data: data, server, ann, eve, eves, bob, room, start, cursors }
    }

    /// Fails if another user notices `misbehaviour` each time.
    fn compare(&self, misbehaviour: Misbehaviour) {
        for seed in Rounds::of(1, 0x1f) {
            let mut worse: Option<BTreeSet<&str>> = None;
            let mut seen = String::new();
            for _ in 0..TRIES {
                let mut victim = Victim::new(self, seed);
                let quiet = victim.measure();
                let misbehaving = misbehaviour.begin(self, seed);
                let disturbed = victim.measure();
                drop(misbehaving);
                seen += &format!("\nquiet     {quiet}\ndisturbed {disturbed}");
                let mut found = Times::worse(&quiet, &disturbed);
                if !found.is_empty() {
                    // Other programs may have slowed the machine down since the first measurement.
                    let again = victim.measure();
                    seen += &format!("\nquiet     {again}");
                    let still = Times::worse(&again, &disturbed);
                    found.retain(|measure| still.contains(measure));
                }
                let so_far = worse.get_or_insert_with(|| found.clone());
                so_far.retain(|measure| found.contains(measure));
                if so_far.is_empty() {
                    break;
                }
            }
            let worse = worse.unwrap_or_default();
            assert!(worse.is_empty(), "seed {seed}: {misbehaviour:?} delays {worse:?}:{seen}");
        }
        assert!(self.server.logged("panicked").is_empty(), "{:?}", self.server.logged("panicked"));
    }
}

fn cursors(user: &Client, room: &str) -> Vec<String> {
    let document = "query($room: RoomID!, $before: Cursor) { room(by: { roomId: $room }) {
        timeline(last: 100, before: $before) { edges { cursor } pageInfo { hasPreviousPage startCursor } } } }";
    let (mut all, mut before) = (Vec::new(), json!(null));
    loop {
        let answer = user.run(document, &json!({ "room": room, "before": before }));
        let page = &answer["room"]["timeline"];
        let cursors = page["edges"].as_array().unwrap().iter().map(|edge| &edge["cursor"]);
        all.extend(cursors.map(|cursor| cursor.as_str().unwrap().to_owned()));
        if page["pageInfo"]["hasPreviousPage"] == json!(false) {
            return all;
        }
        before = page["pageInfo"]["startCursor"].clone();
    }
}

fn nobody_else_feels(misbehaviour: Misbehaviour) {
    nobody_else_feels_with(&[], misbehaviour);
}

/// One processor is shared with the clients of the test, so it delays the victim whatever the server does.
const PROCESSORS_MIN: usize = 2;

fn nobody_else_feels_with(limits: &[&str], misbehaviour: Misbehaviour) {
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    if processors < PROCESSORS_MIN {
        eprintln!(
            "skipped: a comparison of latencies needs {PROCESSORS_MIN} processors, here is {processors}"
        );
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Fixture::new(limits).compare(misbehaviour);
}

#[test]
fn nobody_else_feels_sockets_that_do_not_read() {
    nobody_else_feels(Misbehaviour::Stalls);
}

#[test]
fn nobody_else_feels_sockets_that_read_a_little_now_and_then() {
    nobody_else_feels(Misbehaviour::Trickles);
}

#[test]
fn nobody_else_feels_a_client_that_comes_back_all_the_time() {
    nobody_else_feels(Misbehaviour::Reconnects);
}

#[test]
fn nobody_else_feels_as_many_subscriptions_as_there_may_be() {
    nobody_else_feels(Misbehaviour::SubscribesToTheMost);
}

#[test]
fn nobody_else_feels_the_most_costly_queries() {
    nobody_else_feels(Misbehaviour::AsksForTheMost);
}

#[test]
fn nobody_else_feels_requests_whose_answers_are_not_read() {
    nobody_else_feels(Misbehaviour::TakesNoAnswers);
}

#[test]
fn nobody_else_feels_consumers_that_read_everything_again_or_never_acknowledge() {
    nobody_else_feels(Misbehaviour::Consumes);
}

#[test]
fn nobody_else_feels_eight_accounts_that_hardly_read_their_long_answers() {
    nobody_else_feels_with(&LITTLE_ROOM, Misbehaviour::LeavesLongAnswers);
}

#[test]
fn nobody_else_feels_webhooks_whose_receivers_never_answer() {
    nobody_else_feels_with(&["--outgoing-allow", "127.0.0.1"], Misbehaviour::HangsWebhooks);
}
