//! The index: the rooms of each bot.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use rookery_domain::{OwnedRoomId, OwnedUserId, UserId};
use rookery_log::{Millis, Position};
use rookery_namespaces::Service;
use rookery_projection::{RoomsOfUser, StreamKey};
use tokio::sync::Notify;

use super::history::{Followed, Step, What};

/// The rooms that services follow, kept up to date by the projector. All readers share it.
#[derive(Default)]
pub struct Followings {
    pub(super) services: RwLock<Services>,
    /// Whether there is a service.
    any: AtomicBool,
    /// The room of the alias whose commit is being applied.
    pub(super) alias_before: Mutex<Option<OwnedRoomId>>,
    /// Whether the room whose commit is being applied had an event with a place before it.
    pub(super) had_begun: AtomicBool,
    /// Rows of the models changed without commits.
    pub(super) stale: Notify,
    /// Locked by the one build that runs.
    pub(super) building: tokio::sync::Mutex<()>,
}

impl Followings {
    pub(super) fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Acquire)
    }

    /// From now on all answers have the rooms of this bot's service.
    pub(super) fn show(&self, bot: &UserId) {
        if let Some(rooms) = self.services.write().0.get_mut(bot) {
            rooms.is_shown = true;
        }
    }

    /// Locks the rooms of the services. The models are locked before, never after.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Services> {
        self.services.read()
    }

    /// The service of this bot follows no room any more.
    pub(super) fn remove(&self, bot: &UserId) {
        let mut services = self.services.write();
        services.0.remove(bot);
        self.any.store(!services.0.is_empty(), Ordering::Release);
    }

    /// Adds a service without rooms, unless there is one of this bot.
    pub(super) fn add(&self, new: ServiceRooms) {
        let mut services = self.services.write();
        let bot = new.service.bot.clone();
        services.0.entry(bot).or_insert(new).pending = Some(HashMap::new());
        self.any.store(true, Ordering::Release);
    }
}

/// The rooms of all services, by bot.
#[derive(Default)]
pub(crate) struct Services(pub(super) HashMap<OwnedUserId, ServiceRooms>);

impl Services {
    /// The rooms of the service of this bot; `None` for all other users.
    pub(crate) fn of(&self, user: &UserId) -> Option<&ServiceRooms> {
        self.0.get(user).filter(|rooms| rooms.is_ready())
    }

    /// The bots.
    pub(crate) fn bots(&self) -> impl Iterator<Item = &OwnedUserId> {
        self.0.iter().filter(|(_, rooms)| rooms.is_ready()).map(|(bot, _)| bot)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &ServiceRooms> {
        self.0.values().filter(|rooms| rooms.is_ready())
    }
}

/// The rooms of one service.
pub(crate) struct ServiceRooms {
    pub(super) service: Arc<Service>,
    /// It follows rooms after this commit.
    pub(super) since: Position,
    /// When it was added.
    pub(super) added: Millis,
    is_built: bool,
    /// The service is stored, so its bot is nobody else.
    is_shown: bool,
    /// The changes since a build began.
    pub(super) pending: Option<HashMap<StreamKey, Vec<Step>>>,
    rooms: HashMap<StreamKey, Followed>,
    lists: RoomsOfUser,
    /// The rooms that a commit of an alias opened or closed.
    by_alias: BTreeMap<Position, Vec<StreamKey>>,
}

impl ServiceRooms {
    pub(super) fn new(service: Arc<Service>, since: Position, added: Millis) -> Self {
        Self {
            service,
            since,
            added,
            is_built: false,
            is_shown: false,
            pending: None,
            rooms: HashMap::new(),
            lists: RoomsOfUser::default(),
            by_alias: BTreeMap::new(),
        }
    }

    fn is_ready(&self) -> bool {
        self.is_built && self.is_shown
    }

    /// The membership of the bot in a room.
    pub(crate) fn room(&self, room: StreamKey) -> Option<&Followed> {
        self.rooms.get(&room)
    }

    /// The rooms by membership. They are all rooms in which the bot has one.
    pub(crate) fn lists(&self) -> &RoomsOfUser {
        &self.lists
    }

    /// The rooms that the commit of an alias opened or closed.
    pub(super) fn changed_by_alias(&self, position: Position) -> &[StreamKey] {
        self.by_alias.get(&position).map(Vec::as_slice).unwrap_or_default()
    }

    /// The rooms that aliases opened after a position.
    pub(crate) fn opened_by_alias(&self, after: Position) -> impl Iterator<Item = StreamKey> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.by_alias.range((Excluded(after), Unbounded)).flat_map(|(_, rooms)| rooms).copied()
    }

    /// Applies the changes of a commit in a room.
    pub(super) fn apply(&mut self, room: StreamKey, steps: &[Step], by_alias: bool) {
        let Some(last) = steps.last() else { return };
        if let Some(pending) = &mut self.pending {
            pending.entry(room).or_default().extend(steps);
        }
        if !self.is_built {
            return;
        }
        let concerns = steps.iter().any(|step| step.what != What::Begins);
        if !concerns && !self.rooms.contains_key(&room) {
            return;
        }
        let followed = self.rooms.entry(room).or_default();
        let before = followed.is_since();
        followed.apply(steps);
        self.lists.set(room, Some(before), followed.is_since());
        if by_alias && followed.is_since() != before {
            self.by_alias.entry(last.position).or_default().push(room);
        }
    }

    /// Takes over the rooms of a build.
    pub(super) fn take_over(&mut self, rooms: HashMap<StreamKey, Followed>, by_alias: ByAlias) {
        self.lists = RoomsOfUser::default();
        for (room, followed) in &rooms {
            self.lists.set(*room, None, followed.is_since());
        }
        self.by_alias = by_alias;
        self.rooms = rooms;
        self.is_built = true;
    }
}

/// The rooms that commits of aliases opened or closed, by position.
pub(super) type ByAlias = BTreeMap<Position, Vec<StreamKey>>;
