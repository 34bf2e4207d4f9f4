use std::{fs, sync::Arc};

use rookery_domain::{
    Envelope, Erased, Fact, MessageKind, MessageRelation, OwnedEventId, OwnedRoomId, Pdu, Relation,
    RelationKind, RoomCommand, RoomEvent, StoredFact,
};
use rookery_log::{Commit, ErasableLog, LoggedEvent, Millis, Position, Record, Scope};

use crate::tests::{actor, bodies, commands, join, memory, open, pdus, public_room, say, text};
use crate::{CommandOptions, Commands, Outcome, Retry};

fn places(records: &[Arc<Record>]) -> impl Iterator<Item = (Pdu, u64, u16)> {
    let rooms = records.iter().filter(|record| record.commit.stream.as_str().starts_with("room/"));
    rooms.flat_map(|record| {
        pdus(record).into_iter().zip(0..).map(|(pdu, index)| (pdu, record.position.0, index))
    })
}

/// The event and its edits.
pub(in crate::tests) fn erases(records: &[Arc<Record>], event: &Pdu) -> Vec<Erased> {
    let is_edit = |pdu: &Pdu| {
        let to = Relation::of(pdu).and_then(|relation| relation.to);
        to == Some((event.event_id.clone(), RelationKind::Edit))
    };
    places(records)
        .filter(|(pdu, ..)| pdu == event || is_edit(pdu))
        .map(|(pdu, position, index)| Erased::new(&pdu, position, index))
        .collect()
}

pub(in crate::tests) fn is_redacted(records: &[Arc<Record>], event: &Pdu) -> bool {
    let envelopes = records.iter().flat_map(|record| &record.commit.events);
    let envelopes = envelopes.filter_map(|it| serde_json::from_slice(&it.envelope).ok());
    let mut erased = envelopes.flat_map(|envelope: Envelope| envelope.erases);
    erased.any(|erased| erased.event_id == event.event_id)
}

fn redact(event: &OwnedEventId) -> RoomCommand {
    RoomCommand::Redact { event_id: event.clone(), reason: None }
}

async fn take_back(commands: &Commands, name: &str, room: &OwnedRoomId, said: &Outcome) -> Outcome {
    let command = redact(&said.events[0].event_id);
    commands.room(&actor(name), room, &command, Retry::Unnamed).await.unwrap()
}

/// Whether any record of the log contains this text.
pub(in crate::tests) async fn is_in(log: &Arc<dyn ErasableLog>, text: &str) -> bool {
    let records = log.read(&Scope::All, Position::ORIGIN, 4_096).await.unwrap();
    records.iter().any(|record| {
        assert!(record.is_intact());
        record.commit.events.iter().any(|event| {
            let bytes = &event.content;
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
    })
}

#[tokio::test]
async fn what_is_redacted_is_gone_from_the_log_when_the_answer_comes() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    let said = say(&commands, "alice", &room, "secret").await;
    say(&commands, "alice", &room, "open").await;
    assert!(is_in(&log, "secret").await);
    let hash = log.tail_hash().await;
    let redaction = take_back(&commands, "alice", &room, &said).await;
    assert!(redaction.position > hash.unwrap().0);
    assert!(!is_in(&log, "secret").await);
    assert_eq!(bodies(&log).await, ["open"]);
    let again = take_back(&commands, "alice", &room, &said).await;
    assert!(again.events.is_empty());
}

#[tokio::test]
async fn edits_go_with_the_message_and_there_is_none_after() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    let said = say(&commands, "alice", &room, "secret").await;
    let edit = |body: &str| RoomCommand::SendMessage {
        kind: MessageKind::Text,
        body: body.into(),
        formatted_body: None,
        relation: Some(MessageRelation::Edit(said.events[0].event_id.clone())),
        mentions: None,
    };
    let alice = actor("alice");
    // All at once: each edit is erased or refused.
    let edits: Vec<_> = (0..10).map(|number| edit(&format!("secret {number}"))).collect();
    let edits = edits.iter().map(|edit| commands.room(&alice, &room, edit, Retry::Unnamed));
    let redaction = redact(&said.events[0].event_id);
    let (edited, redacted) = tokio::join!(
        futures_util::future::join_all(edits),
        commands.room(&alice, &room, &redaction, Retry::Unnamed)
    );
    redacted.unwrap();
    assert!(edited.iter().any(Result::is_ok), "no edit came before");
    assert!(!is_in(&log, "secret").await);
    let late = commands.room(&alice, &room, &edit("late"), Retry::Unnamed).await;
    assert!(late.unwrap_err().to_string().contains("redacted"));
}

#[tokio::test]
async fn a_topic_that_was_redacted_can_be_set_again_and_is_in_no_snapshot() {
    let (log, folder) = (memory(), tempfile::tempdir().unwrap());
    let commands = open(&log, Some(folder.path()), CommandOptions::default());
    let room = public_room(&commands, "alice").await;
    let topic = RoomCommand::SetTopic { topic: "secret".into() };
    let alice = actor("alice");
    let set = commands.room(&alice, &room, &topic, Retry::Unnamed).await.unwrap();
    for number in 0..1_000 {
        say(&commands, "alice", &room, &number.to_string()).await;
    }
    commands.save().await.unwrap();
    let has_secret = || {
        let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        files
            .filter(|path| fs::read(path).unwrap().windows(6).any(|window| window == b"secret"))
            .count()
    };
    assert_eq!(has_secret(), 1, "the search finds what is there");
    take_back(&commands, "alice", &room, &set).await;
    assert_eq!(has_secret(), 0);
    let other = open(&log, None, CommandOptions::default());
    for commands in [&commands, &other] {
        let again = commands.room(&alice, &room, &topic, Retry::Unnamed).await.unwrap();
        assert_eq!(again.events.len(), 1, "it is a new topic");
        take_back(commands, "alice", &room, &again).await;
    }
}

/// Appends a redaction without the server, as a stop between append and erasing leaves it.
async fn stopped_half_way(log: &Arc<dyn ErasableLog>, said: &Outcome, redaction: &Arc<Pdu>) {
    let erases = vec![Erased::new(&said.events[0], said.position.0, 0)];
    let envelope = Envelope { erases, ..Envelope::local(None, None) };
    let StoredFact { id, envelope, content } =
        Fact::Room(RoomEvent::new(envelope, Arc::clone(redaction))).store([0; 16]);
    let stream = rookery_log::StreamId::new(rookery_log::StreamKind::Room, said.room().as_str());
    let guard = log.head(&stream).await.unwrap().guard();
    let events = vec![LoggedEvent { id, envelope, content }];
    let commit = Commit { stream, command: None, received: Millis(1), events };
    log.append(commit, guard).await.unwrap();
}

#[tokio::test]
async fn what_a_stop_has_left_is_erased_after_the_next_start() {
    let (log, folder) = (memory(), tempfile::tempdir().unwrap());
    let elsewhere = memory();
    let (said, redaction) = {
        let commands = open(&log, Some(folder.path()), CommandOptions::default());
        let room = public_room(&commands, "alice").await;
        let said = say(&commands, "alice", &room, "secret").await;
        // The same room on another log, to make a redaction that is not carried out here.
        for record in log.read(&Scope::All, Position::ORIGIN, 100).await.unwrap() {
            let guard = elsewhere.head(&record.commit.stream).await.unwrap().guard();
            elsewhere.append(record.commit.clone(), guard).await.unwrap();
        }
        let other = crate::tests::commands(&elsewhere);
        let redaction = take_back(&other, "alice", &room, &said).await;
        commands.save().await.unwrap();
        (said, redaction.events[0].clone())
    };
    stopped_half_way(&log, &said, &redaction).await;
    assert!(is_in(&log, "secret").await);
    for _ in 0..2 {
        // A start that does not get to the erasure, and saves its checkpoints.
        open(&log, Some(folder.path()), CommandOptions::default()).save().await.unwrap();
    }
    let commands = open(&log, Some(folder.path()), CommandOptions::default());
    assert_eq!(commands.resume_erasures().await.unwrap(), 1);
    assert!(!is_in(&log, "secret").await);
    commands.save().await.unwrap();
    let commands = open(&log, Some(folder.path()), CommandOptions::default());
    assert_eq!(commands.resume_erasures().await.unwrap(), 0, "it is done");
    say(&commands, "alice", &said.room(), "on it goes").await;
}

/// The records of `log`, with those of `before` where they differ: an erasure after these is lost.
async fn without_erasures(
    log: &Arc<dyn ErasableLog>,
    before: &[Arc<Record>],
) -> Arc<dyn ErasableLog> {
    let torn = memory();
    for (number, record) in all(log).await.iter().enumerate() {
        let record = before.get(number).unwrap_or(record);
        let guard = torn.head(&record.commit.stream).await.unwrap().guard();
        torn.append(record.commit.clone(), guard).await.unwrap();
    }
    torn
}

async fn all(log: &Arc<dyn ErasableLog>) -> Vec<Arc<Record>> {
    log.read(&Scope::All, Position::ORIGIN, 100).await.unwrap()
}

#[tokio::test]
async fn what_a_torn_log_has_lost_is_erased_again_although_it_was_done() {
    let (log, folder) = (memory(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    let commands = open(&log, Some(folder), CommandOptions::default());
    let room = public_room(&commands, "alice").await;
    let said = say(&commands, "alice", &room, "secret").await;
    let before = all(&log).await;
    take_back(&commands, "alice", &room, &said).await;
    assert!(!is_in(&log, "secret").await);
    commands.resume_erasures().await.unwrap();
    commands.save().await.unwrap();

    let torn = without_erasures(&log, &before).await;
    assert!(is_in(&torn, "secret").await);
    let commands = open(&torn, Some(folder), CommandOptions::default());
    assert_eq!(commands.resume_erasures().await.unwrap(), 0, "the checkpoint says that it is done");
    Commands::forget_erasures(folder).unwrap();
    for _ in 0..2 {
        // A start that does not get to the erasure, and saves its checkpoints.
        open(&torn, Some(folder), CommandOptions::default()).save().await.unwrap();
    }
    let commands = open(&torn, Some(folder), CommandOptions::default());
    assert_eq!(commands.resume_erasures().await.unwrap(), 1);
    assert!(!is_in(&torn, "secret").await);
    commands.save().await.unwrap();
    let commands = open(&torn, Some(folder), CommandOptions::default());
    assert_eq!(commands.resume_erasures().await.unwrap(), 0, "it is done");
}

#[tokio::test]
async fn an_event_that_is_not_what_its_id_says_stays() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    commands.room(&actor("bob"), &room, &join(), Retry::Unnamed).await.unwrap();
    let said = say(&commands, "alice", &room, "secret").await;
    let other = commands.room(&actor("bob"), &room, &text("open"), Retry::Unnamed).await.unwrap();
    // The envelope names the place of another event.
    let moved = Outcome { position: other.position, ..said.clone() };
    let redaction = take_back(&crate::tests::commands(&log), "bob", &room, &other).await;
    stopped_half_way(&log, &moved, &redaction.events[0]).await;
    commands.resume_erasures().await.unwrap();
    assert_eq!(bodies(&log).await, ["secret"]);
}
