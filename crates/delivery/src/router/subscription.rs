//! A user's subscription to the event feed.

use std::{io, sync::Arc};

use rookery_domain::UserId;
use rookery_log::Position;
use rookery_projection::Committed;

use super::{
    counters::Counters,
    inbox::{Inbox, Waiting},
};
use crate::{
    Delivery, FeedItem, Feeds, FollowError,
    feed::{Ignoring, Memberships, Own},
    reading::{PAGE_COMMITS, Search, Searched, Shortcut, left_of_page},
};

/// Commits that are routed under the lock of the router when a subscriber joins the live side.
const SEAM_COMMITS: usize = 32;

/// The same for a subscriber that was near and did not join in several laps.
const SEAM_COMMITS_MAX: usize = 1_024;

/// The next delivery.
#[derive(Debug)]
pub enum NextDelivery {
    /// A live commit that concerns the user.
    Live(Delivery),
    /// Commits of the log. [`Subscription::take`] selects those that concern the user.
    Behind(CommitPage),
}

/// Consecutive commits for a subscriber that is behind. Do not keep it across an `await` on a
/// client: content that is redacted meanwhile stays in it.
#[derive(Debug, Default)]
pub struct CommitPage {
    commits: std::vec::IntoIter<Arc<Committed>>,
}

impl CommitPage {
    fn of(commits: Vec<Arc<Committed>>) -> Self {
        Self { commits: commits.into_iter() }
    }

    /// Leaves out the commits after `end`. Returns whether there were only such commits.
    fn end_at(&mut self, end: Position) -> bool {
        let commits = std::mem::take(&mut self.commits);
        let is_after = commits.as_slice().first().is_some_and(|first| first.position > end);
        *self = Self::of(commits.take_while(|commit| commit.position <= end).collect());
        is_after
    }
}

/// Follows the log for one user. Behind, it reads along the log; live, commits are pushed to it.
pub struct Subscription {
    feeds: Feeds,
    own: Arc<Own>,
    ignoring: Ignoring,
    position: Position,
    side: Side,
}

enum Side {
    Behind(Behind),
    Live(Arc<Inbox>),
}

struct Behind {
    memberships: Memberships,
    /// Pages that were read near the live side.
    laps: u32,
    /// Whether a search for the shortcut has run or is running.
    searched: bool,
    search: Option<Box<Search>>,
    shortcut: Option<Shortcut>,
}

impl Subscription {
    pub(crate) fn live(feeds: &Feeds, user: &UserId) -> Self {
        let mut subscription = Self::after(feeds, user, feeds.live().router.position());
        subscription.join(None);
        subscription
    }

    pub(crate) fn after(feeds: &Feeds, user: &UserId, position: Position) -> Self {
        Counters::up(&feeds.live().counters.subscribers);
        let own = Arc::new(Own::new(user));
        let side = Side::behind(&own);
        let ignoring = Ignoring::now(&feeds.view(), user);
        Self { feeds: feeds.clone(), own, ignoring, position, side }
    }

    /// The position up to which all deliveries for the user were given out.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The items of `delivery` for the user. Deliveries come in order.
    ///
    /// # Errors
    /// If a file of the models cannot be read.
    pub fn items(&mut self, delivery: &Delivery) -> io::Result<Vec<FeedItem>> {
        delivery.items(&self.own, &mut self.ignoring, &self.feeds.shared.reader)
    }

    /// Whether the next delivery comes from the log.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        matches!(self.side, Side::Behind { .. })
    }

    /// Whether no delivery is left now. Joins the live side if that is near.
    pub fn is_caught_up(&mut self) -> bool {
        self.join(Some(self.position));
        match &self.side {
            Side::Live(inbox) => inbox.first() == Waiting::Nothing,
            Side::Behind(_) => false,
        }
    }

    /// Moves the position of a caught-up subscription past commits that do not concern the user,
    /// and returns it.
    pub fn pass_over(&mut self) -> Position {
        if let Side::Live(inbox) = &self.side {
            // Commits up to there were put into inboxes before the router moved its position.
            let routed = self.feeds.live().router.position();
            if inbox.first() == Waiting::Nothing {
                self.position = self.position.max(routed);
            }
        }
        self.position
    }

    /// Waits for the next delivery. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`FollowError`] if the log cannot be read, or does not have the position.
    pub async fn turn(&mut self) -> Result<NextDelivery, FollowError> {
        loop {
            let Side::Live(inbox) = &self.side else {
                // After each piece other subscribers get a turn, live ones above all.
                tokio::task::yield_now().await;
                if let Some(page) = self.piece().await? {
                    return Ok(NextDelivery::Behind(page));
                }
                self.arrived().await?;
                continue;
            };
            let inbox = Arc::clone(inbox);
            match inbox.first() {
                Waiting::Nothing => inbox.rung().await,
                Waiting::WaitingCommit(entry) => {
                    let Some(committed) = self.commit(entry.position).await? else {
                        return Err(self.unknown(entry.position));
                    };
                    inbox.remove(entry.position);
                    self.position = entry.position;
                    let (before, plain) = (entry.before, entry.plain);
                    return Ok(NextDelivery::Live(Delivery { committed, before, plain }));
                }
                Waiting::ReadOn(position) => {
                    self.position = self.position.max(position);
                    self.side = Side::behind(&self.own);
                    // The caller may want to know that the subscription is behind now.
                    return Ok(NextDelivery::Behind(CommitPage::default()));
                }
            }
        }
    }

    /// One piece of the missing commits, for a subscription that is behind. It may be empty; `None`
    /// if the models have no more.
    ///
    /// A piece is small, whatever part of it concerns the user, so that subscriptions that are
    /// behind can take turns. It waits for the log, never for a commit.
    ///
    /// # Errors
    /// [`FollowError`] if the log cannot be read, or does not have the position.
    pub async fn piece(&mut self) -> Result<Option<CommitPage>, FollowError> {
        // The caller may want to know that the subscription is live now.
        if self.join(Some(self.position)) || self.search().await? {
            return Ok(Some(CommitPage::default()));
        }
        if let Some(page) = self.page_of_shortcut().await? {
            return Ok(Some(page));
        }
        let follower = self.feeds.follower();
        let batch = follower.next(self.position, left_of_page(self.position)).await?;
        if batch.commits.is_empty() {
            return Ok(None);
        }
        let left = self.feeds.live().router.position().0.saturating_sub(batch.position.0);
        if let Side::Behind(behind) = &mut self.side
            && left <= SEAM_COMMITS_MAX as u64
        {
            behind.laps += 1;
        }
        Ok(Some(CommitPage::of(batch.commits)))
    }

    /// Like [`Self::piece`], but only up to `end`, and without joining the live side. `None` also if
    /// the subscription is at the end.
    ///
    /// # Errors
    /// [`FollowError`] if the log cannot be read, or does not have the position.
    pub async fn piece_to(&mut self, end: Position) -> Result<Option<CommitPage>, FollowError> {
        let Some(left) = end.0.checked_sub(self.position.0).filter(|left| *left > 0) else {
            return Ok(None);
        };
        if left >= self.feeds.shared.options.far_commits && self.search().await? {
            return Ok(Some(CommitPage::default()));
        }
        if let Some(mut page) = self.page_of_shortcut().await? {
            if page.end_at(end) {
                self.position = self.position.max(end);
            }
            return Ok(Some(page));
        }
        let limit = usize::try_from(left).unwrap_or(usize::MAX).min(left_of_page(self.position));
        let batch = self.feeds.follower().next(self.position, limit).await?;
        Ok((!batch.commits.is_empty()).then(|| CommitPage::of(batch.commits)))
    }

    /// Waits until the models have more than [`Self::piece`] returned.
    ///
    /// # Errors
    /// [`FollowError::Closed`] when no more commits will come.
    pub async fn arrived(&self) -> Result<(), FollowError> {
        self.feeds.follower().wait(self.position).await.map(drop)
    }

    /// The next commit of `page` that concerns the user. At its end, the position is that of the
    /// page.
    pub fn take(&mut self, page: &mut CommitPage) -> Option<Delivery> {
        let Side::Behind(behind) = &mut self.side else { return None };
        for committed in page.commits.by_ref() {
            self.position = committed.position;
            let delivery = behind.memberships.consider(&committed, &self.feeds.view());
            if delivery.is_some() {
                return delivery;
            }
        }
        None
    }

    /// A page for polling: up to `limit` commits, none if there are no more.
    ///
    /// # Errors
    /// [`FollowError`] if the log cannot be read, or does not have the position.
    pub async fn poll(&mut self, limit: usize) -> Result<CommitPage, FollowError> {
        let batch = self.feeds.follower().next(self.position, limit).await?;
        Ok(CommitPage::of(batch.commits))
    }

    /// Tries to join the live side. Returns whether that succeeded now.
    fn join(&mut self, position: Option<Position>) -> bool {
        let Side::Behind(behind) = &mut self.side else { return false };
        let live = self.feeds.live();
        let commits_max = SEAM_COMMITS.checked_shl(behind.laps).unwrap_or(usize::MAX);
        let commits_max = commits_max.min(SEAM_COMMITS_MAX);
        let far = live.router.position().0.saturating_sub(self.position.0);
        if far > commits_max as u64 {
            return false;
        }
        let shared = (self.feeds.models(), &live.counters);
        let joined = live.router.join(shared, position, &mut behind.memberships, commits_max);
        let Some((inbox, position)) = joined else { return false };
        self.position = position;
        self.side = Side::Live(inbox);
        true
    }

    /// Searches for the shortcut, once, if the log is long. Returns whether there is more to
    /// search.
    async fn search(&mut self) -> Result<bool, FollowError> {
        let (feeds, live) = (&self.feeds, self.feeds.live());
        let Side::Behind(behind) = &mut self.side else { return Ok(false) };
        if !behind.searched {
            behind.searched = true;
            let far = live.router.position().0.saturating_sub(self.position.0);
            if far >= feeds.shared.options.far_commits {
                behind.search = feeds.search(&self.own, self.position).map(Box::new);
            }
        }
        let Some(search) = &mut behind.search else { return Ok(false) };
        match feeds.search_on(search, &self.own).await? {
            Searched::Partly => return Ok(true),
            Searched::Found(shortcut) => {
                behind.shortcut = Some(shortcut);
                Counters::up(&live.counters.shortcuts);
            }
            Searched::Nothing => {}
        }
        behind.search = None;
        Ok(false)
    }

    async fn page_of_shortcut(&mut self) -> Result<Option<CommitPage>, FollowError> {
        let Side::Behind(behind) = &mut self.side else { return Ok(None) };
        let Some(shortcut) = &mut behind.shortcut else { return Ok(None) };
        let positions = shortcut.after(self.position, PAGE_COMMITS);
        if positions.is_empty() {
            // The live side may be near now.
            self.position = self.position.max(shortcut.until);
            behind.shortcut = None;
            return Ok(Some(CommitPage::default()));
        }
        let found = self.feeds.models().commits(positions).await?;
        Ok(Some(CommitPage::of(found.into_values().collect())))
    }

    async fn commit(&self, position: Position) -> Result<Option<Arc<Committed>>, FollowError> {
        let models = self.feeds.models();
        let ready = models.latest(position);
        if ready.is_some() {
            return Ok(ready);
        }
        Ok(models.commits(vec![position]).await?.remove(&position))
    }

    fn unknown(&self, asked: Position) -> FollowError {
        FollowError::Unknown { asked, tail: *self.feeds.models().log().tail().borrow() }
    }
}

impl Side {
    fn behind(own: &Arc<Own>) -> Self {
        let memberships = Memberships::new(own);
        let (search, shortcut) = (None, None);
        Self::Behind(Behind { memberships, laps: 0, searched: false, search, shortcut })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let live = self.feeds.live();
        Counters::down(&live.counters.subscribers);
        if let Side::Live(inbox) = &self.side {
            live.router.leave(&self.own.user, inbox, &live.counters);
        }
    }
}
