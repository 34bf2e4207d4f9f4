//! Rooms, in the form for clients.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use rookery_domain::{Filter, HistoryVisibility, JoinRule, Membership, OwnedRoomId, UserId};
use rookery_log::Position;
use rookery_view::RoomView;

use super::{
    face::{Face, Moment},
    invite::Invite,
    members::{self, Members},
    naming,
    pages::{RoomAliasConnection, RoomStateConnection},
    permissions::RoomPermissions,
    timeline::{self, StateArguments, TimelineArguments, TimelineConnection},
};
use crate::{
    schema::{
        context::{PAGE_MAX, app, page_size, session},
        reads::reads,
        subscription::ephemeral::{TYPING_DEFAULT, typing_in},
        types::{
            errors::fault::Fault,
            events::{
                event::{RoomEvent, one_event},
                power_levels::PowerLevels,
            },
            filter::{FilterBy, chosen},
            users::{
                account_items::{ReceiptConnection, receipts},
                pages::{UserConnection, user_of},
                user::{MembershipEnum, RoomMember, User},
            },
            values::{
                connection::{Page, key},
                node::NodeId,
                scalars::{
                    CursorScalar, EventIdScalar, Long, PositionScalar, RoomAliasScalar,
                    RoomIdScalar, UserIdScalar,
                },
                text::{Text, UriText},
            },
        },
    },
    sharing::{SharedBy, shared},
};

pub(crate) use super::{
    by::RoomBy,
    join_rule::{HistoryVisibilityEnum, JoinRuleInput, JoinRuleKind},
};

/// A room. Its data depends on the viewer.
#[derive(Clone)]
pub(crate) struct Room {
    id: OwnedRoomId,
    /// The moment as of which it is shown; `None` for now.
    moment: Option<Arc<Moment>>,
}

/// How much of a room a viewer may see. Each event has a rule of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    /// Nothing, as if there were no such room.
    Nothing,
    /// That it exists, and the events sent while the viewer was there.
    Past,
    /// Also its name, topic, avatar, aliases and counts.
    Outside,
    /// Everything, with members and state.
    Inside,
}

impl Access {
    /// The access of `viewer` to `room`.
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
    /// A room that the viewer is known to have some access to.
    pub(crate) fn new(id: OwnedRoomId) -> Self {
        Self { id, moment: None }
    }

    /// A room as of the position of a view; the viewer is in it, or invited.
    pub(crate) fn at(room: &RoomView<'_>, viewer: &UserId, moment: Moment) -> Self {
        let face = Face::of(room, viewer);
        Self { id: room.id().to_owned(), moment: Some(Arc::new(moment.showing(face))) }
    }

    /// A room as it was at a moment.
    pub(crate) fn as_it_was(id: OwnedRoomId, moment: Moment) -> Self {
        Self { id, moment: Some(Arc::new(moment)) }
    }

    /// The room, if the viewer may know of it.
    pub(crate) fn visible(context: &Context<'_>, id: OwnedRoomId) -> Result<Option<Self>> {
        let viewer = session(context).viewer()?;
        let view = app(context).models.view();
        let access = view.room(&id).map(|room| Access::of(&room, viewer));
        Ok(access.filter(|access| *access > Access::Nothing).map(|_| Self::new(id)))
    }

    /// Reads the room if the viewer has at least this access; otherwise returns the default.
    pub(crate) fn look<T: Default>(
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

    /// A part of the room's snapshot, if the viewer has at least this access; otherwise the
    /// default.
    async fn shown<T: Default>(
        &self,
        context: &Context<'_>,
        least: Access,
        field: impl FnOnce(&Face) -> T,
    ) -> Result<T> {
        let face = if let Some(moment) = &self.moment {
            moment.face(context, &self.id).await?
        } else {
            let viewer = session(context).viewer()?;
            let view = app(context).models.view();
            reads(context).face(&self.id, view.position(), || {
                view.room(&self.id).map(|room| Face::of(&room, viewer)).unwrap_or_default()
            })
        };
        Ok(if face.access >= least { field(&face) } else { T::default() })
    }

    /// The position as of which the room is shown, if that is not now.
    pub(crate) fn as_of(&self) -> Option<Position> {
        self.moment.as_ref().map(|moment| moment.position)
    }

    /// The default filter for its events.
    pub(crate) fn filter(&self) -> Option<&Arc<Filter>> {
        self.moment.as_ref()?.filter.as_ref()
    }

    /// The default number of its events.
    pub(crate) fn timeline_limit(&self) -> Option<usize> {
        self.moment.as_ref()?.timeline_limit
    }

    /// The room that replaced it.
    pub(crate) async fn replacement(&self, context: &Context<'_>) -> Result<Option<OwnedRoomId>> {
        let tombstone = timeline::slot(context, self, "m.room.tombstone").await?;
        Ok(tombstone.and_then(|event| event.text_of("replacement_room")?.try_into().ok()))
    }

    pub(crate) fn matrix_id(&self) -> &OwnedRoomId {
        &self.id
    }
}

/// A room. Parts that you may not see are null or empty.
#[Object]
impl Room {
    /// The global ID of the room.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    pub(crate) async fn id(&self) -> ID {
        NodeId::Room(self.id.clone()).into()
    }

    /// The room ID.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn room_id(&self) -> RoomIdScalar {
        RoomIdScalar(self.id.clone())
    }

    /// Its name.
    async fn name(&self, context: &Context<'_>) -> Result<Option<Text>> {
        self.shown(context, Access::Outside, |face| face.name.clone().map(Text)).await
    }

    /// A name to show: its name; else its canonical alias; else the names of up to three other
    /// members, or that of the user who invites you; else the room ID.
    async fn display_name(&self, context: &Context<'_>) -> Result<Text> {
        let named = |face: &Face| {
            let name = face.name.clone().filter(|name| !name.is_empty());
            name.or_else(|| face.canonical_alias.as_ref().map(ToString::to_string))
        };
        if let Some(name) = self.shown(context, Access::Outside, named).await? {
            return Ok(Text(name));
        }
        let name = naming::of_members(context, self).await?;
        Ok(Text(name.unwrap_or_else(|| self.id.to_string())))
    }

    /// Its topic.
    async fn topic(&self, context: &Context<'_>) -> Result<Option<Text>> {
        self.shown(context, Access::Outside, |face| face.topic.clone().map(Text)).await
    }

    /// The `mxc:` address of its avatar.
    async fn avatar_url(&self, context: &Context<'_>) -> Result<Option<UriText>> {
        self.shown(context, Access::Outside, |face| face.avatar_url.clone().map(UriText)).await
    }

    /// Its canonical alias.
    async fn canonical_alias(&self, context: &Context<'_>) -> Result<Option<RoomAliasScalar>> {
        let alias =
            self.shown(context, Access::Outside, |face| face.canonical_alias.clone()).await?;
        Ok(alias.map(RoomAliasScalar))
    }

    /// The aliases that point to it, in alphabetical order.
    async fn aliases(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<RoomAliasConnection> {
        let limit = page_size("first", first, PAGE_MAX)?;
        let (has_previous, after) = (after.is_some(), after.as_deref().map(key).transpose()?);
        let page = |face: &Face| {
            let after = after.as_deref().unwrap_or_default();
            let start = face.aliases.partition_point(|alias| alias.as_str() <= after);
            face.aliases[start..].iter().take(limit + 1).cloned().collect::<Vec<_>>()
        };
        let aliases = self.shown(context, Access::Outside, page).await?;
        let page = Page::read(aliases, limit, has_previous, ToString::to_string);
        Ok(RoomAliasConnection(page.map(RoomAliasScalar)))
    }

    /// How users may join.
    async fn join_rule(&self, context: &Context<'_>) -> Result<Option<JoinRuleKind>> {
        self.shown(context, Access::Outside, |face| face.join_rule).await
    }

    /// The users who may read its events.
    async fn history_visibility(
        &self,
        context: &Context<'_>,
    ) -> Result<Option<HistoryVisibilityEnum>> {
        self.shown(context, Access::Outside, |face| face.history_visibility).await
    }

    /// Whether the public directory lists it.
    async fn is_listed(&self, context: &Context<'_>) -> Result<bool> {
        self.shown(context, Access::Outside, |face| face.is_listed).await
    }

    /// The Matrix room version.
    async fn version(&self, context: &Context<'_>) -> Result<Option<Text>> {
        self.shown(context, Access::Outside, |face| face.version.clone().map(Text)).await
    }

    /// The type of the room, such as `m.space`. Null for a conversation.
    async fn room_type(&self, context: &Context<'_>) -> Result<Option<Text>> {
        self.shown(context, Access::Outside, |face| face.room_type.clone().map(Text)).await
    }

    /// Its creator.
    async fn creator(&self, context: &Context<'_>) -> Result<Option<User>> {
        let creator = self.shown(context, Access::Inside, |face| face.creator.clone()).await?;
        Ok(creator.map(|creator| User::in_room(creator, self.id.clone())))
    }

    /// How many users have joined.
    async fn member_count(&self, context: &Context<'_>) -> Result<Option<i32>> {
        self.shown(context, Access::Outside, |face| face.member_count).await
    }

    /// How many users are invited.
    async fn invited_count(&self, context: &Context<'_>) -> Result<Option<i32>> {
        self.shown(context, Access::Inside, |face| face.invited_count).await
    }

    /// Your membership in the room.
    async fn my_membership(&self, context: &Context<'_>) -> Result<MembershipEnum> {
        let viewer = session(context).viewer()?;
        let view = app(context).models.view();
        let at = self.as_of().unwrap_or(view.position());
        Ok(view.membership_at(&self.id, viewer, at).into())
    }

    /// Your power level. Null for creators above all levels.
    async fn my_power_level(&self, context: &Context<'_>) -> Result<Option<Long>> {
        let level = self.shown(context, Access::Outside, |face| face.my_power_level).await?;
        Ok(level.map(Long::from))
    }

    /// The power levels. Null if you may not see them, or if the room has none.
    async fn power_levels(&self, context: &Context<'_>) -> Result<Option<PowerLevels>> {
        let event = timeline::slot(context, self, "m.room.power_levels").await?;
        Ok(event.map(|event| PowerLevels::of(event.as_pdu())))
    }

    /// The actions that the room allows you now. Null if you have not joined it.
    async fn can(&self, context: &Context<'_>) -> Result<Option<RoomPermissions>> {
        let viewer = session(context).viewer()?;
        let is_joined = self.look(context, Access::Inside, |room| {
            room.member(viewer).is_some_and(|it| it.membership == Membership::Join)
        })?;
        if !is_joined {
            return Ok(None);
        }
        reads(context).pause().await?;
        let may = app(context).commands.permissions(viewer, &self.id).await;
        let may = may.map_err(|error| Fault::unavailable(&error.to_string()))?;
        Ok(Some(may.into()))
    }

    /// The user who invited you, while you are invited.
    async fn inviter(&self, context: &Context<'_>) -> Result<Option<User>> {
        let viewer = session(context).viewer()?;
        self.look(context, Access::Outside, |room| {
            let member = room.member(viewer)?;
            let invited = member.membership == Membership::Invite;
            invited.then(|| User::in_room(member.sender.clone(), self.id.clone()))
        })
    }

    /// Your invite, while you are invited.
    async fn invite(&self, context: &Context<'_>) -> Result<Option<Invite>> {
        Invite::of(context, self).await
    }

    /// The last message that you may see. Null if there is none among the latest events.
    async fn last_message(&self, context: &Context<'_>) -> Result<Option<RoomEvent>> {
        let newest = self.shown(context, Access::Past, |face| face.last_message).await?;
        timeline::last_message(context, self, newest).await
    }

    /// How many messages you have not read: messages of others that arrived after your join, after
    /// your read receipt, and after your own last message. Edits, reactions, state and redacted
    /// messages do not count. 0 if you have not joined.
    async fn unread_count(&self, context: &Context<'_>) -> Result<i32> {
        let count = self.shown(context, Access::Outside, |face| face.unread.count).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// How many of those mention you, or everybody in the room.
    async fn highlight_count(&self, context: &Context<'_>) -> Result<i32> {
        let count = self.shown(context, Access::Outside, |face| face.unread.highlights).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// Users who are typing, ordered by user ID. Empty if you have not joined.
    async fn typing(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<UserConnection> {
        let limit = page_size("first", first, TYPING_DEFAULT)?;
        let viewer = session(context).viewer()?;
        let after = after.as_deref().map(user_of).transpose()?;
        let page = (after.as_deref(), limit + 1);
        let typists = typing_in(app(context), &self.id, viewer, page);
        let page = Page::read(typists, limit, after.is_some(), ToString::to_string);
        Ok(UserConnection(page.map(|user| User::in_room(user, self.id.clone()))))
    }

    /// Read receipts of the members, newest first. Empty if you have not joined. Your own private
    /// receipt is not in it.
    async fn receipts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<ReceiptConnection> {
        let limit = page_size("first", first, PAGE_MAX)?;
        let after = after.as_deref().map(user_of).transpose()?;
        receipts(context, self, after.as_deref(), limit).await
    }

    /// The members of the room, ordered by user ID.
    async fn members(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
        #[graphql(
            desc = "The membership of the users: joined members by default.",
            default_with = "MembershipEnum::Join"
        )]
        membership: MembershipEnum,
    ) -> Result<Members> {
        members::page(context, self, first, after.as_deref(), membership).await
    }

    /// One user in the room. Null if the room has no member event of the user.
    async fn member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user.")] user_id: UserIdScalar,
    ) -> Result<Option<RoomMember>> {
        members::one(context, self, &user_id.0).await
    }

    /// The state of the room: the event that holds each type and state key, in that order.
    async fn state(
        &self,
        context: &Context<'_>,
        #[graphql(name = "type", desc = "Only this type, such as `m.room.power_levels`.")]
        event_type: Option<String>,
        #[graphql(desc = "Only this state key.")] state_key: Option<String>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<RoomStateConnection> {
        let (event_type, state_key) = (event_type.as_deref(), state_key.as_deref());
        let arguments = StateArguments { event_type, state_key, first, after: after.as_deref() };
        timeline::state(context, self, arguments).await.map(RoomStateConnection)
    }

    /// The room that replaced it. You may not be a member of that yet. Null if it was not replaced.
    async fn replaced_by(&self, context: &Context<'_>) -> Result<Option<RoomIdScalar>> {
        Ok(self.replacement(context).await?.map(RoomIdScalar))
    }

    /// The room that it replaced. Null if it replaced none.
    async fn predecessor(&self, context: &Context<'_>) -> Result<Option<RoomIdScalar>> {
        let create = timeline::slot(context, self, "m.room.create").await?;
        let room = create.and_then(|event| event.predecessor());
        Ok(room.map(RoomIdScalar))
    }

    /// The timeline: `last` and `before` to scroll back, `first` and `after` to scroll forward,
    /// `around` an event for a permalink. The newest events by default.
    #[expect(clippy::too_many_arguments, reason = "each is an argument of the field")]
    async fn timeline(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many events, scrolling forward, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Events after this cursor.")] after: Option<CursorScalar>,
        #[graphql(desc = "How many events, scrolling back, from 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Events before this cursor.")] before: Option<CursorScalar>,
        #[graphql(desc = "An event, with `first` and `last` events on its two sides.")]
        around: Option<EventIdScalar>,
        #[graphql(desc = "The filter for events; that of the sync or of the join by default.")]
        filter: Option<FilterBy>,
        #[graphql(
            desc = "Whether to ask other servers for older events when there are none here.",
            default
        )]
        backfill: bool,
    ) -> Result<TimelineConnection> {
        let filter = chosen(context, filter).await?;
        let of_thread = None;
        let arguments =
            TimelineArguments { first, after, last, before, around, filter, backfill, of_thread };
        timeline::page(context, self, arguments).await
    }

    /// The place of the room's last event in the whole log.
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
        let found = one_event(context, &event_id.0, &viewer).await?;
        let found = found.filter(|(place, _)| place.room_id == self.id);
        Ok(found.and_then(|(_, event)| RoomEvent::of_timeline(&event)))
    }
}
