//! Compares journals with the log, and served states with those of the log.

use std::{collections::BTreeMap, sync::Arc};

use rookery_domain::{
    Account, AccountCommand, AccountEvent, ActionOutcome, Context, Envelope, Fact, Membership,
    Origin, OwnedRoomAliasId, OwnedRoomId, OwnedUserId, Profile, Room, RoomCommand, Subject,
};
use rookery_log::{
    EventLog, MemoryLog, Millis, PAGE_MAX, Position, Record, Scope, StreamId, StreamKind,
};

use super::{
    client::{Entry, Journal, Told, Wanted},
    world::Side,
};
use crate::{Actor, Commands, HandleError, rooms::aliases::shown, stream::aggregate::Aggregate};

/// The facts of a record.
pub(super) fn facts_of(record: &Record) -> Vec<Fact> {
    let subject = match record.commit.stream.split() {
        Some((StreamKind::Room, _)) => Subject::Room,
        Some((StreamKind::Alias, _)) => Subject::Alias,
        Some((StreamKind::User, _)) | None => Subject::Account,
    };
    let read = |event: &rookery_log::LoggedEvent| {
        Fact::read(subject, &event.id, &event.envelope, &event.content).unwrap()
    };
    record.commit.events.iter().map(read).collect()
}

/// A record with its facts.
struct Parsed {
    record: Arc<Record>,
    facts: Vec<Fact>,
}

/// All properties that have to hold in the end.
pub(super) async fn all(
    store: &Arc<MemoryLog>,
    sides: &[Side],
    journals: &[Journal],
    rooms: &[OwnedRoomId],
    ordered: bool,
) -> Result<(), String> {
    let records = store.read(&Scope::All, Position::ORIGIN, PAGE_MAX).await;
    let records = records.map_err(|error| error.to_string())?;
    let parsed = |record: Arc<Record>| Parsed { facts: facts_of(&record), record };
    let records: Vec<_> = records.into_iter().map(parsed).collect();
    for journal in journals {
        if let Some(wrong) = journal.wrong.first() {
            return Err(wrong.clone());
        }
        acknowledged_is_there(&records, journal)?;
        each_action_once(&records, journal)?;
        // One write side keeps the order, unless the log continues after an unknown outcome.
        if ordered {
            in_order(&records, journal)?;
        }
        names_held_when_told(&records, journal)?;
    }
    for side in sides {
        work_is_done(&side.commands(), rooms).await?;
    }
    let records = store.read(&Scope::All, Position::ORIGIN, PAGE_MAX).await;
    let records = records.map_err(|error| error.to_string())?;
    let records: Vec<_> = records.into_iter().map(parsed).collect();
    for room in rooms {
        let folded = rooms_answered_as_the_log_says(&records, journals, room)?;
        for side in sides {
            served_is_folded(folded.as_ref(), &side.commands(), room).await?;
        }
    }
    Ok(())
}

fn entry_error(journal: &Journal, entry: &Entry, wrong: &str) -> String {
    format!("{} {}: {wrong}; it asked for {:?}", journal.user, entry.action, entry)
}

/// I1 and I6: acknowledged events are in the log with the same bytes. A refused action left at most
/// a note, and an action that came too late left nothing.
fn acknowledged_is_there(records: &[Parsed], journal: &Journal) -> Result<(), String> {
    for entry in &journal.entries {
        let command = actor_of(journal).command_id(entry.action);
        let found = records.iter().find(|parsed| parsed.record.commit.command == command);
        let noted = found.and_then(|parsed| parsed.facts.iter().find_map(note));
        let found = found.map(|parsed| &parsed.record);
        let wrong = match (&entry.told, found) {
            (Told::Made(..), None) => Some("acknowledged and not in the log"),
            (Told::Held | Told::Refused(_), None) => Some("answered without a note"),
            (Told::TooLate, Some(_)) => Some("called too late, and in the log"),
            (Told::Made(position, events), Some(record)) => match &entry.wanted {
                Wanted::Room(..) => {
                    let logged = record.commit.events.iter();
                    let same = record.position == *position
                        && logged.len() == events.len()
                        && logged.zip(events).all(|(logged, (id, json))| {
                            logged.id == id.as_str() && logged.content == *json
                        });
                    (!same).then_some("other events in the log than were acknowledged")
                }
                Wanted::Name(_) => (noted != Some(ActionOutcome::Made)).then_some("no change"),
            },
            (Told::Held, Some(_)) => {
                let held = matches!(noted, Some(ActionOutcome::Held { .. }));
                (!held).then_some("told that it holds, and the log says something else")
            }
            (Told::Refused(told), Some(_)) => {
                let same =
                    matches!(&noted, Some(ActionOutcome::Refused { code, .. }) if code == told);
                (!same).then_some("refused, and the log says something else")
            }
            (Told::TooLate, None) | (Told::Nothing, _) => None,
        };
        if let Some(wrong) = wrong {
            return Err(entry_error(journal, entry, wrong));
        }
    }
    Ok(())
}

fn note(fact: &Fact) -> Option<ActionOutcome> {
    match fact {
        Fact::Account(AccountEvent::ActionNoted { outcome, .. }) => Some(outcome.clone()),
        _ => None,
    }
}

fn actor_of(journal: &Journal) -> Actor {
    let name = journal.user.localpart().to_owned();
    super::super::actor(&name)
}

/// The numbers of the actions of a user in the log, in its order.
fn numbers(records: &[Parsed], journal: &Journal) -> Vec<u64> {
    let stream = StreamId::new(StreamKind::User, journal.user.as_str());
    let of = |parsed: &Parsed| {
        parsed.facts.iter().find_map(|fact| match fact {
            Fact::Room(event) if event.pdu.sender == journal.user => match &event.envelope.origin {
                Origin::Local { action, .. } => *action,
                Origin::Server(_) => None,
            },
            Fact::Account(AccountEvent::ActionNoted { action, .. })
                if parsed.record.commit.stream == stream =>
            {
                Some(*action)
            }
            _ => None,
        })
    };
    records.iter().filter_map(of).collect()
}

/// I2: one commit for each action.
fn each_action_once(records: &[Parsed], journal: &Journal) -> Result<(), String> {
    let mut counts = BTreeMap::<u64, u32>::new();
    for number in numbers(records, journal) {
        *counts.entry(number).or_default() += 1;
    }
    match counts.iter().find(|(_, count)| **count > 1) {
        Some((number, count)) => Err(format!("{} {number}: {count} commits", journal.user)),
        None => Ok(()),
    }
}

/// The commits of a device stand in the order of their numbers.
fn in_order(records: &[Parsed], journal: &Journal) -> Result<(), String> {
    let numbers = numbers(records, journal);
    if numbers.is_sorted() {
        return Ok(());
    }
    Err(format!("{}: the log has the actions in the order {numbers:?}", journal.user))
}

/// "It changed nothing", for a name: at some moment between request and answer the log had this
/// name.
fn names_held_when_told(records: &[Parsed], journal: &Journal) -> Result<(), String> {
    let stream = StreamId::new(StreamKind::User, journal.user.as_str());
    let mut open = Vec::new();
    for entry in &journal.entries {
        if let (Wanted::Name(name), Told::Held) = (&entry.wanted, &entry.told) {
            open.push((entry, AccountCommand::SetProfile { profile: named(name) }));
        }
    }
    let fresh = Account::default();
    along(records, &stream, |account: Option<&Account>, moments| {
        open.retain(|(entry, command)| {
            let holds = account.unwrap_or(&fresh).decide(command).is_ok_and(|made| made.is_empty());
            !(holds && within(entry, moments))
        });
    });
    match open.first() {
        Some((entry, _)) => Err(entry_error(journal, entry, "told from what the log never said")),
        None => Ok(()),
    }
}

fn named(name: &str) -> Profile {
    Profile { displayname: Some(name.to_owned()), avatar_url: None }
}

/// The same for a room, also for refusals. Returns the room folded from the whole log.
fn rooms_answered_as_the_log_says(
    records: &[Parsed],
    journals: &[Journal],
    room_id: &OwnedRoomId,
) -> Result<Option<Room>, String> {
    let stream = StreamId::new(StreamKind::Room, room_id.as_str());
    let mut open = Vec::new();
    for journal in journals {
        for entry in &journal.entries {
            match (&entry.wanted, &entry.told) {
                // Aliases are not state of a room.
                (_, Told::Refused(code)) if code.starts_with("ALIAS_") => {}
                (Wanted::Room(room, command), Told::Held | Told::Refused(_)) if room == room_id => {
                    open.push((journal, entry, command));
                }
                _ => {}
            }
        }
    }
    let room = along(records, &stream, |room: Option<&Room>, moments| {
        open.retain(|(journal, entry, command)| {
            !(within(entry, moments) && answer(room, command, journal) == entry.told)
        });
    });
    match open.first() {
        Some((journal, entry, _)) => {
            Err(entry_error(journal, entry, "answered from what the log never said"))
        }
        None => Ok(room),
    }
}

/// Whether an action was in flight at one of these moments.
fn within(entry: &Entry, (from, until): (Position, Position)) -> bool {
    let (begin, end) = entry.window;
    from <= end && begin < until
}

/// Folds a stream, and passes each of its states with the positions from which and before which it
/// holds.
fn along<A: Aggregate>(
    records: &[Parsed],
    stream: &StreamId,
    mut look: impl FnMut(Option<&A>, (Position, Position)),
) -> Option<A> {
    let (mut state, mut from) = (None, Position::ORIGIN);
    for Parsed { record, facts } in records.iter().filter(|it| it.record.commit.stream == *stream) {
        look(state.as_ref(), (from, record.position));
        for fact in facts {
            state = A::apply(state.take(), fact);
        }
        from = record.position;
    }
    look(state.as_ref(), (from, Position(u64::MAX)));
    state
}

fn answer(room: Option<&Room>, command: &RoomCommand, journal: &Journal) -> Told {
    let name = "test".try_into().unwrap();
    let now = js_int::UInt::from(1_000_u32);
    let now = rookery_domain::MilliSecondsSinceUnixEpoch(now);
    let context =
        Context { sender: &journal.user, device: None, now, server_name: name, events: &[] };
    let envelope = Envelope::local(None, None);
    match Commands::decide_room(room, &context, command, &Profile::default(), &envelope) {
        Ok(facts) if facts.is_empty() => Told::Held,
        Ok(_) => Told::Nothing,
        Err(error) => {
            error.kept_code().map_or(Told::Nothing, |code| Told::Refused(code.to_owned()))
        }
    }
}

/// The work of commits is done, whatever failed and whichever write side stopped.
async fn work_is_done(commands: &Commands, rooms: &[OwnedRoomId]) -> Result<(), String> {
    const LATER: Millis = Millis(1_000_000);
    // The commits of a process may have work again.
    for _ in 0..3 {
        commands.resume_profiles(LATER).await.map_err(|error| error.to_string())?;
        commands.resume_releases(LATER).await.map_err(|error| error.to_string())?;
    }
    let mut named = Vec::new();
    for room_id in rooms {
        let stream_state = commands.rooms.state_of(room_id.as_str());
        let seen = |room: Option<&Room>| {
            let room = room.unwrap();
            let joined = room.members().filter(|(_, is, _)| *is == Membership::Join);
            let joined = joined.map(|(user, _, event)| (user.to_owned(), Profile::of(event)));
            let aliases = if room.is_deserted() { Vec::new() } else { shown(room) };
            (joined.collect::<Vec<_>>(), aliases)
        };
        let seen = commands.core.read_state(&commands.rooms, &stream_state, seen).await;
        let (members, aliases) = seen.map_err(|error| error.to_string())?;
        for (user, profile) in members {
            let user = OwnedUserId::try_from(user).map_err(|error| error.to_string())?;
            let now = commands.profile(&user).await.map_err(|error| error.to_string())?;
            if now != profile {
                return Err(format!("{room_id} calls {user} {profile:?}, who is {now:?}"));
            }
        }
        named.extend(aliases.into_iter().map(|alias| (alias, room_id)));
    }
    for alias in ["#one:test", "#two:test"] {
        let alias: OwnedRoomAliasId = alias.try_into().unwrap();
        let room = commands.resolve_alias(&alias).await.map_err(|error| error.to_string())?;
        let mut rooms = named.iter().filter(|(name, _)| *name == alias).map(|(_, room)| *room);
        let right = match &room {
            Some(room) => rooms.any(|it| it == room),
            None => rooms.next().is_none(),
        };
        if !right {
            return Err(format!("{alias} points to {room:?}, and is used as {named:?}"));
        }
    }
    Ok(())
}

/// I5: the states that a write side serves are those of the log.
async fn served_is_folded(
    folded: Option<&Room>,
    commands: &Commands,
    room_id: &OwnedRoomId,
) -> Result<(), String> {
    let expected = state(folded);
    let stream_state = commands.rooms.state_of(room_id.as_str());
    let served = commands.core.read_state(&commands.rooms, &stream_state, state).await;
    let served = served.map_err(|error: HandleError| error.to_string())?;
    if served == expected {
        return Ok(());
    }
    Err(format!("{room_id} is served as {served:?}, and the log says {expected:?}"))
}

fn state(room: Option<&Room>) -> Vec<String> {
    let events = room.into_iter().flat_map(Room::state_events);
    let mut ids: Vec<_> = events.map(|pdu| pdu.event_id.to_string()).collect();
    ids.sort();
    ids.extend(room.iter().flat_map(|room| room.forward_extremities()).map(ToString::to_string));
    ids
}
