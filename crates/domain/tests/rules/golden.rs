//! Stored formats, pinned. Files in `tests/golden` are never edited: logs hold this data.

use std::sync::Arc;

use bytes::Bytes;
use rookery_domain::{
    AccountEvent, ActionOutcome, AliasEvent, Answer, CallChange, CallStep, CreateRoom, Deliver,
    Elsewhere, ElsewhereEnd, EndReason, Envelope, EphemeralKind, Erased, EventStatus, Fact, Filter,
    Fingerprint, HistoryVisibility, Holder, InvitePreview, JoinRule, Membership,
    MilliSecondsSinceUnixEpoch, Notifications, Origin, OwnedEventId, OwnedServerName, Past,
    PastMember, Pdu, RemoteAction, RemoteAsk, RemoteOutcome, RoomEvent, RoomPreferences,
    RoomVersionId, Slot, SlotChange, StatedBefore, Subject,
};

use crate::support::{ALICE, BOB, created, join, leave, say, user};

/// One line for each event: its ID and its JSON.
fn lines(events: &[Arc<Pdu>]) -> String {
    use std::fmt::Write;
    let mut lines = String::new();
    for event in events {
        let json = std::str::from_utf8(&event.json).unwrap();
        writeln!(lines, "{} {json}", event.event_id).unwrap();
    }
    lines
}

#[track_caller]
fn unchanged(version: RoomVersionId, golden: &str) {
    let command = CreateRoom {
        version: Some(version),
        name: Some("Den".into()),
        topic: Some("Of \"rooks\" & é".into()),
        alias: Some("#den:rook.example".try_into().unwrap()),
        invite: vec![user(BOB).to_owned().into()],
        listed: true,
        ..CreateRoom::default()
    };
    let given = created(&command).and(BOB, join()).and(BOB, say("hello\n\u{1}")).and(BOB, leave());
    assert_eq!(lines(&given.events), golden);
    for line in golden.lines() {
        let (id, json) = line.split_once(' ').unwrap();
        let event = Pdu::parse(id.try_into().unwrap(), Bytes::from(json.to_owned())).unwrap();
        assert!(given.events.contains(&Arc::new(event)));
    }
}

#[test]
fn the_events_of_a_room_of_version_10_never_change() {
    unchanged(RoomVersionId::V10, include_str!("../golden/room-v10.txt"));
}

#[test]
fn the_events_of_a_room_of_version_11_never_change() {
    unchanged(RoomVersionId::V11, include_str!("../golden/room-v11.txt"));
}

#[test]
fn the_events_of_a_room_of_version_12_never_change() {
    unchanged(RoomVersionId::V12, include_str!("../golden/room-v12.txt"));
}

/// Every kind of fact that is not a room event.
fn facts() -> Vec<(Subject, Fact)> {
    let (displayname, avatar_url) = (Some("Al".to_owned()), None);
    let room_id = "!a:rook.example".try_into().unwrap();
    let by = user(ALICE).to_owned();
    let claimed = AliasEvent::Claimed { room_id, by: by.clone() };
    let changed = AccountEvent::ProfileChanged { displayname, avatar_url };
    vec![
        (Subject::Account, Fact::Account(changed)),
        (Subject::Alias, Fact::Alias(claimed)),
        (Subject::Alias, Fact::Alias(AliasEvent::Released { by })),
    ]
}

/// The facts about accounts that were added later.
fn more_facts() -> Vec<(Subject, Fact)> {
    let room_id: rookery_domain::OwnedRoomId = "!a:rook.example".try_into().unwrap();
    let event_id: OwnedEventId = "$NOgZIZwD2VX3KAX0eeblevbnzpftZhh13cQ7ZwLvPzM".try_into().unwrap();
    let moved = |private| AccountEvent::ReceiptMoved {
        room_id: room_id.clone(),
        event_id: event_id.clone(),
        sequence: 7,
        private,
    };
    let device_id = "ABCDEFGHIJ".to_owned();
    let added = |name| AccountEvent::DeviceAdded { device_id: device_id.clone(), name };
    let events = vec![
        moved(false),
        moved(true),
        added(None),
        added(Some("phone".to_owned())),
        AccountEvent::DeviceRemoved { device_id: device_id.clone() },
    ];
    events.into_iter().map(|event| (Subject::Account, Fact::Account(event))).collect()
}

#[test]
fn facts_about_accounts_and_aliases_never_change() {
    unchanged_facts(facts(), include_str!("../golden/facts.txt"));
}

#[test]
fn facts_about_receipts_and_devices_never_change() {
    unchanged_facts(more_facts(), include_str!("../golden/facts-receipts-devices.txt"));
}

#[test]
fn facts_about_actions_never_change() {
    let (code, message) = ("NOT_A_MEMBER".to_owned(), "join it first".to_owned());
    let outcomes = [
        ActionOutcome::Made,
        ActionOutcome::Held { room_id: None },
        ActionOutcome::Held { room_id: Some("!a:rook.example".try_into().unwrap()) },
        ActionOutcome::Refused { code, message },
    ];
    let noted = outcomes.map(|outcome| {
        let (device, fingerprint) = ("PHONE".to_owned(), Fingerprint::of(b"name", &()));
        let noted = AccountEvent::ActionNoted { device, action: 7, fingerprint, outcome };
        (Subject::Account, Fact::Account(noted))
    });
    unchanged_facts(noted.into(), include_str!("../golden/facts-actions.txt"));
}

#[test]
fn facts_about_filters_never_change() {
    let some = |text: &str| Some(vec![text.to_owned()]);
    let filter = Filter {
        types: some("m.room.*"),
        not_types: some("m.room.topic"),
        rooms: Some(vec!["!a:rook.example".try_into().unwrap()]),
        not_senders: Some(vec![user(BOB).to_owned()]),
        include_late: true,
        ephemeral: Some(vec![EphemeralKind::Typing, EphemeralKind::Receipt]),
        not_presence_of: Some(vec![user(ALICE).to_owned()]),
        ..Filter::default()
    };
    let facts = [Filter::default(), filter].into_iter().map(|filter| {
        let event = AccountEvent::FilterCreated { filter_id: filter.id(), filter };
        (Subject::Account, Fact::Account(event))
    });
    unchanged_facts(facts.collect(), include_str!("../golden/facts-filters.txt"));
}

#[test]
fn facts_about_deleted_filters_never_change() {
    let event = AccountEvent::FilterDeleted { filter_id: Filter::default().id() };
    let facts = vec![(Subject::Account, Fact::Account(event))];
    unchanged_facts(facts, include_str!("../golden/facts-filters-deleted.txt"));
}

#[test]
fn facts_about_preferences_never_change() {
    let room_id: rookery_domain::OwnedRoomId = "!a:rook.example".try_into().unwrap();
    let muted =
        RoomPreferences { notifications: Notifications::None, is_favourite: true, is_direct: true };
    let mentions =
        RoomPreferences { notifications: Notifications::Mentions, ..RoomPreferences::default() };
    let facts = [RoomPreferences::default(), mentions, muted].map(|preferences| {
        let room_id = room_id.clone();
        let event = AccountEvent::RoomPreferencesChanged { room_id, preferences };
        (Subject::Account, Fact::Account(event))
    });
    unchanged_facts(facts.into(), include_str!("../golden/facts-preferences.txt"));
}

#[test]
fn facts_about_account_data_never_change() {
    let content = |text: &str| serde_json::from_str(text).unwrap();
    let room_id: Option<rookery_domain::OwnedRoomId> = Some("!a:rook.example".try_into().unwrap());
    let (theme, draft) = ("com.example.theme".to_owned(), "com.example.draft".to_owned());
    let facts = [
        AccountEvent::DataChanged {
            room_id: None,
            kind: theme.clone(),
            content: content(r#"{"dark":true}"#),
        },
        AccountEvent::DataChanged {
            room_id: room_id.clone(),
            kind: draft.clone(),
            content: content(r#"{"text":"é"}"#),
        },
        AccountEvent::DataDeleted { room_id: None, kind: theme },
        AccountEvent::DataDeleted { room_id, kind: draft },
    ];
    let facts = facts.map(|event| (Subject::Account, Fact::Account(event)));
    unchanged_facts(facts.into(), include_str!("../golden/facts-account-data.txt"));
}

#[test]
fn facts_about_ignored_users_never_change() {
    let bob = || user(BOB).to_owned();
    let facts = [
        AccountEvent::UserIgnored { user_id: bob() },
        AccountEvent::UserUnignored { user_id: bob() },
    ];
    let facts = facts.map(|event| (Subject::Account, Fact::Account(event)));
    unchanged_facts(facts.into(), include_str!("../golden/facts-ignored.txt"));
}

#[test]
fn facts_about_rooms_elsewhere_never_change() {
    let room_id: rookery_domain::OwnedRoomId = "!a:else.example".try_into().unwrap();
    let event_id: OwnedEventId = "$NOgZIZwD2VX3KAX0eeblevbnzpftZhh13cQ7ZwLvPzM".try_into().unwrap();
    let via: Vec<OwnedServerName> = vec!["else.example".try_into().unwrap()];
    let action = |ask| {
        let device = Some("PHONE".to_owned());
        Box::new(RemoteAction { id: "id".to_owned(), device, action: Some(7), ask })
    };
    let reason = || Some("please".to_owned());
    let alias = || "#a:else.example".try_into().unwrap();
    let asks = [
        RemoteAsk::Join { room: alias(), via: via.clone(), reason: None },
        RemoteAsk::Knock { room: alias(), via: via.clone(), reason: reason() },
        RemoteAsk::Leave { room_id: room_id.clone(), via: via.clone(), reason: reason() },
        RemoteAsk::Invite {
            room_id: room_id.clone(),
            user_id: user(BOB).to_owned(),
            is_direct: true,
            reason: None,
        },
    ];
    let mut events: Vec<_> =
        asks.into_iter().map(|ask| AccountEvent::RemoteBegun { action: action(ask) }).collect();
    let join = || action(RemoteAsk::Join { room: alias(), via: via.clone(), reason: None });
    let (position, event) = (9, Some(event_id.clone()));
    let done = RemoteOutcome::Done { room_id: room_id.clone(), event_id: event, position };
    let (code, message) = ("SERVER_UNREACHABLE".to_owned(), "why".to_owned());
    for outcome in [done, RemoteOutcome::Refused { code, message }] {
        events.push(AccountEvent::RemoteEnded { action: join(), outcome });
    }
    let preview = InvitePreview {
        room_id: room_id.clone(),
        inviter: "@eve:else.example".try_into().unwrap(),
        inviter_profile: rookery_domain::Profile::default(),
        reason: None,
        is_direct: true,
        name: Some("Den".to_owned()),
        topic: None,
        avatar_url: None,
        canonical_alias: None,
        join_rule: JoinRule::Restricted(vec![room_id.clone()]),
        room_type: None,
        is_encrypted: false,
    };
    let (membership, version) = (Membership::Invite, RoomVersionId::V12);
    let standing = Box::new(Elsewhere { membership, preview, event_id, sent: 1, version, via });
    events.push(AccountEvent::ElsewhereChanged { standing });
    let (how, by) = (ElsewhereEnd::Withdrawn, user(BOB).to_owned());
    events.push(AccountEvent::ElsewhereEnded { room_id, how, by });
    let facts = events.into_iter().map(|event| (Subject::Account, Fact::Account(event)));
    unchanged_facts(facts.collect(), include_str!("../golden/facts-elsewhere.txt"));
}

#[test]
fn envelopes_of_joins_never_change() {
    let joined = |deliver| {
        let (device, action) = (Some("PHONE".to_owned()), None);
        let origin = Origin::Local { device, action, fingerprint: None, deliver: Some(deliver) };
        Envelope { origin, ..Envelope::local(None, None) }
    };
    let envelopes = [joined(Deliver::Response), joined(Deliver::Stream)];
    read_and_written(&envelopes, include_str!("../golden/envelopes-joins.txt"));
}

#[track_caller]
fn unchanged_facts(facts: Vec<(Subject, Fact)>, golden: &str) {
    let golden: Vec<_> = golden.lines().collect();
    assert_eq!(golden.len(), facts.len());
    for ((subject, fact), line) in facts.into_iter().zip(golden) {
        let stored = fact.store(*b"sixteen byte sal");
        let content = std::str::from_utf8(&stored.content).unwrap();
        let salt = std::str::from_utf8(&stored.envelope).unwrap();
        assert_eq!(format!("{} {salt} {content}", stored.id), line);
        let read = Fact::read(subject, &stored.id, &stored.envelope, &stored.content).unwrap();
        assert_eq!(read, fact);
    }
}

#[test]
fn envelopes_never_change() {
    let server = Origin::Server("else.example".try_into().unwrap());
    let envelopes = [
        Envelope::local(None, None),
        Envelope::local(Some("PHONE".to_owned()), Some(7)),
        from(&server, EventStatus::SoftFailed),
        from(&server, EventStatus::Rejected),
    ];
    let golden = include_str!("../golden/envelopes.txt");
    read_and_written(&envelopes, golden);
}

#[test]
fn envelopes_of_numbered_actions_never_change() {
    let fingerprint = Fingerprint::of(b"name", &());
    let envelopes = [Envelope::acted("PHONE".to_owned(), 7, fingerprint)];
    read_and_written(&envelopes, include_str!("../golden/envelopes-numbered.txt"));
}

#[test]
fn envelopes_with_resolved_state_never_change() {
    let server = Origin::Server("else.example".try_into().unwrap());
    let event_id: OwnedEventId = "$NOgZIZwD2VX3KAX0eeblevbnzpftZhh13cQ7ZwLvPzM".try_into().unwrap();
    let slot = |kind: &str, holder| SlotChange {
        kind: kind.to_owned(),
        state_key: "@a:else.example".to_owned(),
        holder,
    };
    let before = Holder { event_id: event_id.clone(), position: Some(9), index: 2 };
    let here = Holder { event_id, position: None, index: 0 };
    let changes = vec![slot("m.room.member", Some(before)), slot("a", Some(here)), slot("b", None)];
    let resolved = |state| Envelope { state: Some(state), ..from(&server, EventStatus::Accepted) };
    let envelopes = [resolved(Vec::new()), resolved(changes)];
    read_and_written(&envelopes, include_str!("../golden/envelopes-resolved.txt"));
}

#[test]
fn envelopes_of_partial_history_never_change() {
    let server = Origin::Server("else.example".try_into().unwrap());
    let event_id: OwnedEventId = "$NOgZIZwD2VX3KAX0eeblevbnzpftZhh13cQ7ZwLvPzM".try_into().unwrap();
    let change = SlotChange {
        kind: "m.room.name".to_owned(),
        state_key: String::new(),
        holder: Some(Holder { event_id, position: Some(9), index: 2 }),
    };
    let stated = |changes, begins| Envelope {
        before: Some(StatedBefore { changes, begins, since: None }),
        ..from(&server, EventStatus::Accepted)
    };
    let envelopes = [
        from(&server, EventStatus::Outlier),
        Envelope { state: Some(vec![change.clone()]), ..from(&server, EventStatus::Outlier) },
        stated(Vec::new(), true),
        stated(vec![change], false),
        Envelope { behind: true, ..from(&server, EventStatus::Accepted) },
    ];
    read_and_written(&envelopes, include_str!("../golden/envelopes-partial.txt"));
}

#[test]
fn envelopes_of_history_never_change() {
    let server = Origin::Server("else.example".try_into().unwrap());
    let since: OwnedEventId = "$NOgZIZwD2VX3KAX0eeblevbnzpftZhh13cQ7ZwLvPzM".try_into().unwrap();
    let past = |visibility, members| Some(Past { before: 7, visibility, members });
    let member =
        |membership| PastMember { user: "@bob:example.org".try_into().unwrap(), membership };
    let before = StatedBefore { since: Some(since), ..StatedBefore::default() };
    let envelopes = [
        Envelope {
            before: Some(before),
            behind: true,
            past: past(HistoryVisibility::Shared, Some(Vec::new())),
            ..from(&server, EventStatus::Accepted)
        },
        Envelope {
            behind: true,
            past: past(
                HistoryVisibility::Joined,
                Some(vec![member(Membership::Join), member(Membership::Invite)]),
            ),
            ..from(&server, EventStatus::Accepted)
        },
        Envelope {
            past: past(HistoryVisibility::WorldReadable, None),
            ..from(&server, EventStatus::Rejected)
        },
    ];
    read_and_written(&envelopes, include_str!("../golden/envelopes-history.txt"));
}

#[test]
fn envelopes_of_redactions_never_change() {
    let event_id: OwnedEventId = "$NOgZIZwD2VX3KAX0eeblevbnzpftZhh13cQ7ZwLvPzM".try_into().unwrap();
    let slot = Slot { kind: "m.room.member".to_owned(), state_key: BOB.to_owned() };
    let erases = [None, Some(slot)].into_iter().zip(7..);
    let erases = erases.map(|(slot, position)| {
        let event_id = event_id.clone();
        Erased { event_id, position, index: 1, slot }
    });
    let envelope =
        Envelope { erases: erases.collect(), ..Envelope::local(Some("PHONE".to_owned()), None) };
    read_and_written(&[envelope], include_str!("../golden/envelopes-redaction.txt"));
}

#[test]
fn envelopes_of_calls_never_change() {
    let answer = Answer {
        party: "cGFydHk".parse().unwrap(),
        at: MilliSecondsSinceUnixEpoch(1_700_000_000_000_u64.try_into().unwrap()),
    };
    let ended = |answer| CallStep::Ended { reason: EndReason::UserHangup, answer };
    let steps = [
        CallStep::Placed,
        CallStep::Answered { party: answer.party.clone() },
        ended(None),
        ended(Some(answer)),
    ];
    let envelopes = steps.map(|step| {
        let change = CallChange { call_id: "dGhlIGNhbGw".parse().unwrap(), step };
        Envelope { calls: vec![change], ..Envelope::local(None, None) }
    });
    read_and_written(&envelopes, include_str!("../golden/envelopes-calls.txt"));
}

#[test]
fn a_reason_of_a_later_version_ends_a_call_too() {
    let later = r#"{"call":"dGhlIGNhbGw","step":"ended","reason":"moved_to_the_moon"}"#;
    let change: CallChange = serde_json::from_str(later).unwrap();
    assert_eq!(change.step, CallStep::Ended { reason: EndReason::UnknownError, answer: None });
}

fn from(server: &Origin, status: EventStatus) -> Envelope {
    Envelope { origin: server.clone(), status, ..Envelope::local(None, None) }
}

#[track_caller]
fn read_and_written(envelopes: &[Envelope], golden: &str) {
    let golden: Vec<_> = golden.lines().collect();
    assert_eq!(golden.len(), envelopes.len());
    let pdu = crate::support::private().events[0].clone();
    for (envelope, line) in envelopes.iter().zip(golden) {
        let fact = Fact::Room(RoomEvent::new(envelope.clone(), pdu.clone()));
        let stored = fact.store([0; 16]);
        assert_eq!(std::str::from_utf8(&stored.envelope).unwrap(), line);
        assert_eq!(stored.id, pdu.event_id.as_str());
        let read = Fact::read(Subject::Room, &stored.id, line.as_bytes(), &stored.content).unwrap();
        assert_eq!(read, fact);
    }
}
