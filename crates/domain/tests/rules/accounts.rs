//! Accounts and aliases.

use rookery_domain::{
    Account, AccountCommand, AccountEvent, Alias, AliasCommand, AliasEvent, Bound, Notifications,
    OwnedRoomAliasId, OwnedRoomId, Profile, Rejection, RoomPreferences, RoomPreferencesChange,
    ServerName, normal_alias,
};

use crate::support::{ALICE, BOB, user};

fn renamed(name: &str) -> AccountEvent {
    AccountEvent::ProfileChanged { displayname: Some(name.to_owned()), avatar_url: None }
}

fn rename(name: &str) -> AccountCommand {
    let displayname = Some(name.to_owned());
    AccountCommand::SetProfile { profile: Profile { displayname, avatar_url: None } }
}

#[test]
fn a_profile_changes_once() {
    let account = Account::default();
    assert_eq!(account.decide(&rename("Al")), Ok(vec![renamed("Al")]));
    let account = Account::replay(&[renamed("Al")]);
    assert_eq!(account.decide(&rename("Al")), Ok(Vec::new()));
    assert_eq!(account.profile().displayname.as_deref(), Some("Al"));
}

#[test]
fn a_profile_is_replaced_as_a_whole() {
    let account = Account::replay(&[renamed("Al")]);
    let avatar_url = Some("mxc://rook.example/a".to_owned());
    let displayname = Some("Al".to_owned());
    let profile = Profile { displayname: displayname.clone(), avatar_url: avatar_url.clone() };
    let command = AccountCommand::SetProfile { profile };
    let changed = AccountEvent::ProfileChanged { displayname, avatar_url };
    assert_eq!(account.decide(&command), Ok(vec![changed.clone()]));
    let account = Account::replay(&[renamed("Al"), changed]);
    let command = AccountCommand::SetProfile { profile: Profile::default() };
    let gone = AccountEvent::ProfileChanged { displayname: None, avatar_url: None };
    assert_eq!(account.decide(&command), Ok(vec![gone]));
}

#[test]
fn names_have_a_limit_and_avatars_a_form() {
    let account = Account::default();
    assert!(account.decide(&rename(&"x".repeat(256))).is_ok());
    assert_eq!(account.decide(&rename(&"x".repeat(257))).unwrap_err().code(), "TOO_LARGE");
    let avatar_url = Some("http://a/b".to_owned());
    let command = AccountCommand::SetProfile { profile: Profile { displayname: None, avatar_url } };
    assert_eq!(account.decide(&command).unwrap_err().code(), "INVALID_CONTENT");
}

#[test]
fn a_name_shows_something_or_is_taken_away() {
    let account = Account::replay(&[renamed("Al")]);
    for nothing in
        [" ", "\u{200b}", "\u{feff}", "\u{202e}", "\u{3164}", "\u{301}\u{301}", "\u{2800}"]
    {
        assert_eq!(
            account.decide(&rename(nothing)).unwrap_err().code(),
            "SHOWS_NOTHING",
            "{nothing:?}"
        );
    }
    for name in ["a\u{200b}", "🦊", "\u{200f}שלום"] {
        assert_eq!(account.decide(&rename(name)), Ok(vec![renamed(name)]));
    }
    assert!(account.decide(&rename("")).is_ok());
    let account = Account::replay(&[renamed("\u{200b}")]);
    assert_eq!(account.decide(&rename("Al")), Ok(vec![renamed("Al")]));
}

fn read(sequence: u64, private: bool) -> AccountCommand {
    let event_id = "$event".try_into().unwrap();
    AccountCommand::MarkRead { room_id: room("a"), event_id, sequence, private }
}

/// Moves the receipts one after the other, and returns which of them changed something.
fn reads(marks: &[(u64, bool)]) -> Vec<bool> {
    let mut account = Account::default();
    let moves = |(sequence, private): &(u64, bool)| {
        let events = account.decide(&read(*sequence, *private)).unwrap();
        for event in &events {
            account.evolve(event);
        }
        !events.is_empty()
    };
    marks.iter().map(moves).collect()
}

#[test]
fn what_was_read_never_goes_backwards() {
    assert_eq!(
        reads(&[(5, false), (5, false), (4, false), (6, false)]),
        [true, false, false, true]
    );
    assert_eq!(reads(&[(5, true), (4, true), (6, true)]), [true, false, true]);
}

#[test]
fn a_private_mark_says_more_than_a_public_one_only_if_it_is_further() {
    assert_eq!(reads(&[(5, false), (5, true), (6, true)]), [true, false, true]);
}

#[test]
fn what_was_read_in_private_can_be_made_public() {
    assert_eq!(reads(&[(5, true), (5, false), (4, false)]), [true, true, false]);
}

#[test]
fn each_room_is_read_by_itself() {
    let mut account = Account::default();
    account.decide(&read(5, false)).unwrap().iter().for_each(|event| account.evolve(event));
    let event_id = "$event".try_into().unwrap();
    let other =
        AccountCommand::MarkRead { room_id: room("b"), event_id, sequence: 1, private: false };
    assert_eq!(account.decide(&other).unwrap().len(), 1);
}

fn prefer(name: &str, change: RoomPreferencesChange) -> AccountCommand {
    AccountCommand::SetRoomPreferences { room_id: room(name), change }
}

fn favourite(is_favourite: bool) -> RoomPreferencesChange {
    RoomPreferencesChange { is_favourite: Some(is_favourite), ..RoomPreferencesChange::default() }
}

/// Carries out the command, and returns its events.
fn carry_out(account: &mut Account, command: &AccountCommand) -> Vec<AccountEvent> {
    let events = account.decide(command).unwrap();
    for event in &events {
        account.evolve(event);
    }
    events
}

#[test]
fn preferences_that_a_change_leaves_out_stay() {
    let mut account = Account::default();
    let changed = |notifications, is_favourite| {
        let preferences = RoomPreferences { notifications, is_favourite, is_direct: false };
        vec![AccountEvent::RoomPreferencesChanged { room_id: room("a"), preferences }]
    };
    let mute = RoomPreferencesChange {
        notifications: Some(Notifications::None),
        ..RoomPreferencesChange::default()
    };
    let told = carry_out(&mut account, &prefer("a", favourite(true)));
    assert_eq!(told, changed(Notifications::All, true));
    assert_eq!(carry_out(&mut account, &prefer("a", favourite(true))), []);
    let told = carry_out(&mut account, &prefer("a", mute));
    assert_eq!(told, changed(Notifications::None, true));
    let told = carry_out(&mut account, &prefer("a", favourite(false)));
    assert_eq!(told, changed(Notifications::None, false));
    assert_eq!(carry_out(&mut account, &prefer("b", favourite(false))), [], "the defaults");
    assert_eq!(carry_out(&mut account, &prefer("b", RoomPreferencesChange::default())), []);
}

#[test]
fn a_user_has_preferences_for_so_many_rooms_and_the_defaults_make_room() {
    let mut account = Account::default();
    let max = Bound::RoomPreferences.max();
    for number in 0..max {
        carry_out(&mut account, &prefer(&number.to_string(), favourite(true)));
    }
    let one_more = prefer("more", favourite(true));
    let refused = account.decide(&one_more).unwrap_err();
    assert_eq!(refused.code(), "TOO_MANY_PREFERENCES");
    let direct = RoomPreferencesChange { is_direct: Some(true), ..favourite(true) };
    assert_eq!(carry_out(&mut account, &prefer("7", direct)).len(), 1, "a room of them");
    let defaults = RoomPreferencesChange { is_direct: Some(false), ..favourite(false) };
    assert_eq!(carry_out(&mut account, &prefer("7", defaults)).len(), 1);
    assert_eq!(carry_out(&mut account, &one_more).len(), 1);
}

#[test]
fn notifications_include_messages_by_whether_they_mention_the_user() {
    let of = |notifications: Notifications| [false, true].map(|it| notifications.include(it));
    assert_eq!(of(Notifications::All), [true, true]);
    assert_eq!(of(Notifications::Mentions), [false, true]);
    assert_eq!(of(Notifications::None), [false, false]);
}

fn den() -> OwnedRoomAliasId {
    "#den:rook.example".try_into().unwrap()
}

fn room(name: &str) -> OwnedRoomId {
    format!("!{name}:rook.example").try_into().unwrap()
}

fn claim(name: &str) -> AliasCommand {
    AliasCommand::Claim { room_id: room(name) }
}

fn claimed() -> Alias {
    Alias::replay(&[AliasEvent::Claimed { room_id: room("a"), by: user(ALICE).to_owned() }])
}

fn ask(alias: &Alias, sender: &str, command: &AliasCommand) -> Result<Vec<AliasEvent>, Rejection> {
    alias.decide(&den(), command, user(sender), <&ServerName>::try_from("rook.example").unwrap())
}

#[test]
fn a_free_alias_is_claimed() {
    let event = AliasEvent::Claimed { room_id: room("a"), by: user(BOB).to_owned() };
    assert_eq!(ask(&Alias::default(), BOB, &claim("a")), Ok(vec![event]));
    let released = AliasEvent::Released { by: user(ALICE).to_owned() };
    let mut free = claimed();
    free.evolve(&released);
    assert_eq!(free.room_id(), None);
    assert!(ask(&free, BOB, &claim("b")).is_ok());
}

#[test]
fn an_alias_points_to_one_room() {
    assert_eq!(ask(&claimed(), BOB, &claim("a")), Ok(Vec::new()));
    let taken = Rejection::AliasTaken { alias: den() };
    assert_eq!(ask(&claimed(), ALICE, &claim("b")), Err(taken.clone()));
    assert_eq!(taken.code(), "ALIAS_TAKEN");
}

#[test]
fn names_that_look_the_same_are_one_alias() {
    let normal = |name: &str| {
        let alias: OwnedRoomAliasId = format!("#{name}:rook.example").try_into().unwrap();
        normal_alias(&alias).to_string()
    };
    for same in [
        "caf\u{e9}",
        "cafe\u{301}",
        "CAF\u{c9}",
        "Cafe\u{301}",
        "ca\u{200b}f\u{e9}",
        "caf\u{e9}\u{fe0f}",
    ] {
        assert_eq!(normal(same), "#caf\u{e9}:rook.example", "{same:?}");
    }
    assert_eq!(normal("STRASSE"), normal("stra\u{df}e"));
    assert_ne!(normal("cafe"), normal("caf\u{e9}"));
    let invisible: OwnedRoomAliasId = "#\u{200b}:rook.example".try_into().unwrap();
    let server = <&ServerName>::try_from("rook.example").unwrap();
    let decided = Alias::default().decide(&invisible, &claim("a"), user(ALICE), server);
    assert_eq!(decided.unwrap_err().code(), "INVALID_ALIAS");
}

#[test]
fn an_alias_is_released_by_its_owner_or_by_power() {
    let (release, forced) =
        (AliasCommand::Release { with_power: false }, AliasCommand::Release { with_power: true });
    let by = |id| vec![AliasEvent::Released { by: user(id).to_owned() }];
    assert_eq!(ask(&claimed(), ALICE, &release), Ok(by(ALICE)));
    assert_eq!(ask(&claimed(), BOB, &forced), Ok(by(BOB)));
    let refused = Rejection::AliasNotYours { alias: den() };
    assert_eq!(ask(&claimed(), BOB, &release), Err(refused));
    assert_eq!(ask(&Alias::default(), BOB, &release), Ok(Vec::new()));
}

#[test]
fn an_alias_of_another_server_is_not_ours_to_give() {
    let server = <&ServerName>::try_from("else.example").unwrap();
    let refused = Alias::default().decide(&den(), &claim("a"), user(ALICE), server);
    assert_eq!(refused.unwrap_err().code(), "INVALID_ALIAS");
}
