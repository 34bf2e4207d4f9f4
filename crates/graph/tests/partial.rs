//! Graphs that lack a part of the history.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use rookery_domain::{
    Context, CreateRoom, Envelope, EventStatus, MilliSecondsSinceUnixEpoch, Origin, OwnedEventId,
    OwnedServerName, Pdu, Preset, Profile, Room, RoomCommand, RoomEvent, RoomVersionId, ServerName,
    UserId,
};
use rookery_graph::{Graph, Stated, Verdict};

const ANN: &str = "@ann:a.example";

fn origin() -> Origin {
    Origin::Server(OwnedServerName::try_from("a.example").unwrap())
}

fn context(now: u32) -> Context<'static> {
    Context {
        sender: <&UserId>::try_from(ANN).unwrap(),
        device: None,
        now: MilliSecondsSinceUnixEpoch(now.into()),
        server_name: <&ServerName>::try_from("a.example").unwrap(),
        events: &[],
    }
}

/// A room with all its events, and their graph.
struct Whole {
    room: Room,
    graph: Graph,
    events: Vec<Arc<Pdu>>,
}

impl Whole {
    fn new(version: RoomVersionId) -> Self {
        let create =
            CreateRoom { version: Some(version), preset: Preset::Public, ..CreateRoom::default() };
        let (room, events) =
            Room::create(&create, &Profile::default(), "nonce", &context(1)).unwrap();
        let mut whole = Self { room, graph: Graph::default(), events: Vec::new() };
        for pdu in events {
            whole.take(pdu);
        }
        whole
    }

    fn take(&mut self, pdu: Arc<Pdu>) {
        let verdict = self.graph.receive(&pdu, origin(), false);
        assert!(matches!(verdict, Verdict::Decided(_)), "{verdict:?}");
        self.events.push(pdu);
    }

    fn topic(&mut self, number: u32) -> Arc<Pdu> {
        let command = RoomCommand::SetTopic { topic: number.to_string() };
        let made = self.room.decide(&command, &Profile::default(), &context(10 + number));
        let pdu = made.unwrap().remove(0);
        self.room.evolve(&RoomEvent::new(Envelope::local(None, None), Arc::clone(&pdu)));
        self.take(Arc::clone(&pdu));
        pdu
    }

    fn event(&self, id: &OwnedEventId) -> &Arc<Pdu> {
        self.events.iter().find(|pdu| pdu.event_id == *id).unwrap()
    }
}

/// A graph that gets a part of the events, with the events of its log.
#[derive(Default)]
struct Part {
    graph: Graph,
    log: Vec<RoomEvent>,
}

impl Part {
    fn note(&mut self, verdict: Verdict) -> RoomEvent {
        let Verdict::Decided(decided) = verdict else { panic!("{verdict:?}") };
        self.log.push(decided.event.clone());
        decided.event
    }

    /// Gives it an event with the state before it, as a server with all events states it.
    fn state(&mut self, whole: &mut Whole, pdu: &Arc<Pdu>, begins: bool) -> RoomEvent {
        let (holders, chain) = whole.graph.state_before(&pdu.prev_events).unwrap();
        let mut outliers: Vec<_> = holders.iter().chain(&chain).map(|id| whole.event(id)).collect();
        outliers.sort_by_key(|pdu| pdu.depth);
        let outliers: Vec<_> = outliers.into_iter().cloned().collect();
        for outlier in outliers {
            let holds = begins && holders.contains(&outlier.event_id);
            match self.graph.receive_outlier(&outlier, origin(), holds) {
                Verdict::Known(_) => {}
                verdict => {
                    self.note(verdict);
                }
            }
        }
        let stated = Stated { holders: &holders, begins };
        let verdict = self.graph.receive_stated(pdu, origin(), &stated);
        self.note(verdict)
    }

    fn ends(&self) -> (Vec<OwnedEventId>, Vec<OwnedEventId>) {
        (self.graph.leaves().collect(), self.graph.extremities().collect())
    }

    /// The same, folded from the log.
    fn check_fold(&self) {
        let (mut graph, mut room) = (Graph::default(), Room::new(self.log[0].pdu.room_id.clone()));
        for (event, position) in self.log.iter().zip(1..) {
            graph.fold(event, position, 0);
            room.evolve(event);
        }
        assert_eq!(graph.state(), self.graph.state());
        let folded = Part { graph, log: Vec::new() };
        assert_eq!(folded.ends(), self.ends());
        assert_eq!(room.forward_extremities(), self.ends().1);
        let sorted = |mut ids: Vec<OwnedEventId>| {
            ids.sort_unstable();
            ids
        };
        assert_eq!(sorted(room.leaves().to_vec()), sorted(self.ends().0));
    }
}

#[test]
fn a_room_begins_with_a_stated_state() {
    for version in [RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12] {
        let mut whole = Whole::new(version);
        (0..4).for_each(|number| drop(whole.topic(number)));
        let (first, next) = (whole.topic(5), whole.topic(6));
        let mut part = Part::default();
        let event = part.state(&mut whole, &first, true);
        assert_eq!(event.envelope.status, EventStatus::Accepted);
        assert_eq!(event.envelope.state, None, "the outliers hold the other slots already");
        let outliers = part.log.len() - 1;
        assert!(part.log[..outliers].iter().all(|it| it.envelope.status == EventStatus::Outlier));
        let verdict = part.graph.receive(&next, origin(), false);
        part.note(verdict);
        assert_eq!(part.graph.state(), whole.graph.state());
        assert_eq!(part.ends(), (vec![next.event_id.clone()], vec![next.event_id.clone()]));
        part.check_fold();
        // The server takes no events from before its first one.
        for id in &first.prev_events {
            let verdict = part.graph.receive(whole.event(id), origin(), false);
            assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
        }
        part.check_fold();
    }
}

#[test]
fn events_of_a_gap_get_their_places_behind_what_follows_them() {
    let mut whole = Whole::new(RoomVersionId::V11);
    let mut part = Part::default();
    for pdu in whole.events.clone() {
        let verdict = part.graph.receive(&pdu, origin(), false);
        part.note(verdict);
    }
    let gap: Vec<_> = (0..3).map(|number| whole.topic(number)).collect();
    let after = whole.topic(9);
    let event = part.state(&mut whole, &after, false);
    assert_eq!(event.envelope.status, EventStatus::Accepted);
    assert_eq!(part.graph.state(), whole.graph.state());
    assert_eq!(part.graph.leaves().count(), 2, "the old end, and the event after the gap");
    part.check_fold();
    // The event after the gap waits for nothing, and the last event of the gap is an outlier.
    assert_eq!(part.graph.status(&gap[2].event_id), Some(EventStatus::Outlier));
    let verdict = part.graph.receive(&gap[2], origin(), false);
    assert!(matches!(verdict, Verdict::Missing(_)), "{verdict:?}");
    for pdu in &gap {
        let verdict = part.graph.receive(pdu, origin(), false);
        let event = part.note(verdict);
        assert_eq!(event.envelope.behind, pdu.event_id == gap[2].event_id);
        part.check_fold();
    }
    assert_eq!(part.graph.state(), whole.graph.state());
    assert_eq!(part.ends(), (vec![after.event_id.clone()], vec![after.event_id.clone()]));
}

#[test]
fn a_stated_state_is_one_state_of_this_room() {
    let mut whole = Whole::new(RoomVersionId::V11);
    let topics: Vec<_> = (0..3).map(|number| whole.topic(number)).collect();
    let mut part = Part::default();
    part.state(&mut whole, &topics[1], true);
    let (holders, _) = whole.graph.state_before(&topics[2].prev_events).unwrap();
    let refused = |part: &mut Part, holders: &[OwnedEventId]| {
        let stated = Stated { holders, begins: false };
        let verdict = part.graph.receive_stated(&topics[2], origin(), &stated);
        assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
    };
    // Two topics.
    let both: Vec<_> = holders.iter().cloned().chain([topics[0].event_id.clone()]).collect();
    refused(&mut part, &both);
    // No create event.
    let create = &whole.events[0].event_id;
    let rest: Vec<_> = holders.iter().filter(|id| *id != create).cloned().collect();
    refused(&mut part, &rest);
    // An event that is not here.
    let unknown: OwnedEventId = "$NOgZIZwD2VX3KAX0eeblevbnzpftZhh13cQ7ZwLvPzM".try_into().unwrap();
    let stated = Stated { holders: std::slice::from_ref(&unknown), begins: false };
    let verdict = part.graph.receive_stated(&topics[2], origin(), &stated);
    assert!(matches!(verdict, Verdict::Missing(missing) if missing == [unknown]));
    // A second create event, and one of another room.
    let other = Whole::new(RoomVersionId::V12);
    let verdict = part.graph.receive_outlier(&other.events[0], origin(), true);
    assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
    let verdict = part.graph.receive_outlier(&other.events[1], origin(), true);
    assert!(!matches!(verdict, Verdict::Decided(_)), "{verdict:?}");
}
