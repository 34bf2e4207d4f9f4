//! Signals of calls: their receivers, their order and their bounds.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use proptest::{collection::vec, prelude::*};
use rookery_domain::{OwnedUserId, RoomId, UserId};

use super::{
    CALL_BYTES_MAX, CALL_CANDIDATES_MAX, CallDevice, CallParties, CallSide, CallSignalBody,
    CallSignalKind, Calls, IceCandidate, SignalCursor, SignalRefused,
};
use crate::{Audience, Ephemeral, Listening, Now, Reader};

fn user(name: &str) -> OwnedUserId {
    UserId::parse(format!("@{name}:test")).unwrap()
}

fn device(name: &str, device: &str) -> Arc<CallDevice> {
    Arc::new(CallDevice {
        user: user(name),
        device: device.into(),
        party_id: format!("party of {device}").into(),
    })
}

/// Ada calls Bob from her phone.
fn ringing() -> CallParties {
    CallParties {
        room: RoomId::parse("!room:test").unwrap(),
        caller: device("ada", "PHONE"),
        callee: user("bob"),
        answered_by: None,
    }
}

/// Bob answers on this device.
fn answered_on(name: &str) -> CallParties {
    CallParties { answered_by: Some(device("bob", name)), ..ringing() }
}

fn offer(text: &str) -> CallSignalBody {
    CallSignalBody::Offer(text.to_owned())
}

fn answer(text: &str) -> CallSignalBody {
    CallSignalBody::Answer(text.to_owned())
}

fn candidates(texts: &[&str]) -> CallSignalBody {
    let candidate = |text: &&str| IceCandidate {
        candidate: (*text).to_owned(),
        sdp_mid: None,
        sdp_m_line_index: Some(0),
        username_fragment: None,
    };
    CallSignalBody::Candidates(texts.iter().map(candidate).collect())
}

/// Nobody shares a room.
struct Nobody;

impl Audience for Nobody {
    fn of_room(&self, _: &RoomId, _: &Listening<'_>, _: &mut dyn FnMut(&UserId)) {}

    fn of_user(&self, _: &UserId, _: &Listening<'_>, _: &mut dyn FnMut(&UserId)) {}
}

fn ephemeral() -> Ephemeral {
    Ephemeral::new(Nobody, || Now { at: Instant::now(), wall_millis: 1_000 })
}

/// A stream of a device.
struct Stream<'a> {
    ephemeral: &'a Ephemeral,
    of: (OwnedUserId, &'static str),
    reader: Reader,
    cursor: SignalCursor,
    is_first: bool,
}

impl<'a> Stream<'a> {
    fn of(ephemeral: &'a Ephemeral, name: &str, device: &'static str) -> Self {
        let reader = ephemeral.reader(&user(name), Some(device), Arc::default());
        let cursor = SignalCursor::default();
        Self { ephemeral, of: (user(name), device), reader, cursor, is_first: true }
    }

    /// The kinds of the signals since the last call.
    fn take(&mut self) -> Vec<CallSignalKind> {
        let mut calls = self.reader.take().calls;
        if std::mem::take(&mut self.is_first) {
            calls.extend(self.ephemeral.signaling_calls_of(&self.of.0));
        }
        let device = (&*self.of.0, self.of.1);
        let taken = self.cursor.take(self.ephemeral, device, calls);
        taken.into_iter().map(|(_, signal)| signal.kind).collect()
    }
}

use CallSide::{Callee, Caller};
use CallSignalKind::{Answer, Candidates, Offer, Renegotiation};

const NONE: [CallSignalKind; 0] = [];

#[test]
fn all_devices_of_the_callee_hear_an_offer_and_no_other_device_does() {
    let ephemeral = ephemeral();
    let mut laptop = Stream::of(&ephemeral, "bob", "LAPTOP");
    let mut phone = Stream::of(&ephemeral, "bob", "PHONE");
    let mut caller = Stream::of(&ephemeral, "ada", "PHONE");
    let mut stranger = Stream::of(&ephemeral, "eve", "PHONE");
    assert_eq!(laptop.take(), NONE);
    ephemeral.signal("c", &ringing(), Caller, offer("o")).unwrap();
    ephemeral.signal("c", &ringing(), Caller, candidates(&["a"])).unwrap();
    assert_eq!(laptop.take(), [Offer, Candidates]);
    assert_eq!(phone.take(), [Offer, Candidates]);
    assert_eq!(laptop.take(), NONE, "each signal comes once");
    assert_eq!((caller.take(), stranger.take()), (vec![], vec![]));
    let mut late = Stream::of(&ephemeral, "bob", "TABLET");
    assert_eq!(late.take(), [Offer, Candidates], "a device that connects while it rings");
}

#[test]
fn after_the_answer_only_two_devices_hear_each_other() {
    let ephemeral = ephemeral();
    let mut other = Stream::of(&ephemeral, "bob", "LAPTOP");
    let mut own = Stream::of(&ephemeral, "ada", "TABLET");
    ephemeral.signal("c", &ringing(), Caller, offer("o")).unwrap();
    let parties = answered_on("PHONE");
    ephemeral.answered("c", parties.answered_by.as_ref().unwrap());
    assert_eq!(other.take(), NONE, "a device that does not read before the answer");
    ephemeral.signal("c", &parties, Callee, answer("a")).unwrap();
    ephemeral.signal("c", &parties, Callee, candidates(&["b"])).unwrap();
    ephemeral.signal("c", &parties, Caller, candidates(&["a"])).unwrap();
    assert_eq!(Stream::of(&ephemeral, "ada", "PHONE").take(), [Answer, Candidates]);
    assert_eq!(Stream::of(&ephemeral, "bob", "PHONE").take(), [Offer, Candidates]);
    assert_eq!((other.take(), own.take()), (vec![], vec![]));
    assert_eq!(Stream::of(&ephemeral, "bob", "LAPTOP").take(), NONE, "one that connects then");
    // A device that reads nothing gets what holds in the end.
    let mut phone = Stream::of(&ephemeral, "bob", "PHONE");
    for round in 0..1_000 {
        ephemeral.signal("c", &parties, Caller, offer(&round.to_string())).unwrap();
        ephemeral.signal("c", &parties, Caller, candidates(&["a"])).unwrap();
    }
    assert_eq!(phone.take(), [Renegotiation, Candidates]);
}

#[test]
fn numbers_grow_and_a_retry_says_nothing_new() {
    let ephemeral = ephemeral();
    let parties = answered_on("PHONE");
    for _ in 0..3 {
        ephemeral.signal("c", &parties, Caller, offer("o")).unwrap();
        ephemeral.signal("c", &parties, Caller, candidates(&["a"])).unwrap();
        ephemeral.signal("c", &parties, Caller, candidates(&["b"])).unwrap();
    }
    let phone = user("bob");
    let signals = ephemeral.signals("c", (&phone, "PHONE"), 0).unwrap();
    let numbers: Vec<_> = signals.iter().map(|signal| signal.number).collect();
    assert_eq!(numbers, [1_000, 1_001, 1_002]);
    let last = ephemeral.signals("c", (&phone, "PHONE"), 1_001).unwrap();
    assert_eq!(last.len(), 1);
    assert_eq!(*last[0].sender.party_id, *"party of PHONE");
}

#[test]
fn a_call_holds_no_more_than_its_bounds() {
    let ephemeral = ephemeral();
    let parties = answered_on("PHONE");
    let say = |side, body| ephemeral.signal("c", &parties, side, body);
    let half = "o".repeat(CALL_BYTES_MAX / 2);
    say(Caller, offer(&half)).unwrap();
    say(Callee, answer(&half)).unwrap();
    let bytes = CALL_BYTES_MAX + 1;
    assert_eq!(say(Callee, candidates(&["c"])), Err(SignalRefused::TooLarge { bytes }));
    // Another description replaces the one before it.
    say(Callee, offer("short")).unwrap();
    let many = |count| (0..count).map(|number| number.to_string()).collect::<Vec<_>>();
    for text in many(CALL_CANDIDATES_MAX) {
        say(Callee, candidates(&[&text])).unwrap();
    }
    let too_many = Err(SignalRefused::TooManyCandidates { candidates: CALL_CANDIDATES_MAX + 1 });
    assert_eq!(say(Caller, candidates(&["one more"])), too_many);
    assert_eq!(say(Callee, candidates(&["7"])), Ok(()), "a retry");
    say(Callee, answer("again")).unwrap();
    say(Caller, candidates(&["one more"])).unwrap();
    let large = offer(&"o".repeat(bytes));
    let refused = Err(SignalRefused::TooLarge { bytes });
    assert_eq!(ephemeral.check_signal(None, Caller, &large), refused);
}

#[test]
fn the_calls_of_all_users_hold_no_more_than_their_bound() {
    let mut calls = Calls::default();
    let large = offer(&"o".repeat(CALL_BYTES_MAX));
    let mut number = 0;
    let refused = loop {
        match calls.say(&number.to_string(), &ringing(), Caller, large.clone(), 0) {
            Ok(_) => number += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, SignalRefused::Full);
    assert!(calls.len_bytes() <= super::ALL_CALLS_BYTES_MAX && number > 1_000, "{number}");
    assert_eq!(calls.check(None, Caller, &large), Err(SignalRefused::Full));
    calls.end("0");
    assert_eq!(calls.check(None, Caller, &large), Ok(()));
}

#[test]
fn a_call_that_ends_leaves_nothing_for_those_who_did_not_read() {
    let ephemeral = ephemeral();
    let mut stream = Stream::of(&ephemeral, "bob", "PHONE");
    stream.take();
    ephemeral.signal("c", &ringing(), Caller, offer("o")).unwrap();
    ephemeral.end_call("c");
    assert_eq!(stream.take(), NONE);
    assert!(!ephemeral.somebody_calls());
    assert_eq!(ephemeral.signaling_calls(), []);
    // Another call has other signals.
    ephemeral.signal("d", &ringing(), Caller, offer("o")).unwrap();
    assert_eq!(stream.take(), [Offer]);
}

#[test]
fn the_signals_of_a_device_end_with_its_session() {
    let ephemeral = ephemeral();
    let parties = answered_on("PHONE");
    ephemeral.signal("c", &parties, Caller, offer("o")).unwrap();
    ephemeral.logged_out(&user("bob"), "LAPTOP");
    ephemeral.logged_out(&user("ada"), "TABLET");
    assert!(ephemeral.somebody_calls(), "other devices have no part in it");
    ephemeral.logged_out(&user("bob"), "PHONE");
    assert!(!ephemeral.somebody_calls());
    ephemeral.signal("c", &parties, Caller, offer("o")).unwrap();
    ephemeral.logged_out(&user("ada"), "PHONE");
    assert!(!ephemeral.somebody_calls());
}

#[tokio::test]
async fn only_the_devices_that_a_signal_is_for_wake_up() {
    let ephemeral = ephemeral();
    let laptop = ephemeral.reader(&user("bob"), Some("LAPTOP"), Arc::default());
    let phone = ephemeral.reader(&user("bob"), Some("PHONE"), Arc::default());
    let caller = ephemeral.reader(&user("ada"), Some("PHONE"), Arc::default());
    ephemeral.signal("c", &ringing(), Caller, offer("o")).unwrap();
    laptop.changed().await;
    phone.changed().await;
    assert_eq!(laptop.take().calls, ["c".into()].into());
    assert_eq!(phone.take().calls, ["c".into()].into());
    let parties = answered_on("PHONE");
    ephemeral.signal("c", &parties, Callee, answer("a")).unwrap();
    caller.changed().await;
    ephemeral.signal("c", &parties, Caller, candidates(&["a"])).unwrap();
    phone.changed().await;
    assert!(laptop.take().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Two calls with any signals, answers and ends: the sums and the indexes stay right, and a
    /// device that reads now and then has in the end what a new stream gets.
    #[test]
    fn a_stream_that_pauses_has_what_holds(acts in vec((0usize..2, 0usize..7, 0usize..4), 1..80)) {
        let clock = Arc::new(AtomicU64::new(1));
        let now = Arc::clone(&clock);
        let ephemeral = Ephemeral::new(Nobody, move || {
            Now { at: Instant::now(), wall_millis: now.load(Relaxed) }
        });
        let mut cursor = SignalCursor::default();
        let (bob, mut has) = (user("bob"), [Vec::new(), Vec::new()]);
        let mut answered = [false; 2];
        for (call, act, text) in acts {
            let (id, text) = (["c", "d"][call], ["a", "b", "c", "d"][text]);
            let parties = if answered[call] { answered_on("PHONE") } else { ringing() };
            let said = match act {
                0 => Some((Caller, offer(text))),
                1 | 2 => Some((Caller, candidates(&[text]))),
                3 if answered[call] => Some((Callee, answer(text))),
                3 => {
                    answered[call] = true;
                    ephemeral.answered(id, &device("bob", "PHONE"));
                    None
                }
                4 => {
                    ephemeral.end_call(id);
                    // A call never has the ID of an earlier one; here, the clock tells them apart.
                    clock.fetch_add(1_000, Relaxed);
                    (answered[call], has[call]) = (false, Vec::new());
                    None
                }
                5 => {
                    let calls = ["c".into(), "d".into()];
                    for (call, signal) in cursor.take(&ephemeral, (&bob, "PHONE"), calls) {
                        has[usize::from(*call == *"d")].push(signal);
                    }
                    None
                }
                _ => {
                    clock.fetch_add(10, Relaxed);
                    None
                }
            };
            if let Some((side, body)) = said {
                ephemeral.signal(id, &parties, side, body).unwrap();
            }
            ephemeral.inner.calls.lock().len_bytes();
        }
        for (call, signal) in cursor.take(&ephemeral, (&bob, "PHONE"), ["c".into(), "d".into()]) {
            has[usize::from(*call == *"d")].push(signal);
        }
        for (id, has) in ["c", "d"].into_iter().zip(has) {
            let holds = ephemeral.signals(id, (&bob, "PHONE"), 0).unwrap_or_default();
            prop_assert!(holds.iter().all(|signal| has.contains(signal)), "{holds:?} {has:?}");
            prop_assert!(has.is_sorted_by(|one, next| one.number < next.number));
        }
    }
}
