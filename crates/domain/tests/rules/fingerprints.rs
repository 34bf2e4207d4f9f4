//! Fingerprints, by which the server recognises retries of numbered actions. Files in
//! `tests/golden` are never edited: logs hold these fingerprints.

use rookery_domain::{
    CallMedia, CreateRoom, EndReason, Fingerprint, HangUpReason, HistoryVisibility, Invitee,
    JoinRule, Mentions, MessageKind, MessageRelation, PlaceCall, PowerLevelsChange, Preset,
    Profile, RoomCommand, RoomVersionId,
};
use serde_json::json;

use crate::support::{ALICE, BOB, profile_of, user};

fn of(asked: &impl serde::Serialize) -> Fingerprint {
    Fingerprint::of(b"action", asked)
}

fn message(body: &str) -> RoomCommand {
    let (kind, body) = (MessageKind::Notice, body.to_owned());
    RoomCommand::SendMessage { kind, body, formatted_body: None, relation: None, mentions: None }
}

/// One command of each kind, with all of its fields.
fn commands() -> Vec<RoomCommand> {
    let reason = || Some("because".to_owned());
    let bob = || user(BOB).to_owned();
    let event = || "$NOgZIZwD2VX3KAX0eeblevbnzpftZhh13cQ7ZwLvPzM".try_into().unwrap();
    let content = || match json!({ "b": [1, null, true, -0.5], "a": { "é": "\u{1}" } }) {
        serde_json::Value::Object(object) => object,
        other => panic!("{other} is no object"),
    };
    let related = |relation| RoomCommand::SendMessage {
        kind: MessageKind::Text,
        body: "hello".to_owned(),
        formatted_body: Some("<b>hello</b>".to_owned()),
        relation: Some(relation),
        mentions: Some(Mentions { users: [bob()].into_iter().collect(), room: true }),
    };
    let change = PowerLevelsChange {
        users: [(bob(), Some(50))].into(),
        events: [("m.room.name".to_owned(), None)].into(),
        invite: Some(5),
        ..PowerLevelsChange::default()
    };
    vec![
        RoomCommand::Join { reason: reason(), member_of: None },
        RoomCommand::Leave { reason: None, successor: None },
        RoomCommand::Knock { reason: reason() },
        RoomCommand::Invite { invitee: bob().into(), reason: reason() },
        RoomCommand::Kick { user: bob(), reason: reason() },
        RoomCommand::Ban { user: bob(), reason: reason() },
        RoomCommand::Unban { user: bob(), reason: reason() },
        message("hello"),
        related(MessageRelation::Reply(event())),
        related(MessageRelation::Thread { root: event(), reply_to: Some(event()) }),
        related(MessageRelation::Edit(event())),
        RoomCommand::React { event_id: event(), key: "👍".to_owned() },
        RoomCommand::SendEvent { event_type: "com.example.x".to_owned(), content: content() },
        RoomCommand::SetState {
            event_type: "com.example.x".to_owned(),
            state_key: ALICE.to_owned(),
            content: content(),
        },
        RoomCommand::SetName { name: "Den".to_owned() },
        RoomCommand::SetTopic { topic: "Rooks".to_owned() },
        RoomCommand::SetAvatar { url: Some("mxc://rook.example/a".to_owned()) },
        RoomCommand::SetAliases {
            canonical: Some("#den:rook.example".try_into().unwrap()),
            alternative: vec!["#nest:rook.example".try_into().unwrap()],
        },
        RoomCommand::SetJoinRule {
            rule: JoinRule::Restricted(vec!["!a:rook.example".try_into().unwrap()]),
        },
        RoomCommand::SetHistoryVisibility { visibility: HistoryVisibility::WorldReadable },
        RoomCommand::SetPowerLevels { change },
        RoomCommand::SetListed { listed: true },
        RoomCommand::SetMemberProfile { profile: profile_of(ALICE) },
    ]
}

/// The commands about calls.
fn calls() -> Vec<RoomCommand> {
    let (call, party) = (|| "dGhlIGNhbGw".parse().unwrap(), || "cGFydHk".parse().ok());
    let placed = PlaceCall::new(user(BOB).to_owned(), CallMedia::Video, 90);
    vec![
        RoomCommand::PlaceCall(PlaceCall {
            ids: Some((call(), party().unwrap())),
            ..placed.clone()
        }),
        RoomCommand::PlaceCall(PlaceCall { media: CallMedia::Audio, ..placed }),
        RoomCommand::AnswerCall { call_id: call(), party_id: party() },
        RoomCommand::RejectCall { call_id: call(), party_id: None },
        RoomCommand::HangUpCall {
            call_id: call(),
            reason: HangUpReason::IceFailed,
            party_id: party(),
        },
        RoomCommand::EndCall { call_id: call(), reason: EndReason::InviteTimeout },
    ]
}

#[test]
fn the_fingerprints_of_commands_about_calls_never_change() {
    let found: Vec<_> = calls().iter().map(|command| of(command).to_string()).collect();
    let found = found.join("\n") + "\n";
    if std::env::var_os("ROOKERY_WRITE_GOLDEN_FILES").is_some() {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/fingerprints-calls.txt");
        std::fs::write(golden, &found).unwrap();
    }
    assert_eq!(found, include_str!("../golden/fingerprints-calls.txt"));
}

fn creations() -> Vec<CreateRoom> {
    vec![
        CreateRoom::default(),
        CreateRoom {
            version: Some(RoomVersionId::V11),
            preset: Preset::Public,
            name: Some("Den".to_owned()),
            topic: Some("Rooks".to_owned()),
            avatar_url: Some("mxc://rook.example/a".to_owned()),
            alias: Some("#den:rook.example".try_into().unwrap()),
            invite: vec![user(BOB).to_owned().into()],
            join_rule: Some(JoinRule::Knock),
            history_visibility: Some(HistoryVisibility::Joined),
            listed: true,
            power_levels: PowerLevelsChange::default(),
            is_direct: true,
            room_type: Some("m.space".to_owned()),
        },
    ]
}

#[test]
fn the_fingerprints_of_commands_never_change() {
    let found = commands().iter().map(of).chain(creations().iter().map(of)).collect::<Vec<_>>();
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    let found = found.join("\n") + "\n";
    if std::env::var_os("ROOKERY_WRITE_GOLDEN_FILES").is_some() {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/fingerprints.txt");
        std::fs::write(golden, &found).unwrap();
    }
    assert_eq!(found, include_str!("../golden/fingerprints.txt"));
}

#[test]
fn commands_that_differ_have_fingerprints_that_differ() {
    let mut found: Vec<_> = commands().iter().map(of).map(|print| print.to_string()).collect();
    found.extend([message("hello "), message("")].iter().map(|it| of(it).to_string()));
    let count = found.len();
    found.sort();
    found.dedup();
    assert_eq!(found.len(), count);
    assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
    assert_ne!(of(&json!([[], 1])), of(&json!([[1]])));
    assert_ne!(of(&json!("1")), of(&json!(1)));
}

#[test]
fn the_same_command_of_another_action_has_another_fingerprint() {
    let command = message("hello");
    assert_ne!(Fingerprint::of(b"one", &command), Fingerprint::of(b"other", &command));
}

#[test]
fn what_the_server_fills_in_is_not_part_of_it() {
    let asked = RoomCommand::Join { reason: None, member_of: None };
    let filled =
        RoomCommand::Join { reason: None, member_of: Some("!a:rook.example".try_into().unwrap()) };
    assert_eq!(of(&asked), of(&filled));
    let invite = |profile: Profile| RoomCommand::Invite {
        invitee: Invitee { profile, ..Invitee::from(user(BOB).to_owned()) },
        reason: None,
    };
    assert_eq!(of(&invite(Profile::default())), of(&invite(profile_of(BOB))));
}
