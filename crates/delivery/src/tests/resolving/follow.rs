//! A client that applies the items of its feed.

use rookery_domain::{Membership, OwnedUserId};
use rookery_log::{Position, StreamId, StreamKind};

use super::story::{State, Story};
use crate::{
    FeedItem, Feeds,
    feed::Feed,
    tests::testing::{room, user},
};

pub(super) struct Client {
    user: OwnedUserId,
    feed: Feed,
    position: Position,
    is_in: bool,
    state: State,
    /// The sequence of the last event of the room that was received or skipped.
    sequence: u64,
    /// All received items, as words.
    pub(super) told: Vec<String>,
}

impl Client {
    pub(super) fn new(name: &str) -> Self {
        Self {
            user: user(name),
            feed: Feed::new(&user(name), []),
            position: Position::ORIGIN,
            is_in: false,
            state: State::new(),
            sequence: 0,
            told: Vec::new(),
        }
    }

    /// Starts again from the reached position.
    pub(super) fn resume(&mut self, models: &Feeds) {
        let view = models.view();
        let memberships = view.memberships_of(&self.user).map(|(room, _)| {
            let stream = StreamId::new(StreamKind::Room, room.as_str());
            (stream, view.membership_at(room, &self.user, self.position))
        });
        self.feed = Feed::new(&self.user, memberships);
    }

    pub(super) async fn catch_up(&mut self, models: &Feeds, story: &Story) {
        let follower = models.follower();
        loop {
            let batch = follower.next(self.position, 3).await.unwrap();
            if batch.commits.is_empty() {
                return;
            }
            for commit in &batch.commits {
                for item in self.feed.take(commit, models.reader()).unwrap() {
                    self.apply(&item, models, story);
                }
            }
            self.position = batch.position;
        }
    }

    fn apply(&mut self, item: &FeedItem, models: &Feeds, story: &Story) {
        match item {
            FeedItem::Opened { committed, index } => {
                self.told.push("opened".into());
                assert!(!self.is_in);
                self.is_in = true;
                self.sequence = committed.sequence(*index) - 1;
                // The room as it is now, which may be later than the feed.
                let view = models.view();
                let found = view.room(&room("a")).unwrap();
                self.state = found
                    .state_all()
                    .map(|(kind, state_key, key)| {
                        let of = |commit: &&std::sync::Arc<rookery_projection::Committed>| {
                            commit.position == key.position
                        };
                        let commit = story.commits.iter().find(of).unwrap();
                        let event = commit.room_event(key.index.into()).unwrap();
                        ((kind.into(), state_key.into()), event.pdu.event_id.clone())
                    })
                    .collect();
            }
            FeedItem::Closed { how, by, .. } => {
                self.told.push(format!("closed {how:?} by {}", by.event_id));
                self.is_in = false;
            }
            FeedItem::Event { committed, index, late } => {
                let event = committed.room_event(*index).unwrap();
                self.told.push(format!("{} late {late}", event.pdu.event_id));
                if self.is_in {
                    self.count(committed.sequence(*index));
                }
                if let Some((kind, state_key)) = event.pdu.state_slot() {
                    let slot = (kind, state_key.to_owned());
                    let held = story.state_after(committed.position, *index).get(&slot);
                    assert_eq!(held, Some(&event.pdu.event_id), "no state after its successor");
                    self.state.insert(slot, event.pdu.event_id.clone());
                }
            }
            FeedItem::Skipped { committed, index, why } => {
                self.told.push(format!("skipped {why:?}"));
                self.count(committed.sequence(*index));
            }
            FeedItem::Resolved { committed, index, kind, state_key, holder } => {
                self.told.push(format!("resolved {kind} {state_key} {holder:?}"));
                let slot = (kind.clone(), state_key.clone());
                let holder = holder.map(|at| {
                    let mut commits = story.commits.iter();
                    let commit = commits.find(|commit| commit.position == at.position).unwrap();
                    commit.room_event(at.index).unwrap().pdu.event_id.clone()
                });
                let held = story.state_after(committed.position, *index).get(&slot);
                assert_eq!(held, holder.as_ref(), "what is told holds");
                match holder {
                    Some(event) => self.state.insert(slot, event),
                    None => self.state.remove(&slot),
                };
            }
            FeedItem::Invited { .. } => self.told.push("invited".into()),
            other => self.told.push(format!("{other:?}")),
        }
    }

    /// The sequences of a room of the user have no gap and no repeat.
    fn count(&mut self, sequence: u64) {
        assert_eq!(sequence, self.sequence + 1, "after {:?}", self.told);
        self.sequence = sequence;
    }

    pub(super) fn check_end(&self, story: &Story) {
        let is_in = story.membership(&self.user) == Membership::Join;
        assert_eq!(self.is_in, is_in, "{}: {:?}", self.user, self.told);
        if is_in {
            assert_eq!(self.state, *story.state(), "{}: {:?}", self.user, self.told);
        }
    }
}
