//! Rooms that are opened to a user with two devices, repeatedly, while others write. The events
//! before the cursor of each opening, and those on the stream after it, are the timeline.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod consumers;
mod documents;
mod follower;
mod home;
mod reads;
mod sharing;
mod store;
mod truth;

use proptest::prelude::*;
use rookery_command::testing::Rng;
use serde_json::{Value, json};

use self::{
    follower::{Follower, Opening},
    home::{Device, Home},
    truth::{Truth, truth},
};

const SETTINGS: [&str; 4] = ["WORLD_READABLE", "SHARED", "INVITED", "JOINED"];

/// The players: Ann creates the rooms, Cat writes in them, Ben comes and goes, on two devices.
struct Play {
    home: Home,
    rng: Rng,
    ann: Device,
    cat: Device,
    /// One follows a stream, the other one polls.
    ben: [Follower; 2],
    rooms: Vec<String>,
    /// A room in which Ben stays. It marks the progress of his devices.
    quiet: String,
}

impl Play {
    async fn new(seed: u64) -> Self {
        let home = Home::open().await;
        let (ann, cat) = (home.register("ann").await, home.register("cat").await);
        let ben = home.register("ben").await;
        let other = home.log_in("ben").await;
        let mut rooms = Vec::new();
        for setting in SETTINGS {
            let room = create(&home, &ann, setting).await;
            home.act(&cat, "joinRoom", json!({ "room": { "roomId": room } })).await;
            rooms.push(room);
        }
        let quiet = create(&home, &ann, "SHARED").await;
        home.act(&ben, "joinRoom", json!({ "room": { "roomId": quiet } })).await;
        let ben = [Follower::new(&home, ben, 3).await, Follower::new(&home, other, 7).await];
        Self { home, rng: Rng::new(seed), ann, cat, ben, rooms, quiet }
    }

    /// Ben acts, Ann changes Ben's membership, Cat writes: all at once. One device follows
    /// meanwhile, the other one polls now and then.
    async fn round(&mut self, number: usize) {
        let room = self.rng.pick(&self.rooms).clone();
        let deliver = *self.rng.pick(&["BOTH", "RESPONSE", "STREAM"]);
        let (which, joins) = (self.rng.below(2), !self.rng.one_in(4));
        let by_ann = *self.rng.pick(&["kickUser", "inviteUser", "banUser", "unbanUser", ""]);
        let (setting, sets) = (*self.rng.pick(&SETTINGS), self.rng.one_in(6));
        let (writes, chunks) = (self.rng.below(4), 1 + self.rng.below(5));
        let mark = format!("mark {number}");
        let Self { home, ann, cat, ben: [first, second], quiet, .. } = self;
        let user = first.device.user.to_string();
        let joining = [&*first, &*second][which].device.clone();
        let joining = Follower::new(home, joining, 4).await;
        let acts = async {
            let ben = async {
                if joins {
                    return joining.join(home, &room, deliver).await;
                }
                home.act(&joining.device, "leaveRoom", json!({ "roomId": room })).await;
                None
            };
            let ann = async {
                if !by_ann.is_empty() {
                    home.act(ann, by_ann, json!({ "roomId": room, "userId": user })).await;
                }
                if sets {
                    let input = json!({ "roomId": room, "visibility": setting });
                    home.act(ann, "setHistoryVisibility", input).await;
                }
            };
            let cat = async {
                for written in 0..writes {
                    home.say(cat, &room, &format!("{number}.{written}")).await;
                }
            };
            let (answer, (), ()) = tokio::join!(ben, ann, cat);
            answer
        };
        let acts = async {
            let answer = acts.await;
            home.say(ann, quiet, &mark).await;
            answer
        };
        let (answer, ()) = tokio::join!(acts, async {
            // The stream is cut after some chunks, and resumed.
            while !first.follow(home, &mark, chunks).await {}
        });
        match which {
            0 => first.answered(answer),
            _ => second.answered(answer),
        }
        first.look(home).await;
        if number.is_multiple_of(3) {
            while self.ben[1].poll(&self.home, chunks).await {}
        }
    }

    async fn check(mut self) -> usize {
        let [_, second] = &mut self.ben;
        while second.poll(&self.home, 100).await {}
        let (mut openings, user) = (0, second.device.user.to_string());
        self.ben.iter_mut().for_each(Follower::end);
        for room in &self.rooms {
            let truth = truth(&self.home, &self.ann, room, &user).await;
            for device in &self.ben {
                check_device(&self.home, device, room, &truth).await;
            }
            openings += truth.times.len();
        }
        self.home.close().await;
        openings
    }
}

async fn create(home: &Home, maker: &Device, setting: &str) -> String {
    let input = json!({ "preset": "PUBLIC", "historyVisibility": setting });
    let payload = home.act(maker, "createRoom", input).await;
    payload["room"]["roomId"].as_str().unwrap().to_owned()
}

async fn check_device(home: &Home, device: &Follower, room: &str, truth: &Truth) {
    let whole = device.scroll(home, room, Value::Null).await;
    assert_eq!(whole, truth.visible, "the timeline of {room}");
    let openings = device.openings.get(room).map_or(&[][..], Vec::as_slice);
    assert_eq!(openings.len(), truth.times.len(), "each device is told of each opening");
    for (opening, (from, to)) in openings.iter().zip(&truth.times) {
        let Opening { before, cursor, told, is_closed, .. } = opening;
        // For a join with the whole snapshot in its answer, the stream begins after the join.
        let begins = if *cursor == Value::Null { from + 1 } else { *from };
        assert_eq!(opening.from, begins);
        assert_eq!(*is_closed, to.is_some());
        let split = whole.partition_point(|(sequence, _)| *sequence < begins);
        assert_eq!(*before, whole[..split], "before the opening of {room} at {from}");
        let to = to.unwrap_or(u64::MAX);
        let after = whole[split..].iter().take_while(|(sequence, _)| *sequence <= to);
        assert!(told.iter().eq(after), "after the opening of {room} at {from}: {told:?}");
        assert!(told.iter().map(|(sequence, _)| *sequence).eq((begins..).take(told.len())));
        if *cursor != Value::Null {
            let again = device.scroll(home, room, cursor.clone()).await;
            assert_eq!(again, *before, "what is before the cursor stays");
        }
    }
    for answer in device.answers.iter().filter(|answer| answer.room == room) {
        let shown = whole.iter().take_while(|(sequence, _)| *sequence <= answer.at);
        assert!(answer.shown.iter().eq(shown), "the answer to the join at {}", answer.at);
    }
    for event in device.outside.get(room).into_iter().flatten() {
        assert!(whole.contains(event), "{event:?} of the user's own");
    }
}

async fn openings_of(seed: u64, rounds: usize) -> usize {
    let mut play = Play::new(seed).await;
    for number in 0..rounds {
        Box::pin(play.round(number)).await;
    }
    play.check().await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn scrollback_before_an_opening_and_the_stream_after_it_are_the_timeline(
        seed: u32, rounds in 20usize..50,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(openings_of(seed.into(), rounds));
    }
}

/// A history with many openings, so that the property above is not empty.
#[tokio::test]
async fn each_device_is_told_of_each_opening() {
    assert!(Box::pin(openings_of(7, 60)).await > 15);
}
