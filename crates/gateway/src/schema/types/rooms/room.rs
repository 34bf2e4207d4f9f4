//! Rooms, as clients see them.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};
use rookery_domain::{Filter, HistoryVisibility, JoinRule, Membership, OwnedRoomId, UserId};
use rookery_log::Position;
use rookery_view::RoomView;

use super::{
    face::{Face, Moment},
    invite::Invite,
    members::{self, Members},
    timeline::{self, StateArguments, StateSlotInput, TimelineArguments, TimelineConnection},
};
use crate::{
    schema::{
        context::{PAGE_MAX, app, page_size, session},
        reads::reads,
        subscription::ephemeral::{TYPING_DEFAULT, typing_in},
        types::{
            events::event::{RoomEvent, one_event},
            filter::{FilterInput, chosen},
            users::{
                account_items::{Receipt, receipts},
                user::{MembershipEnum, RoomMember, User},
            },
            values::{
                list::List,
                node::NodeId,
                scalars::{
                    CursorScalar, EventIdScalar, Long, PositionScalar, RoomAliasScalar,
                    RoomIdScalar, UserIdScalar,
                },
                text::Text,
            },
        },
    },
    sharing::{SharedBy, shared},
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
    /// As of when it is shown; none for now.
    moment: Option<Arc<Moment>>,
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
        Self { id, moment: None }
    }

    /// A room as it is at the position of a view; the viewer is in it, or invited.
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

    /// Looks at the room if the viewer has at least this access; else the default.
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

    /// Something of what the room shows, if the viewer has at least this access; else the default.
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

    /// The position that the room is shown as of, if that is not now.
    pub(crate) fn as_of(&self) -> Option<Position> {
        self.moment.as_ref().map(|moment| moment.position)
    }

    /// What of its events is shown where nothing else is asked for.
    pub(crate) fn filter(&self) -> Option<&Arc<Filter>> {
        self.moment.as_ref()?.filter.as_ref()
    }

    /// How many events of it are shown where no number is asked for.
    pub(crate) fn timeline_limit(&self) -> Option<usize> {
        self.moment.as_ref()?.timeline_limit
    }

    /// The room that has taken its place.
    pub(crate) async fn replacement(&self, context: &Context<'_>) -> Result<Option<OwnedRoomId>> {
        let tombstone = timeline::slot(context, self, "m.room.tombstone").await?;
        Ok(tombstone.and_then(|event| event.text_of("replacement_room")?.try_into().ok()))
    }

    pub(crate) fn matrix_id(&self) -> &OwnedRoomId {
        &self.id
    }
}

/// A room. What you may not see of it is null or empty.
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

    /// What it is about.
    async fn topic(&self, context: &Context<'_>) -> Result<Option<Text>> {
        self.shown(context, Access::Outside, |face| face.topic.clone().map(Text)).await
    }

    /// The `mxc:` address of its picture.
    async fn avatar_url(&self, context: &Context<'_>) -> Result<Option<Text>> {
        self.shown(context, Access::Outside, |face| face.avatar_url.clone().map(Text)).await
    }

    /// The alias that it prefers.
    async fn canonical_alias(&self, context: &Context<'_>) -> Result<Option<RoomAliasScalar>> {
        let alias =
            self.shown(context, Access::Outside, |face| face.canonical_alias.clone()).await?;
        Ok(alias.map(RoomAliasScalar))
    }

    /// The aliases that point to it, in the order of the alphabet.
    async fn aliases(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The alias after which to go on.")] after: Option<RoomAliasScalar>,
    ) -> Result<List<RoomAliasScalar>> {
        let limit = page_size("first", first, PAGE_MAX)?;
        let page = |face: &Face| {
            let start = after.map_or(0, |RoomAliasScalar(after)| {
                face.aliases.partition_point(|alias| *alias <= after)
            });
            face.aliases[start..].iter().take(limit).cloned().collect::<Vec<_>>()
        };
        let aliases = self.shown(context, Access::Outside, page).await?;
        Ok(aliases.into_iter().map(RoomAliasScalar).collect())
    }

    /// How users get in.
    async fn join_rule(&self, context: &Context<'_>) -> Result<Option<JoinRuleKind>> {
        self.shown(context, Access::Outside, |face| face.join_rule).await
    }

    /// Who may read what is sent.
    async fn history_visibility(
        &self,
        context: &Context<'_>,
    ) -> Result<Option<HistoryVisibilityEnum>> {
        self.shown(context, Access::Outside, |face| face.history_visibility).await
    }

    /// Whether it stands in the public directory.
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

    /// Who created it.
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

    /// What you are to the room.
    async fn my_membership(&self, context: &Context<'_>) -> Result<MembershipEnum> {
        let viewer = session(context).viewer()?;
        let view = app(context).models.view();
        let at = self.as_of().unwrap_or(view.position());
        Ok(view.membership_at(&self.id, viewer, at).into())
    }

    /// Your power level. Null for creators who stand above all levels.
    async fn my_power_level(&self, context: &Context<'_>) -> Result<Option<Long>> {
        let level = self.shown(context, Access::Outside, |face| face.my_power_level).await?;
        Ok(level.map(Long::from))
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

    /// The invite, as long as you are invited.
    async fn invite(&self, context: &Context<'_>) -> Result<Option<Invite>> {
        Invite::of(context, self).await
    }

    /// The last message that you may see. Null if there is none among the latest events.
    async fn last_message(&self, context: &Context<'_>) -> Result<Option<RoomEvent>> {
        let newest = self.shown(context, Access::Past, |face| face.last_message).await?;
        timeline::last_message(context, self, newest).await
    }

    /// How many messages you have not read: those that others sent since you joined, after the event
    /// up to which you have read and after the last message of your own. Edits, reactions and
    /// changes of the room do not count, nor does what was redacted. 0 if you have not joined.
    async fn unread_count(&self, context: &Context<'_>) -> Result<i32> {
        let count = self.shown(context, Access::Outside, |face| face.unread.count).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// How many of those name you, or everybody in the room.
    async fn highlight_count(&self, context: &Context<'_>) -> Result<i32> {
        let count = self.shown(context, Access::Outside, |face| face.unread.highlights).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// Who types now, by user ID. Empty if you have not joined.
    async fn typing(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 if you do not say.")] first: Option<i32>,
        #[graphql(desc = "The user after whom to go on.")] after: Option<UserIdScalar>,
    ) -> Result<List<User>> {
        let limit = page_size("first", first, TYPING_DEFAULT)?;
        let viewer = session(context).viewer()?;
        let after = after.as_ref().map(|after| &*after.0);
        let typists = typing_in(app(context), &self.id, viewer, (after, limit)).into_iter();
        Ok(typists.map(|user| User::in_room(user, self.id.clone())).collect())
    }

    /// Up to where members say that they have read, who said so last comes first. Empty if you have
    /// not joined. Of you, only what you have told.
    async fn receipts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The user after whose receipt to go on.")] after: Option<UserIdScalar>,
    ) -> Result<List<Receipt>> {
        let limit = page_size("first", first, PAGE_MAX)?;
        receipts(context, self, after.as_ref().map(|after| &*after.0), limit).await
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
        members::page(context, self, first, after.as_deref(), membership).await
    }

    /// One user in the room. Null if the room never heard of the user.
    async fn member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user.")] user_id: UserIdScalar,
    ) -> Result<Option<RoomMember>> {
        members::one(context, self, &user_id.0).await
    }

    /// The state of the room: the latest event of each type and state key, in the order of both.
    async fn state(
        &self,
        context: &Context<'_>,
        #[graphql(name = "type", desc = "Only this type, such as `m.room.power_levels`.")]
        event_type: Option<String>,
        #[graphql(desc = "Only this state key.")] state_key: Option<String>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The slot after which to go on.")] after: Option<StateSlotInput>,
    ) -> Result<List<RoomEvent>> {
        let (event_type, state_key) = (event_type.as_deref(), state_key.as_deref());
        let arguments = StateArguments { event_type, state_key, first, after };
        timeline::state(context, self, arguments).await
    }

    /// The room that has taken its place, of which you may not be a member yet. Null if none has.
    async fn replaced_by(&self, context: &Context<'_>) -> Result<Option<RoomIdScalar>> {
        Ok(self.replacement(context).await?.map(RoomIdScalar))
    }

    /// The room whose place it has taken. Null if it has taken none's.
    async fn predecessor(&self, context: &Context<'_>) -> Result<Option<RoomIdScalar>> {
        let create = timeline::slot(context, self, "m.room.create").await?;
        let room = create.and_then(|event| event.predecessor());
        Ok(room.map(RoomIdScalar))
    }

    /// The timeline: `last` and `before` to scroll back, `first` and `after` to scroll forward,
    /// `around` an event for a permalink. The newest events if you say nothing.
    #[expect(clippy::too_many_arguments, reason = "each is an argument of the field")]
    async fn timeline(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many events, scrolling forward, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Events after this cursor.")] after: Option<CursorScalar>,
        #[graphql(desc = "How many events, scrolling back, from 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Events before this cursor.")] before: Option<CursorScalar>,
        #[graphql(desc = "This event, and as many on either side as `first` and `last` say.")]
        around: Option<EventIdScalar>,
        #[graphql(desc = "Which events; those of the sync or of the join if you say nothing.")]
        filter: Option<FilterInput>,
        #[graphql(desc = "The same as a stored filter, in place of `filter`.")] filter_id: Option<
            String,
        >,
        #[graphql(
            desc = "Whether to ask other servers for older events where there are no more here.",
            default
        )]
        backfill: bool,
    ) -> Result<TimelineConnection> {
        let filter = chosen(context, filter, filter_id).await?;
        let arguments = TimelineArguments { first, after, last, before, around, filter, backfill };
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
        let found = one_event(context, &event_id.0, &viewer).await?;
        let found = found.filter(|(place, _)| place.room_id == self.id);
        Ok(found.and_then(|(_, event)| RoomEvent::of_timeline(&event)))
    }
}
