//! Caches of states: no state is held after its commands have ended, and held states keep no others
//! in memory.

use rookery_domain::Account;

use crate::tests::{actor, commands, join, memory, public_room, say, text};
use crate::{ProfileChange, Retry, stream::cache::Cache};

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

#[test]
fn cells_that_are_held_keep_no_others_in_memory_and_go_when_they_are_let_go() {
    let cache = Cache::<Account>::new(50_000);
    let held: Vec<_> = (0..100).map(|number| cache.cell(&format!("@held{number}:test"))).collect();
    let use_others = |name: &str| {
        for number in 0..500 {
            let cell = cache.cell(&format!("@{name}{number}:test"));
            cache.weigh(&cell.stream, 1_000);
        }
    };
    use_others("first");
    let (still_held, all) = cache.held_of();
    assert_eq!(still_held, 100);
    // 100 cells of 256 bytes leave room for 19 of 1,256.
    assert!(all <= 120, "{all} cells");
    drop(held);
    use_others("second");
    let (still_held, all) = cache.held_of();
    assert_eq!(still_held, 0);
    assert!(all <= 40, "{all} cells");
}
