//! Caches of states: no state is held after its commands have ended, and held states keep no others
//! in memory.

use std::collections::VecDeque;

use rookery_domain::Account;

use crate::tests::{actor, commands, join, memory, open, public_room, say, text};
use crate::{Actor, CommandOptions, ProfileChange, Retry, stream::cache::Cache};

#[tokio::test]
async fn nobody_holds_the_cells_of_commands_that_have_ended() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    for number in 1..=20_u64 {
        let name = format!("user{number}");
        commands.room(&actor(&name), &room, &join(), Retry::Action(1)).await.unwrap();
        say(&commands, &name, &room, "hello").await;
        let change = ProfileChange { displayname: Some(Some(name.clone())), avatar_url: None };
        commands.set_profile(&actor(&name), &change, Retry::Action(2)).await.unwrap();
        let started = commands.start(&actor(&name), &room, &text("x"), Retry::Unnamed).await;
        commands.finish(started.unwrap()).await.unwrap();
    }
    assert_eq!(commands.accounts.held_of(), (0, 21));
    assert_eq!(commands.rooms.held_of(), (0, 1));
}

/// As an import does it: some commands are under way, and those before them have finished.
#[tokio::test]
async fn states_of_finished_commands_are_evicted_while_others_are_under_way() {
    const UNDER_WAY_MAX: usize = 16;
    let log = memory();
    let options = CommandOptions { rooms_bytes_max: 100_000, ..CommandOptions::default() };
    let commands = open(&log, None, options);
    let room = public_room(&commands, "alice").await;
    let mut under_way = VecDeque::new();
    for number in 0..400 {
        let user = Actor { device: None, ..actor(&format!("user{number}")) };
        let change = ProfileChange { displayname: Some(Some("Robin".into())), avatar_url: None };
        let profile = commands.start_profile(&user, &change, Retry::Unnamed).await.unwrap();
        let joined = commands.start(&user, &room, &join(), Retry::Unnamed).await.unwrap();
        under_way.push_back((profile, joined));
        if under_way.len() > UNDER_WAY_MAX {
            let (profile, joined) = under_way.pop_front().unwrap();
            commands.finish_profile(profile).await.unwrap();
            commands.finish(joined).await.unwrap();
        }
        let (held, all) = commands.accounts.held_of();
        assert!(held <= UNDER_WAY_MAX, "{held} states are held after {number} users");
        // An eighth of the bytes, at 256 bytes or more for each stream state.
        assert!(all <= 100_000 / 8 / 256 + UNDER_WAY_MAX, "{all} states after {number} users");
    }
    under_way.clear();
    assert_eq!((commands.accounts.held_of().0, commands.rooms.held_of().0), (0, 0));
}

#[test]
fn states_that_are_held_keep_no_others_in_memory_and_go_when_they_are_let_go() {
    let cache = Cache::<Account>::new(50_000);
    let held: Vec<_> =
        (0..100).map(|number| cache.state_of(&format!("@held{number}:test"))).collect();
    let use_others = |name: &str| {
        for number in 0..500 {
            let stream_state = cache.state_of(&format!("@{name}{number}:test"));
            cache.weigh(&stream_state.stream, 1_000);
        }
    };
    use_others("first");
    let (still_held, all) = cache.held_of();
    assert_eq!(still_held, 100);
    // 100 states of 256 bytes leave room for 19 of 1,256.
    assert!(all <= 120, "{all} states");
    drop(held);
    use_others("second");
    let (still_held, all) = cache.held_of();
    assert_eq!(still_held, 0);
    assert!(all <= 40, "{all} states");
}
