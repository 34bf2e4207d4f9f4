//! A consumer against a model: random cuts, kills of the server, takeovers, resets, parks and redactions.
//!
//! **Invariant:** batches continue where the last one ended, and leave out nothing but parked events. A batch that comes again
//! is the same one. Nothing comes again after it was acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use rookery_log::Rounds;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use super::client::{Consuming, acknowledge, acknowledge_batch, parking, reset};
use crate::{
    client::{Client, two},
    resume::Random,
    server::Server,
};

const NAME: &str = "model";
/// Runs, unless `cargo xtask torture` says otherwise.
const RUNS: u64 = 3;
const STEPS: usize = 80;
const OUTSTANDING_MAX: usize = 2;
/// Batches come again on a new connection alone, however slow the machine is.
const SETTINGS: [&str; 2] = ["--limits-consumer-silence", "1h"];

/// An event of the room, in order.
struct Event {
    id: String,
    /// The server's position after it.
    after: Value,
    is_message: bool,
}

/// A batch that came and was not acknowledged.
struct Batch {
    value: Value,
    /// The events between its boundaries, by index; none for the batch of a retried event.
    events: std::ops::Range<usize>,
    /// The event that came again, by index.
    retried: Option<usize>,
}

struct Model {
    _data: TempDir,
    server: Option<Server>,
    alice: Client,
    bob: Client,
    room: String,
    random: Random,
    /// The position before the first event.
    start: Value,
    events: Vec<Event>,
    redacted: BTreeSet<usize>,
    connection: Option<Consuming>,
    /// The outstanding batches that came, in order.
    outstanding: Vec<Batch>,
    /// How many of them this connection has brought.
    brought: usize,
    /// The IDs of batches that were acknowledged while they may have been on their way on this connection.
    on_their_way: BTreeSet<String>,
    /// How much was redacted when this connection began.
    clean: BTreeSet<usize>,
    /// The next event that has come in no batch.
    next: usize,
    /// Everything before it is acknowledged.
    acknowledged: usize,
    /// Parked events, and whether they are to come again.
    parked: BTreeMap<usize, bool>,
    settled: BTreeSet<usize>,
    done: Vec<String>,
}

#[test]
fn a_consumer_is_what_the_model_says() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in Rounds::of(RUNS, 0xc0_5eed) {
        println!("seed {seed}");
        let mut model = Model::new(seed.max(1));
        for _ in 0..STEPS {
            *seen.entry(model.step()).or_default() += 1;
        }
        model.drain();
    }
    for step in [
        "say",
        "read",
        "again",
        "acknowledge",
        "cut",
        "takeover",
        "kill",
        "reset",
        "park",
        "retry",
        "discard",
        "redact",
    ] {
        assert!(seen.get(step).is_some_and(|times| *times > 0), "no {step}: {seen:?}");
    }
}

impl Model {
    fn new(seed: u64) -> Self {
        let data = tempdir().unwrap();
        let server = Server::start_with(data.path(), &SETTINGS);
        let (alice, bob, room) = two(&server);
        let mut consuming = Consuming::with(&bob, &json!({ "name": NAME }));
        consuming.next().expect("it is made");
        drop(consuming);
        let start = json!(bob.position());
        reset(&bob, NAME, &json!({ "position": start }));
        Self {
            _data: data,
            server: Some(server),
            alice,
            bob,
            room,
            random: Random(seed),
            start,
            events: Vec::new(),
            redacted: BTreeSet::new(),
            connection: None,
            outstanding: Vec::new(),
            brought: 0,
            on_their_way: BTreeSet::new(),
            clean: BTreeSet::new(),
            next: 0,
            acknowledged: 0,
            parked: BTreeMap::new(),
            settled: BTreeSet::new(),
            done: Vec::new(),
        }
    }

    fn step(&mut self) -> &'static str {
        let step = match self.random.below(24) {
            0..5 => self.say(),
            5..11 => self.read(),
            11..15 => self.acknowledge(),
            15 => self.connect("cut"),
            16 => self.connect("takeover"),
            17 => self.kill(),
            18 => self.reset(),
            19..21 => self.park(),
            21 => self.retry(),
            22 => self.discard(),
            _ => self.redact(),
        };
        self.done.push(format!("{step} next {} of {}", self.next, self.events.len()));
        step
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.below(bound as u64)).unwrap()
    }

    fn add(&mut self, id: String, is_message: bool) {
        let after = json!(self.alice.position());
        self.events.push(Event { id, after, is_message });
    }

    fn say(&mut self) -> &'static str {
        for _ in 0..=self.below(4) {
            let id = self.alice.say(&self.room, "text");
            self.add(id, true);
        }
        "say"
    }

    fn redact(&mut self) -> &'static str {
        let is_left =
            |index: &usize| self.events[*index].is_message && !self.redacted.contains(index);
        let left: Vec<usize> = (0..self.events.len()).filter(is_left).collect();
        if left.is_empty() {
            return "nothing";
        }
        let index = left[self.below(left.len())];
        let input = json!({ "roomId": self.room, "eventId": self.events[index].id });
        let payload = self.alice.act("redactEvent", input);
        let id = payload["event"]["eventId"].as_str().expect("it is redacted").to_owned();
        self.add(id, false);
        self.redacted.insert(index);
        "redact"
    }

    fn connect(&mut self, why: &'static str) -> &'static str {
        let max = 1 + self.below(5);
        // A connection that the server does not know yet could take the consumer from the next one.
        let taken = self.connection.take_if(|old| why == "takeover" && old.has_begun());
        self.disconnect();
        self.connection = Some(Consuming::start(&self.bob, NAME, max));
        self.clean = self.redacted.clone();
        if let Some(mut old) = taken {
            while old.next().is_ok() {}
        }
        why
    }

    fn disconnect(&mut self) {
        if let Some(old) = self.connection.take() {
            old.end();
        }
        self.brought = 0;
        self.on_their_way.clear();
    }

    fn kill(&mut self) -> &'static str {
        let folder = self.server.take().expect("it runs").kill();
        let server = Server::start_with(&folder, &SETTINGS);
        (self.alice, self.bob) = (self.alice.at(&server), self.bob.at(&server));
        self.server = Some(server);
        self.connection = None;
        "kill"
    }

    /// Whether a batch has to come.
    fn is_due(&self) -> bool {
        let has_retry = self.parked.iter().any(|(event, retried)| *retried && !self.is_out(*event));
        self.brought < self.outstanding.len()
            || self.outstanding.len() < OUTSTANDING_MAX
                && (self.next < self.events.len() || has_retry)
    }

    /// Whether the retried event is in an outstanding batch.
    fn is_out(&self, event: usize) -> bool {
        self.outstanding.iter().any(|batch| batch.retried == Some(event))
    }

    fn read(&mut self) -> &'static str {
        if self.connection.is_none() {
            self.connect("cut");
        }
        if !self.is_due() {
            return "nothing";
        }
        let connection = self.connection.as_mut().expect("it is connected");
        let chunk = loop {
            let chunk = connection.batch();
            if !self.on_their_way.remove(chunk["batch"].as_str().expect("an ID")) {
                break chunk;
            }
        };
        let ids: Vec<String> = chunk["events"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|event| event["eventId"].as_str().map(ToOwned::to_owned))
            .collect();
        if self.brought < self.outstanding.len() {
            self.check_again(&chunk, &ids);
            self.brought += 1;
            return "again";
        }
        let batch = self.new_batch(chunk, &ids);
        self.outstanding.push(batch);
        self.brought += 1;
        "read"
    }

    /// A batch that was not acknowledged has to be the same one.
    fn check_again(&self, chunk: &Value, ids: &[String]) {
        let batch = &self.outstanding[self.brought];
        for field in ["batch", "position"] {
            assert_eq!(chunk[field], batch.value[field], "{field}: {:#?}", self.done);
        }
        let expected = self.expected(batch);
        let indexes: Vec<usize> = ids.iter().map(|id| self.index(id)).collect();
        // A batch in transit may still have an event that is parked meanwhile.
        let extra = indexes.iter().filter(|index| !expected.contains(index));
        assert!(
            extra.copied().all(|index| self.leaves_out(index)),
            "{indexes:?}: {:#?}",
            self.done
        );
        assert!(
            expected.iter().all(|index| indexes.contains(index)),
            "{indexes:?}: {:#?}",
            self.done
        );
        for (event, index) in chunk["events"].as_array().unwrap().iter().zip(&indexes) {
            let is_clean = !self.clean.contains(index) || event["text"] == Value::Null;
            assert!(is_clean, "redacted content came back: {event}");
        }
    }

    /// A new batch has to continue where the last one ended.
    fn new_batch(&mut self, chunk: Value, ids: &[String]) -> Batch {
        let indexes: Vec<usize> = ids.iter().map(|id| self.index(id)).collect();
        let due = |index: &usize| self.parked.get(index) == Some(&true) && !self.is_out(*index);
        if let [only] = indexes[..]
            && due(&only)
        {
            return Batch { value: chunk, events: 0..0, retried: Some(only) };
        }
        let from = self.next;
        let end = self.events.iter().position(|event| event.after == chunk["position"]);
        let to = match (end, indexes.last()) {
            (Some(end), _) => end + 1,
            // The position is that of a commit between two events.
            (None, Some(last)) => last + 1,
            (None, None) => from,
        };
        let to = to.max(from);
        let expected = (from..to).filter(|index| !self.leaves_out(*index));
        assert_eq!(indexes, expected.collect::<Vec<_>>(), "from {from}: {chunk}: {:#?}", self.done);
        self.next = to;
        Batch { value: chunk, events: from..to, retried: None }
    }

    fn expected(&self, batch: &Batch) -> Vec<usize> {
        let events = batch.events.clone().filter(|index| !self.leaves_out(*index));
        events.chain(batch.retried).collect()
    }

    fn leaves_out(&self, index: usize) -> bool {
        self.parked.contains_key(&index) || self.settled.contains(&index)
    }

    fn index(&self, id: &str) -> usize {
        let found = self.events.iter().position(|event| event.id == id);
        found.unwrap_or_else(|| panic!("an unknown event {id}"))
    }

    fn acknowledge(&mut self) -> &'static str {
        if self.outstanding.is_empty() {
            return "nothing";
        }
        let at = self.below(self.outstanding.len());
        if let Some(event) = self.outstanding[at].retried {
            acknowledge_batch(&self.bob, NAME, &self.outstanding[at].value).expect("it is out");
            self.parked.remove(&event);
            if event >= self.acknowledged {
                self.settled.insert(event);
            }
            self.remove(|_, batch| batch.retried == Some(event));
            return "acknowledge";
        }
        let batch = &self.outstanding[at];
        let (position, end) = (batch.value["position"].clone(), batch.events.end);
        acknowledge(&self.bob, NAME, &position);
        self.remove(|index, batch| batch.retried.is_none() && index <= at);
        self.acknowledged = self.acknowledged.max(end);
        let acknowledged = self.acknowledged;
        self.settled.retain(|event| *event >= acknowledged);
        "acknowledge"
    }

    /// Removes outstanding batches.
    fn remove(&mut self, is_gone: impl Fn(usize, &Batch) -> bool) {
        let all = std::mem::take(&mut self.outstanding);
        let brought = self.brought;
        for (index, batch) in all.into_iter().enumerate() {
            if !is_gone(index, &batch) {
                self.outstanding.push(batch);
            } else if index < brought {
                self.brought -= 1;
            } else {
                let id = batch.value["batch"].as_str().expect("an ID");
                self.on_their_way.insert(id.to_owned());
            }
        }
    }

    fn reset(&mut self) -> &'static str {
        let to = self.below(self.events.len() + 1);
        let position = match to.checked_sub(1) {
            Some(last) => self.events[last].after.clone(),
            None => self.start.clone(),
        };
        reset(&self.bob, NAME, &json!({ "position": position }));
        (self.next, self.acknowledged) = (to, to);
        self.outstanding.clear();
        self.settled.clear();
        // Batches from before the reset may be on their way on this connection.
        self.disconnect();
        "reset"
    }

    fn park(&mut self) -> &'static str {
        let mut choice: Vec<usize> = Vec::new();
        for batch in &self.outstanding {
            choice.extend(self.expected(batch));
        }
        if choice.is_empty() {
            return "nothing";
        }
        let event = choice[self.below(choice.len())];
        let id = json!(self.events[event].id);
        assert_eq!(
            parking(&self.bob, "park", NAME, &id, Some("a reason")),
            Ok(()),
            "{:#?}",
            self.done
        );
        self.parked.insert(event, false);
        self.remove(|_, batch| batch.retried == Some(event));
        "park"
    }

    fn parked_one(&mut self) -> Option<usize> {
        let all: Vec<usize> = self.parked.keys().copied().collect();
        let count = all.len();
        (count > 0).then(|| all[self.below(count)])
    }

    fn retry(&mut self) -> &'static str {
        let Some(event) = self.parked_one() else { return "nothing" };
        let id = json!(self.events[event].id);
        assert_eq!(parking(&self.bob, "retryParked", NAME, &id, None), Ok(()));
        self.parked.insert(event, true);
        "retry"
    }

    fn discard(&mut self) -> &'static str {
        let Some(event) = self.parked_one() else { return "nothing" };
        let id = json!(self.events[event].id);
        assert_eq!(parking(&self.bob, "discardParked", NAME, &id, None), Ok(()));
        self.parked.remove(&event);
        if event >= self.acknowledged {
            self.settled.insert(event);
        }
        self.remove(|_, batch| batch.retried == Some(event));
        // The batch may be on its way on this connection.
        self.disconnect();
        "discard"
    }

    /// Reads and acknowledges everything that is left.
    fn drain(&mut self) {
        self.connect("takeover");
        while self.is_due() || !self.outstanding.is_empty() {
            if self.is_due() {
                self.read();
            } else {
                self.acknowledge();
            }
        }
        assert_eq!(self.next, self.events.len());
        let left: Vec<_> = self.parked.values().filter(|retried| **retried).collect();
        assert!(left.is_empty(), "retried events came");
    }
}
