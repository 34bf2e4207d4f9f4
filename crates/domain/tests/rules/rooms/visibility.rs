//! Visibility: every history of five steps against an oracle that follows the rules word by word,
//! and the cases in which other servers failed.

use rookery_domain::{
    Change, Histories,
    HistoryVisibility::{self, Invited, Joined, Shared, WorldReadable},
    Membership::{self, Ban, Invite, Join, Knock, Leave},
    MembershipStep, PastViewing, sees_state, visible,
};

const SETTINGS: [HistoryVisibility; 4] = [WorldReadable, Shared, Invited, Joined];

const STEPS: [Membership; 5] = [Leave, Knock, Invite, Join, Ban];

/// One event of a room, as the oracle reads it.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A message of another user.
    Said,
    /// The viewer's own member event.
    Became(Membership),
    /// The setting of the room's history.
    Set(HistoryVisibility),
}

/// The rules in prose, one after the other, over the plain list of events. Event `n` has
/// sequence `n + 1`.
fn oracle(room: &[Event], index: usize) -> bool {
    let mut me = Membership::None;
    let mut setting_before = Shared;
    let mut setting = Shared;
    for event in &room[..=index] {
        setting_before = setting;
        match event {
            Event::Said => {}
            Event::Became(next) => me = *next,
            Event::Set(next) => setting = *next,
        }
    }
    // One's own invite, join, leave, kick and ban is always delivered.
    if let Event::Became(_) = room[index] {
        return true;
    }
    // A user who was joined at the event sees it.
    if me == Join {
        return true;
    }
    let mut joins_afterwards = false;
    for event in &room[index + 1..] {
        if let Event::Became(Join) = event {
            joins_afterwards = true;
        }
    }
    // Otherwise the setting at that event decides; for a change of it, the more open one.
    let allows = |setting| match setting {
        WorldReadable => true,
        Shared => joins_afterwards,
        Invited => joins_afterwards && me == Invite,
        Joined => false,
    };
    allows(setting_before) && matches!(room[index], Event::Set(_)) || allows(setting)
}

/// A value from the event with this sequence on.
#[derive(Clone, Copy, Debug)]
struct Step<T>(u64, T);

impl<T: Copy> Change<T> for Step<T> {
    fn sequence(&self) -> u64 {
        self.0
    }

    fn value(&self) -> T {
        self.1
    }
}

impl MembershipStep for Step<Membership> {
    fn is_own(&self) -> bool {
        true
    }
}

fn subject(room: &[Event], index: usize) -> bool {
    let (mut memberships, mut settings) = (Vec::new(), Vec::new());
    for (event, sequence) in room.iter().zip(1..) {
        match event {
            Event::Said => {}
            Event::Became(next) => memberships.push(Step(sequence, *next)),
            Event::Set(next) => settings.push(Step(sequence, *next)),
        }
    }
    Histories::new(&memberships, &settings).sees(index as u64 + 1)
}

/// All membership histories of at most five steps.
fn histories() -> Vec<Vec<Membership>> {
    let mut all = vec![Vec::new()];
    let mut longest = vec![Vec::new()];
    for _ in 0..5 {
        longest = longest
            .iter()
            .flat_map(|history: &Vec<Membership>| {
                STEPS.map(|step| history.iter().copied().chain([step]).collect())
            })
            .collect();
        all.extend(longest.iter().cloned());
    }
    all
}

/// A room with messages before, between and after the steps.
fn room(first: Option<HistoryVisibility>, steps: &[Membership]) -> Vec<Event> {
    let mut room: Vec<_> = first.map(Event::Set).into_iter().collect();
    room.push(Event::Said);
    for step in steps {
        room.extend([Event::Became(*step), Event::Said]);
    }
    room
}

#[track_caller]
fn agree(room: &[Event]) {
    for index in 0..room.len() {
        assert_eq!(subject(room, index), oracle(room, index), "event {index} of {room:?}");
    }
}

#[test]
fn every_history_of_five_steps_agrees_with_the_oracle_under_every_setting() {
    for steps in histories() {
        agree(&room(None, &steps));
        for setting in SETTINGS {
            agree(&room(Some(setting), &steps));
        }
    }
}

#[test]
fn every_history_agrees_with_the_oracle_when_the_setting_changes_anywhere() {
    for steps in histories().iter().filter(|steps| steps.len() <= 4) {
        for (first, second) in SETTINGS.iter().flat_map(|it| SETTINGS.map(|next| (*it, next))) {
            let before = room(Some(first), steps);
            // Between two messages' places, so each relation of change, step and message occurs.
            for place in (2..=before.len()).step_by(2) {
                let mut changed = before.clone();
                changed.insert(place, Event::Set(second));
                agree(&changed);
            }
        }
    }
}

/// Whether a viewer sees an event by the knowledge of a server that has the events from `begin` on,
/// and fetched those before it later.
fn subject_of_past(room: &[Event], begin: usize, index: usize) -> bool {
    let (mut me, mut setting, mut setting_before) = (Membership::None, Shared, Shared);
    let mut at = None;
    let mut arrived = Vec::new();
    for (place, event) in room.iter().enumerate() {
        setting_before = if place <= index { setting } else { setting_before };
        match event {
            Event::Became(next) => me = *next,
            Event::Set(next) if place <= index => setting = *next,
            Event::Said | Event::Set(_) => {}
        }
        if place == index {
            at = Some(PastViewing {
                own_membership: matches!(event, Event::Became(_)),
                membership: me,
                visibility: setting_before.max(setting),
            });
        }
        // The state of the room begins with its first event here.
        if place == begin || (place > begin && matches!(event, Event::Became(_))) {
            arrived.push(Step((place - begin) as u64 + 1, me));
        }
    }
    let settings: [Step<HistoryVisibility>; 0] = [];
    visible(&Histories::new(&arrived, &settings).viewing_past(1, &at.unwrap()))
}

#[test]
fn fetched_history_shows_no_more_than_if_it_had_been_here_all_the_time() {
    let (mut compared, mut stricter) = (0, 0);
    for steps in histories().iter().filter(|steps| steps.len() <= 4) {
        for (first, second) in SETTINGS.iter().flat_map(|it| SETTINGS.map(|next| (*it, next))) {
            let mut all = room(Some(first), steps);
            all.insert(2, Event::Set(second));
            for (begin, index) in (1..all.len()).flat_map(|it| (0..it).map(move |at| (it, at))) {
                let (shown, whole) = (subject_of_past(&all, begin, index), oracle(&all, index));
                assert!(whole || !shown, "event {index} of {all:?}, from {begin}");
                // A join that was over before the first event here is not known.
                let joined = |event: &Event| matches!(event, Event::Became(Join));
                let was_over = all[index + 1..begin].iter().any(joined);
                assert!(was_over || shown == whole, "event {index} of {all:?}, from {begin}");
                compared += 1;
                stricter += usize::from(shown != whole);
            }
        }
    }
    assert!(compared > 100_000 && stricter > 0, "{compared}, {stricter}");
}

/// Which messages before, between and after these steps the viewer sees.
fn said(setting: HistoryVisibility, steps: &[Membership]) -> Vec<bool> {
    let room = room(Some(setting), steps);
    let said = (0..room.len()).filter(|index| matches!(room[*index], Event::Said));
    said.map(|index| subject(&room, index)).collect()
}

#[test]
fn a_kicked_knocker_reads_nothing() {
    for setting in [Shared, Invited, Joined] {
        assert_eq!(said(setting, &[Knock, Leave]), [false, false, false]);
    }
}

#[test]
fn who_is_invited_sees_nothing_but_the_invite_until_she_joins() {
    for setting in [Shared, Invited, Joined] {
        assert_eq!(said(setting, &[Invite]), [false, false]);
        assert_eq!(said(setting, &[Invite, Leave]), [false, false, false]);
    }
    assert_eq!(said(Shared, &[Invite, Join]), [true, true, true]);
    assert_eq!(said(Invited, &[Invite, Join]), [false, true, true]);
    assert_eq!(said(Joined, &[Invite, Join]), [false, false, true]);
}

#[test]
fn after_leave_kick_or_ban_there_is_nothing_newer() {
    for (setting, end) in
        [Shared, Invited, Joined].iter().flat_map(|setting| [Leave, Ban].map(|end| (*setting, end)))
    {
        let sees = said(setting, &[Join, end]);
        assert!(sees[1]);
        assert!(!sees[2], "{setting:?} after {end:?}");
    }
}

#[test]
fn what_was_said_while_she_was_away_shows_after_she_is_back_only_where_history_is_shared() {
    assert_eq!(said(Shared, &[Join, Leave, Join]), [true, true, true, true]);
    assert_eq!(said(Invited, &[Join, Leave, Join]), [false, true, false, true]);
    assert_eq!(said(Joined, &[Join, Leave, Join]), [false, true, false, true]);
}

#[test]
fn what_was_said_before_a_room_opened_stays_closed() {
    let room = [
        Event::Set(Joined),
        Event::Said,
        Event::Set(WorldReadable),
        Event::Said,
        Event::Set(Joined),
        Event::Said,
    ];
    let sees: Vec<_> = (0..room.len()).map(|index| subject(&room, index)).collect();
    // The viewer sees those changes of which the old or the new setting is open.
    assert_eq!(sees, [false, false, true, true, true, false]);
}

#[test]
fn everybody_reads_a_world_readable_room() {
    assert_eq!(said(WorldReadable, &[]), [true]);
    assert_eq!(said(WorldReadable, &[Ban]), [true, true]);
}

#[test]
fn only_members_see_the_state_of_a_room_that_is_not_world_readable() {
    for membership in [Membership::None, Leave, Knock, Invite, Ban] {
        assert!(!sees_state(membership, Shared));
        assert!(sees_state(membership, WorldReadable));
    }
    assert!(sees_state(Join, Joined));
}

#[test]
fn a_renamed_member_has_not_joined_again() {
    let room = [Event::Became(Join), Event::Said, Event::Became(Join), Event::Said];
    let memberships = [Step(1, Join), Step(3, Join)];
    let settings: [Step<HistoryVisibility>; 0] = [];
    let histories = Histories::new(&memberships, &settings);
    assert!(!histories.viewing_at(4).joined_later);
    assert_eq!(histories.viewing_at(3).membership, Join);
    agree(&room);
}

#[test]
fn the_state_before_an_event_is_seen_by_the_membership_and_the_setting_before_it() {
    let memberships = [Step(2, Join), Step(4, Leave)];
    let settings = [Step(1, Joined), Step(6, WorldReadable)];
    let histories = Histories::new(&memberships, &settings);
    let seen = [1, 2, 3, 4, 5, 6, 7].map(|sequence| histories.saw_state_before(sequence));
    assert_eq!(seen, [false, false, true, true, false, false, true]);
}
