//! A subscriber receives the items of the simple feed, whatever other users do.

mod counting;
mod far;
mod follower;
mod story;

use std::sync::Arc;

use proptest::{collection::vec, prelude::*, strategy::ValueTree};
use rookery_domain::AccountEvent;
use rookery_log::Position;

use self::{
    follower::{Follower, told_by_oracle},
    story::{Act, act, play},
};
use crate::{
    Feeds,
    tests::testing::{Options, Scene, settle, user},
};

const USERS: [&str; 3] = ["alice", "bob", "carol"];

/// Small enough that inboxes overflow all the time.
fn narrow(inbox: usize, ring: usize) -> Options {
    Options {
        inbox_commits_max: Some(inbox),
        ring_commits_max: Some(ring),
        rebuild_threads: 1,
        ..Options::default()
    }
}

async fn begin(options: Options) -> (Scene, Feeds) {
    let mut scene = Scene::new();
    scene.create("tea", "alice").await;
    scene.create("pot", "bob").await;
    let models = scene.open_with(options).await;
    (scene, models)
}

/// An operation between two steps of the projector.
#[derive(Clone, Debug)]
enum Step {
    Acts(Vec<Act>),
    /// A follower takes up to this many turns, and leaves the rest of a page after this many
    /// commits.
    Read(usize, usize, usize),
    /// A follower is disconnected and resumes.
    Cut(usize),
    /// A follower moves past commits that do not concern it.
    PassOver(usize),
    /// All followers have to continue from the log, as after a rebuild.
    StartAnew,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => vec(act(), 1..8).prop_map(Step::Acts),
        6 => (0..USERS.len() * 2, 1usize..6, 1usize..6)
            .prop_map(|(who, turns, of_page)| Step::Read(who, turns, of_page)),
        2 => (0..USERS.len() * 2).prop_map(Step::Cut),
        3 => (0..USERS.len() * 2).prop_map(Step::PassOver),
        1 => Just(Step::StartAnew),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_subscription_tells_what_the_plain_feed_tells_over_cuts_and_overflows(
        steps in vec(step(), 1..24),
        inbox in 1usize..6,
        ring in 1usize..12,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut scene, models) = begin(narrow(inbox, ring)).await;
            let start = models.view().position();
            // For each user, a follower from the beginning, and one that starts now.
            let mut followers: Vec<_> = USERS.iter().flat_map(|name| [
                Follower::after(&models, name, Position::ORIGIN),
                Follower::live(&models, name),
            ]).collect();
            for step in &steps {
                match step {
                    Step::Acts(acts) => {
                        for act in acts {
                            play(&mut scene, act).await;
                        }
                        settle(&models).await;
                    }
                    Step::Read(who, turns, of_page) => {
                        followers[*who].read(*turns, *of_page).await;
                    }
                    Step::Cut(who) => followers[*who].cut(&models),
                    Step::PassOver(who) => followers[*who].pass_over(),
                    Step::StartAnew => rookery_projection::Observer::reset(models.live()),
                }
            }
            for (number, follower) in followers.iter_mut().enumerate() {
                follower.read(usize::MAX, usize::MAX).await;
                let after = if number % 2 == 0 { Position::ORIGIN } else { start };
                let name = USERS[number / 2];
                let expected = told_by_oracle(&scene, &models, &user(name), after).await;
                prop_assert_eq!(&follower.told, &expected, "{}", name);
            }
            Ok(())
        })?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn subscriptions_that_race_with_the_projector_miss_nothing_and_repeat_nothing() {
    const ACTS: usize = 1_500;
    let (mut scene, models) = begin(narrow(8, 64)).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let runner = models.clone();
    let running =
        tokio::spawn(async move { runner.models().run(async { drop(stopped.await) }).await });
    let end = Arc::new(tokio::sync::OnceCell::<Position>::new());
    let mut following = Vec::new();
    for (number, name) in USERS.iter().cycle().take(9).enumerate() {
        let mut follower = Follower::after(&models, name, Position::ORIGIN);
        let (models, end) = (models.clone(), Arc::clone(&end));
        following.push(tokio::spawn(async move {
            // Some read steadily, some in bursts, and some are disconnected again and again.
            while end.get().is_none_or(|end| models.models().checkpoint_now() < *end) {
                follower.read(1 + number * 7, usize::MAX).await;
                if number >= 3 {
                    follower.pass_over();
                }
                if number >= 6 {
                    follower.cut(&models);
                }
                tokio::task::yield_now().await;
            }
            follower.read(usize::MAX, usize::MAX).await;
            follower.told
        }));
    }
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..ACTS {
        let act = act().new_tree(&mut runner).unwrap().current();
        play(&mut scene, &act).await;
        tokio::task::yield_now().await;
    }
    end.set(*rookery_log::EventLog::tail(&*scene.log).borrow()).unwrap();
    for (follower, name) in following.into_iter().zip(USERS.iter().cycle()) {
        let told = follower.await.unwrap();
        let expected = told_by_oracle(&scene, &models, &user(name), Position::ORIGIN).await;
        assert_eq!(told.len(), expected.len(), "{name}");
        assert_eq!(told, expected, "{name}");
    }
    drop(stop);
    running.await.unwrap();
}

#[tokio::test]
async fn whoever_hears_nothing_is_told_a_position_from_which_nothing_is_missed() {
    let (mut scene, models) = begin(Options { rebuild_threads: 1, ..Options::default() }).await;
    let mut follower = Follower::live(&models, "carol");
    let start = models.view().position();
    play(&mut scene, &Act::Message(0, 0)).await;
    settle(&models).await;
    let routed = models.live().router.position();
    assert!(routed > start);
    follower.pass_over();
    assert_eq!(follower.position(), routed, "the room is none of hers");
    play(&mut scene, &Act::Member { room: 0, by: 2, whom: 2, what: 0 }).await;
    settle(&models).await;
    follower.pass_over();
    assert_eq!(follower.position(), routed, "what waits for her is not passed over");
    follower.cut(&models);
    follower.read(usize::MAX, usize::MAX).await;
    let expected = told_by_oracle(&scene, &models, &user("carol"), start).await;
    assert!(!expected.is_empty());
    assert_eq!(follower.told, expected);
}

#[tokio::test]
async fn the_present_list_of_ignored_users_decides_for_older_commits() {
    let (mut scene, models) = begin(narrow(4, 4)).await;
    let from = scene.member("tea", "bob", "join").await;
    let user_id = user("bob");
    let ignores = AccountEvent::UserIgnored { user_id: user_id.clone() };
    let unignores = AccountEvent::UserUnignored { user_id };
    // Bob was ignored, was not while he sent the message, and is ignored now.
    scene.account("alice", ignores.clone()).await;
    scene.account("alice", unignores.clone()).await;
    scene.message("tea", "bob").await;
    scene.account("alice", ignores).await;
    settle(&models).await;
    let mut follower = Follower::after(&models, "alice", from);
    follower.read(100, 100).await;
    // Later changes of the list hold from there on.
    scene.account("alice", unignores).await;
    scene.message("tea", "bob").await;
    settle(&models).await;
    follower.read(100, 100).await;
    let words = follower.told.iter().filter_map(|told| told.split_once(": "));
    let words: Vec<_> = words.map(|(_, word)| word).collect();
    let change = "preferences";
    let expected = [change, change, "skipped: Ignored", change, change, "m.room.message"];
    assert_eq!(words, expected);
}
