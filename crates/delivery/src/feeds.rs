//! The handle on the delivery of commits to users.

use std::sync::Arc;

use rookery_domain::{OwnedUserId, UserId};
use rookery_log::Position;
use rookery_projection::{Committed, Observer, ReadModels};
use rookery_view::{Reader, View};
use rookery_work::Turns;

use crate::{
    DeliveryCounters, Follower, Options, Subscription,
    reading::Pages,
    router::{Counters, Router},
};

/// How many streams that are behind are read at the same time, each of another user.
const CATCHING_UP_MAX: usize = 2;

/// Delivers commits to users. Cheap to clone; all clones share the router and the pages of the log.
#[derive(Clone)]
pub struct Feeds {
    pub(crate) shared: Arc<Shared>,
}

/// The state of all handles.
pub(crate) struct Shared {
    pub(crate) reader: Reader,
    pub(crate) live: Arc<Live>,
    pub(crate) options: Options,
    /// Turns of users who catch up: one piece of the log each, one user after the other. So a live
    /// user waits for at most these few pieces, however many users return at once. And a user waits
    /// for at most one piece of each other user, however much that one has to read and however
    /// slowly they take it.
    pub(crate) catching_up: Turns<OwnedUserId>,
}

/// The part that keeps step with the projector.
pub(crate) struct Live {
    pub(crate) router: Router,
    pub(crate) pages: Pages,
    pub(crate) counters: Counters,
}

impl Observer for Live {
    fn applied(&self, models: &ReadModels, commits: &[Arc<Committed>]) {
        self.router.route(commits, models, &self.counters);
    }

    fn moved(&self) {
        self.router.wake(&self.counters);
    }

    fn saving(&self) {
        tracing::debug!("delivery so far: {:?}", self.counters.now());
    }

    fn reset(&self) {
        self.router.start_anew(&self.counters);
    }
}

impl Feeds {
    /// Delivers the commits that the models of `reader` apply from now on. A server needs one.
    #[must_use]
    pub fn new(reader: Reader, options: Options) -> Self {
        let followings = Arc::clone(reader.followings());
        let live = reader.models().observe(|position| Live {
            router: Router::new(followings, position, options.inbox_commits_max),
            pages: Pages::default(),
            counters: Counters::default(),
        });
        let catching_up = Turns::new(CATCHING_UP_MAX);
        Self { shared: Arc::new(Shared { reader, live, options, catching_up }) }
    }

    /// Subscribes `user` to commits from now on.
    #[must_use]
    pub fn subscribe(&self, user: &UserId) -> Subscription {
        Subscription::live(self, user)
    }

    /// Subscribes `user` to commits after `position`: the present ones first, then new ones.
    #[must_use]
    pub fn subscribe_after(&self, user: &UserId, position: Position) -> Subscription {
        Subscription::after(self, user, position)
    }

    /// The reader of the feeds.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.shared.reader
    }

    /// The same commits without content that was redacted since they were read.
    #[must_use]
    pub fn still_clean(&self, commits: &[Arc<Committed>]) -> Vec<Arc<Committed>> {
        self.models().still_clean(commits)
    }

    /// The same for one commit.
    #[must_use]
    pub fn still_clean_one(&self, commit: &Arc<Committed>) -> Arc<Committed> {
        let now = self.still_clean(std::slice::from_ref(commit)).pop();
        now.unwrap_or_else(|| Arc::clone(commit))
    }

    /// The counters of delivery.
    #[must_use]
    pub fn counters(&self) -> DeliveryCounters {
        self.shared.live.counters.now()
    }

    /// The turns of users who catch up: each piece of the log takes one.
    #[must_use]
    pub fn catching_up(&self) -> &Turns<OwnedUserId> {
        &self.shared.catching_up
    }

    /// A reader of the log behind the models.
    #[must_use]
    pub fn follower(&self) -> Follower {
        Follower::new(self.clone())
    }

    pub(crate) fn view(&self) -> View<'_> {
        self.shared.reader.view()
    }

    pub(crate) fn live(&self) -> &Live {
        &self.shared.live
    }

    pub(crate) fn models(&self) -> &ReadModels {
        self.shared.reader.models()
    }
}
