//! One who follows.

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
    feed::{Memberships, Own},
    reading::{PAGE_COMMITS, Search, Searched, Shortcut, left_of_page},
};

/// Commits that are gone through under the lock of the router, to join the live side.
const SEAM_COMMITS: usize = 32;

/// The same for one who was near and did not get there in several laps.
const SEAM_COMMITS_MAX: usize = 1_024;

/// What comes next.
#[derive(Debug)]
pub enum Turn {
    /// A commit that concerns the user, as it happens.
    Live(Delivery),
    /// Commits of the log, from which [`Subscription::take`] takes what concerns the user.
    Behind(Page),
}

/// Commits that follow one another, for one who is behind. It is not to be kept over an `await` on
/// a client: what is redacted meanwhile is still in it.
#[derive(Debug, Default)]
pub struct Page {
    commits: std::vec::IntoIter<Arc<Committed>>,
}

impl Page {
    fn of(commits: Vec<Arc<Committed>>) -> Self {
        Self { commits: commits.into_iter() }
    }
}

/// Follows the log for one user: behind, it reads along it; live, commits come to it.
pub struct Subscription {
    feeds: Feeds,
    own: Arc<Own>,
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
    /// Whether a shorter way than the log has been looked for, or is being looked for.
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
        Self { feeds: feeds.clone(), own, position, side }
    }

    /// Up to where everything that concerns the user has been given.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// What the user is told of `delivery`.
    ///
    /// # Errors
    /// If a file of the models cannot be read.
    pub fn items(&self, delivery: &Delivery) -> io::Result<Vec<FeedItem>> {
        delivery.items(&self.own, &self.feeds.shared.reader)
    }

    /// Whether what comes next is read from the log.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        matches!(self.side, Side::Behind { .. })
    }

    /// Whether nothing is left to give now; joins the live side if that is near.
    pub fn is_caught_up(&mut self) -> bool {
        self.join(Some(self.position));
        match &self.side {
            Side::Live(inbox) => inbox.first() == Waiting::Nothing,
            Side::Behind(_) => false,
        }
    }

    /// Moves the position of one who has everything over commits that do not concern the user, and gives it.
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

    /// Waits for what comes next. Nothing is lost if this is dropped before it answers.
    ///
    /// # Errors
    /// [`FollowError`] if the log cannot be read, or does not have the position.
    pub async fn turn(&mut self) -> Result<Turn, FollowError> {
        loop {
            let Side::Live(inbox) = &self.side else {
                // After each piece it is the turn of others, of those on the live side above all.
                tokio::task::yield_now().await;
                if let Some(page) = self.piece().await? {
                    return Ok(Turn::Behind(page));
                }
                self.arrived().await?;
                continue;
            };
            let inbox = Arc::clone(inbox);
            match inbox.first() {
                Waiting::Nothing => inbox.rung().await,
                Waiting::Entry(entry) => {
                    let Some(committed) = self.commit(entry.position).await? else {
                        return Err(self.unknown(entry.position));
                    };
                    inbox.remove(entry.position);
                    self.position = entry.position;
                    let (before, plain) = (entry.before, entry.plain);
                    return Ok(Turn::Live(Delivery { committed, before, plain }));
                }
                Waiting::ReadOn(position) => {
                    self.position = self.position.max(position);
                    self.side = Side::behind(&self.own);
                    // Whoever asks may want to know that she is behind now.
                    return Ok(Turn::Behind(Page::default()));
                }
            }
        }
    }

    /// One piece of what is missing, for one who is behind. It may be empty; `None` if the models have nothing more.
    ///
    /// A piece is small, whatever there is to read and however little of it concerns the user, so that those who are
    /// behind can take turns. It waits for the log, never for a commit.
    ///
    /// # Errors
    /// [`FollowError`] if the log cannot be read, or does not have the position.
    pub async fn piece(&mut self) -> Result<Option<Page>, FollowError> {
        // Whoever asks may want to know that she is live now.
        if self.join(Some(self.position)) || self.search().await? {
            return Ok(Some(Page::default()));
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
        Ok(Some(Page::of(batch.commits)))
    }

    /// Waits until the models have more than [`Self::piece`] gave.
    ///
    /// # Errors
    /// [`FollowError::Closed`] when nothing more will come.
    pub async fn arrived(&self) -> Result<(), FollowError> {
        self.feeds.follower().wait(self.position).await.map(drop)
    }

    /// The next commit of `page` that concerns the user; at its end, the position is that of the page.
    pub fn take(&mut self, page: &mut Page) -> Option<Delivery> {
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

    /// A page for one who polls: up to `limit` commits, none if there are no more.
    ///
    /// # Errors
    /// [`FollowError`] if the log cannot be read, or does not have the position.
    pub async fn poll(&mut self, limit: usize) -> Result<Page, FollowError> {
        let batch = self.feeds.follower().next(self.position, limit).await?;
        Ok(Page::of(batch.commits))
    }

    /// Whether the live side was joined just now.
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

    /// Looks for a shorter way than the log, once, if it is far. Whether there is more to look at.
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

    async fn page_of_shortcut(&mut self) -> Result<Option<Page>, FollowError> {
        let Side::Behind(behind) = &mut self.side else { return Ok(None) };
        let Some(shortcut) = &mut behind.shortcut else { return Ok(None) };
        let positions = shortcut.after(self.position, PAGE_COMMITS);
        if positions.is_empty() {
            // The live side may be near now.
            self.position = self.position.max(shortcut.until);
            behind.shortcut = None;
            return Ok(Some(Page::default()));
        }
        let found = self.feeds.models().commits(positions).await?;
        let mut commits: Vec<_> = found.into_values().collect();
        commits.sort_unstable_by_key(|commit| commit.position);
        Ok(Some(Page::of(commits)))
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
