//! A subscriber that records its items.

use std::sync::Arc;

use rookery_domain::{OwnedUserId, UserId};
use rookery_log::{EventLog, Position, Scope};
use rookery_projection::{Committed, decode};

use super::super::feeding::word;
use crate::{
    FeedItem, Feeds, NextDelivery, Subscription,
    feed::Feed,
    tests::testing::{Scene, user},
};

pub(super) struct Follower {
    user: OwnedUserId,
    subscription: Subscription,
    pub(super) told: Vec<String>,
}

impl Follower {
    pub(super) fn after(models: &Feeds, name: &str, position: Position) -> Self {
        let user = user(name);
        let subscription = models.subscribe_after(&user, position);
        Self { user, subscription, told: Vec::new() }
    }

    pub(super) fn live(models: &Feeds, name: &str) -> Self {
        let user = user(name);
        let subscription = models.subscribe(&user);
        Self { user, subscription, told: Vec::new() }
    }

    pub(super) fn position(&self) -> Position {
        self.subscription.position()
    }

    /// Starts again from the reached position.
    pub(super) fn cut(&mut self, models: &Feeds) {
        let position = self.subscription.position();
        self.subscription = models.subscribe_after(&self.user, position);
    }

    /// Moves past commits that do not concern the follower.
    pub(super) fn pass_over(&mut self) {
        let before = self.subscription.position();
        let after = self.subscription.pass_over();
        assert!(after >= before && self.subscription.position() == after);
    }

    /// Takes up to `turns` present turns, and up to `of_page` commits of each page.
    pub(super) async fn read(&mut self, turns: usize, of_page: usize) {
        let mut turns = 0..turns;
        while turns.next().is_some() && !self.subscription.is_caught_up() {
            match self.subscription.turn().await.unwrap() {
                NextDelivery::Live(delivery) => {
                    let items = self.subscription.items(&delivery).unwrap();
                    self.write_down(&delivery.committed, &items);
                }
                NextDelivery::Behind(mut page) => {
                    let mut left = of_page;
                    while left > 0
                        && let Some(delivery) = self.subscription.take(&mut page)
                    {
                        let items = self.subscription.items(&delivery).unwrap();
                        self.write_down(&delivery.committed, &items);
                        left -= 1;
                    }
                }
            }
        }
    }

    fn write_down(&mut self, committed: &Committed, items: &[FeedItem]) {
        self.told.extend(items.iter().map(|item| told(committed, item)));
    }
}

fn told(committed: &Committed, item: &FeedItem) -> String {
    let of = match committed.receipts.first() {
        Some((_, room)) => format!(" {} {room}", committed.stream),
        None => String::new(),
    };
    format!("{}: {}{of}", committed.position, word(item))
}

/// All items of the simple feed for `who` after `after`, over the whole log.
pub(super) async fn told_by_oracle(
    scene: &Scene,
    models: &Feeds,
    who: &UserId,
    after: Position,
) -> Vec<String> {
    let mut feed = Feed::new(who, []);
    let (mut at, mut all) = (Position::ORIGIN, Vec::new());
    loop {
        let records = scene.log.read(&Scope::All, at, 4_096).await.unwrap();
        let Some(last) = records.last() else { return all };
        at = last.position;
        for commit in decode(&*scene.log, &records).await.unwrap() {
            let commit = Arc::new(commit);
            let items = feed.take(&commit, models.reader()).unwrap();
            if commit.position > after {
                all.extend(items.iter().map(|item| told(&commit, item)));
            }
        }
    }
}
