//! Rooms, as clients see them.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};
use rookery_domain::{HistoryVisibility, JoinRule, OwnedRoomAliasId, OwnedRoomId, UserId};
use rookery_log::Position;
use rookery_query::{Membership, RoomView, RowKey};

use super::{
    context::{app, session, unless_absent},
    event::RoomEvent,
    members::{self, Members},
    node::NodeId,
    scalars::{
        CursorScalar, EventIdScalar, PositionScalar, RoomAliasScalar, RoomIdScalar, UserIdScalar,
    },
    timeline::{self, TimelineArguments, TimelineConnection},
    user::{MembershipEnum, RoomMember, User},
};

pub(crate) use super::join_rule::{JoinRuleInput, JoinRuleKind};

/// Who may read what is sent in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "HistoryVisibility", remote = "HistoryVisibility")]
pub(crate) enum HistoryVisibilityEnum {
    /// Members, what was sent while they were joined.
    Joined,
    /// Members, what was sent since they were invited.
    Invited,
    /// Members, all that was sent before they left.
    Shared,
    /// Everybody.
    WorldReadable,
}

/// A room. What it shows depends on who asks.
#[derive(Clone)]
pub(crate) struct Room {
    id: OwnedRoomId,
    /// What it showed at the position of a sync, so that the sync is of one position.
    face: Option<Arc<Face>>,
}

/// What a room shows of itself, at one position.
#[derive(Clone, Default)]
pub(crate) struct Face {
    name: Option<String>,
    topic: Option<String>,
    avatar_url: Option<String>,
    canonical_alias: Option<OwnedRoomAliasId>,
    aliases: Vec<OwnedRoomAliasId>,
    member_count: Option<i32>,
    last_message: Option<RowKey>,
    position: Position,
}

impl Face {
    fn of(room: &RoomView<'_>, position: Position) -> Self {
        let summary = room.summary();
        let canonical = summary.canonical_alias.as_deref();
        Self {
            name: summary.name.clone(),
            topic: summary.topic.clone(),
            avatar_url: summary.avatar_url.clone(),
            canonical_alias: canonical.and_then(|alias| alias.try_into().ok()),
            aliases: room.aliases().map(ToOwned::to_owned).collect(),
            member_count: i32::try_from(room.joined_count()).ok(),
            last_message: summary.last_message,
            position,
        }
    }
}

/// How much of a room somebody may see. The events have a rule of their own, each by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    /// Nothing: as if there were no such room.
    Nothing,
    /// That it exists, and what was sent while one was there.
    Past,
    /// Also what it is: name, topic, picture, aliases, counts.
    Outside,
    /// All: also members and state.
    Inside,
}

impl Access {
    /// What `viewer` may see of `room`.
    pub(crate) fn of(room: &RoomView<'_>, viewer: &UserId) -> Self {
        let membership = room.member(viewer).map(|member| member.membership).unwrap_or_default();
        let summary = room.summary();
        let open = |rule: &JoinRule| *rule == JoinRule::Public || rule.is_knockable();
        let is_open = summary.listed || summary.join_rule.as_ref().is_some_and(open);
        let is_readable = summary.history_visibility() == HistoryVisibility::WorldReadable;
        match membership {
            Membership::Join => Self::Inside,
            _ if is_readable => Self::Inside,
            Membership::Invite => Self::Outside,
            _ if is_open => Self::Outside,
            Membership::None => Self::Nothing,
            Membership::Leave | Membership::Knock | Membership::Ban => Self::Past,
        }
    }
}

impl Room {
    /// A room that the viewer is known to be allowed to see something of.
    pub(crate) fn new(id: OwnedRoomId) -> Self {
        Self { id, face: None }
    }

    /// A room as it is at the position of a view; the viewer is in it, or invited.
    pub(crate) fn at(room: &RoomView<'_>, position: Position) -> Self {
        let face = Some(Arc::new(Face::of(room, position)));
        Self { id: room.id().to_owned(), face }
    }

    /// The room, if the viewer may know of it.
    pub(crate) fn visible(context: &Context<'_>, id: OwnedRoomId) -> Result<Option<Self>> {
        let viewer = session(context).viewer()?;
        let view = app(context).models.view();
        let access = view.room(&id).map(|room| Access::of(&room, viewer));
        Ok(access.filter(|access| *access > Access::Nothing).map(|_| Self::new(id)))
    }

    /// Looks at the room if the viewer has at least this access; else the default.
    pub(super) fn look<T: Default>(
        &self,
        context: &Context<'_>,
        least: Access,
        look: impl FnOnce(&RoomView<'_>) -> T,
    ) -> Result<T> {
        let viewer = session(context).viewer()?;
        let view = app(context).models.view();
        let room = view.room(&self.id);
        let room = room.filter(|room| Access::of(room, viewer) >= least);
        Ok(room.map(|room| look(&room)).unwrap_or_default())
    }

    fn face(&self, context: &Context<'_>) -> Result<Arc<Face>> {
        if let Some(face) = &self.face {
            return Ok(Arc::clone(face));
        }
        let position = app(context).models.view().position();
        self.look(context, Access::Outside, |room| Arc::new(Face::of(room, position)))
    }

    /// The position that the room is shown as of, if that is not now.
    pub(super) fn as_of(&self) -> Option<Position> {
        self.face.as_ref().map(|face| face.position)
    }

    pub(super) fn matrix_id(&self) -> &OwnedRoomId {
        &self.id
    }
}

/// A room. What you may not see of it is null or empty.
#[Object]
impl Room {
    /// The global ID of the room.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Room(self.id.clone()).into()
    }

    /// The room ID.
    async fn room_id(&self) -> RoomIdScalar {
        RoomIdScalar(self.id.clone())
    }

    /// Its name.
    async fn name(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.face(context)?.name.clone())
    }

    /// What it is about.
    async fn topic(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.face(context)?.topic.clone())
    }

    /// The `mxc:` address of its picture.
    async fn avatar_url(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.face(context)?.avatar_url.clone())
    }

    /// The alias that it prefers.
    async fn canonical_alias(&self, context: &Context<'_>) -> Result<Option<RoomAliasScalar>> {
        Ok(self.face(context)?.canonical_alias.clone().map(RoomAliasScalar))
    }

    /// All aliases that point to it.
    async fn aliases(&self, context: &Context<'_>) -> Result<Vec<RoomAliasScalar>> {
        Ok(self.face(context)?.aliases.iter().cloned().map(RoomAliasScalar).collect())
    }

    /// How users get in.
    async fn join_rule(&self, context: &Context<'_>) -> Result<Option<JoinRuleKind>> {
        self.look(context, Access::Outside, |room| {
            Some(JoinRuleKind::of(room.summary().join_rule.as_ref()))
        })
    }

    /// Who may read what is sent.
    async fn history_visibility(
        &self,
        context: &Context<'_>,
    ) -> Result<Option<HistoryVisibilityEnum>> {
        self.look(context, Access::Outside, |room| Some(room.summary().history_visibility().into()))
    }

    /// Whether it stands in the public directory.
    async fn is_listed(&self, context: &Context<'_>) -> Result<bool> {
        self.look(context, Access::Outside, |room| room.summary().listed)
    }

    /// The Matrix room version.
    async fn version(&self, context: &Context<'_>) -> Result<Option<String>> {
        self.look(context, Access::Outside, |room| room.summary().version.clone())
    }

    /// The type of the room, such as `m.space`. Null for a conversation.
    async fn room_type(&self, context: &Context<'_>) -> Result<Option<String>> {
        self.look(context, Access::Outside, |room| room.summary().kind.clone())
    }

    /// Who created it.
    async fn creator(&self, context: &Context<'_>) -> Result<Option<User>> {
        self.look(context, Access::Inside, |room| {
            let creator = room.summary().creator.clone()?;
            Some(User::in_room(creator, self.id.clone()))
        })
    }

    /// How many users have joined.
    async fn member_count(&self, context: &Context<'_>) -> Result<Option<i32>> {
        Ok(self.face(context)?.member_count)
    }

    /// How many users are invited.
    async fn invited_count(&self, context: &Context<'_>) -> Result<Option<i32>> {
        self.look(context, Access::Inside, |room| i32::try_from(room.invited_count()).ok())
    }

    /// What you are to the room.
    async fn my_membership(&self, context: &Context<'_>) -> Result<MembershipEnum> {
        let viewer = session(context).viewer()?;
        Ok(app(context).models.view().membership(&self.id, viewer).into())
    }

    /// Your power level. Null for creators who stand above all levels.
    async fn my_power_level(&self, context: &Context<'_>) -> Result<Option<i64>> {
        let viewer = session(context).viewer()?;
        self.look(context, Access::Outside, |room| members::level(room, viewer))
    }

    /// Who invited you, as long as you are invited.
    async fn inviter(&self, context: &Context<'_>) -> Result<Option<User>> {
        let viewer = session(context).viewer()?;
        self.look(context, Access::Outside, |room| {
            let member = room.member(viewer)?;
            let invited = member.membership == Membership::Invite;
            invited.then(|| User::in_room(member.sender.clone(), self.id.clone()))
        })
    }

    /// The last message that you may see. Null if there is none among the latest events.
    async fn last_message(&self, context: &Context<'_>) -> Result<Option<RoomEvent>> {
        timeline::last_message(context, self, self.face(context)?.last_message).await
    }

    /// Who is in the room, by user ID.
    async fn members(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to go on.")] after: Option<String>,
        #[graphql(
            desc = "Who is meant: members, or for example invited users.",
            default_with = "MembershipEnum::Join"
        )]
        membership: MembershipEnum,
    ) -> Result<Members> {
        members::page(context, self, first, after.as_deref(), membership)
    }

    /// One user in the room. Null if the room never heard of the user.
    async fn member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user.")] user_id: UserIdScalar,
    ) -> Result<Option<RoomMember>> {
        self.look(context, Access::Inside, |room| {
            room.member(&user_id.0).map(|member| members::describe(room, &user_id.0, member))
        })
    }

    /// The state of the room: the latest event of each type and state key.
    async fn state(
        &self,
        context: &Context<'_>,
        #[graphql(name = "type", desc = "Only this type, such as `m.room.power_levels`.")]
        event_type: Option<String>,
        #[graphql(desc = "Only this state key.")] state_key: Option<String>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
    ) -> Result<Vec<RoomEvent>> {
        timeline::state(context, self, event_type.as_deref(), state_key.as_deref(), first).await
    }

    /// The room that has taken its place, of which you may not be a member yet. Null if none has.
    async fn replaced_by(&self, context: &Context<'_>) -> Result<Option<RoomIdScalar>> {
        let tombstone = timeline::slot(context, self, "m.room.tombstone").await?;
        let room = tombstone.and_then(|event| event.text_of("replacement_room")?.try_into().ok());
        Ok(room.map(RoomIdScalar))
    }

    /// The room whose place it has taken. Null if it has taken none's.
    async fn predecessor(&self, context: &Context<'_>) -> Result<Option<RoomIdScalar>> {
        let create = timeline::slot(context, self, "m.room.create").await?;
        let room = create.and_then(|event| event.predecessor());
        Ok(room.map(RoomIdScalar))
    }

    /// The timeline: `last` and `before` to scroll back, `first` and `after` to scroll forward,
    /// `around` an event for a permalink. The newest events if you say nothing.
    async fn timeline(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many events, scrolling forward, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Events after this cursor.")] after: Option<CursorScalar>,
        #[graphql(desc = "How many events, scrolling back, from 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Events before this cursor.")] before: Option<CursorScalar>,
        #[graphql(desc = "This event, and as many on either side as `first` and `last` say.")]
        around: Option<EventIdScalar>,
    ) -> Result<TimelineConnection> {
        let arguments = TimelineArguments { first, after, last, before, around };
        timeline::page(context, self, arguments).await
    }

    /// Where in the whole log the last event of the room is.
    async fn activity(&self, context: &Context<'_>) -> Result<Option<PositionScalar>> {
        self.look(context, Access::Inside, |room| Some(app(context).token(room.activity())))
    }

    /// One event of the room, if you may see it.
    async fn event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The event.")] event_id: EventIdScalar,
    ) -> Result<Option<RoomEvent>> {
        let viewer = session(context).viewpoint()?;
        let found = app(context).models.event(&event_id.0, &viewer).await;
        let found = unless_absent(found)?.flatten();
        let found = found.filter(|(place, _)| place.room_id == self.id);
        Ok(found.and_then(|(_, event)| RoomEvent::of_timeline(&event)))
    }
}
