//! Rooms, in the form for clients.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use rookery_domain::{Filter, OwnedRoomId, UserId};
use rookery_log::Position;
use rookery_view::{Moment, RoomSnapshot, RoomView};

use super::{
    invite::Invite,
    members::{self, Members, RoomFollower},
    pages::{self, RoomAliasConnection, RoomServerConnection, RoomStateConnection},
    permissions::RoomPermissions,
    preferences::RoomPreferencesShown,
    timeline::{self, StateArguments, TimelineArguments, TimelineConnection},
};
use crate::{
    context::{PAGE_MAX, app, page_size, session},
    marks::{SharedBy, shared},
    reads::reads,
    types::{
        calls::{self, call::Call, pages::CallConnection},
        errors::fault::Fault,
        events::{
            event::{RoomEvent, one_event},
            power_levels::PowerLevels,
        },
        filter::{FilterBy, chosen},
        rooms::typing,
        users::{
            account_data::{self, AccountDataConnection, DataArguments},
            account_items::{ReceiptConnection, receipts},
            pages::{UserConnection, user_of},
            user::{MembershipEnum, RoomMember, User},
        },
        values::{
            node_id::NodeId,
            scalars::{
                CursorScalar, DateTime, EventIdScalar, Long, PositionScalar, RoomAliasScalar,
                RoomIdScalar, UserIdScalar,
            },
            text::{Text, UriText},
        },
        webhooks::{self, IncomingWebhookConnection},
    },
};

pub use super::{
    by::RoomBy,
    join_rule::{HistoryVisibilityEnum, JoinRuleInput, JoinRuleKind},
};

/// A room. Its data depends on the viewer.
#[derive(Clone)]
pub struct Room {
    id: OwnedRoomId,
    /// The moment as of which it is shown; `None` for now.
    moment: Option<Arc<Moment>>,
}

impl Room {
    /// A room that the viewer is known to have some access to.
    pub fn new(id: OwnedRoomId) -> Self {
        Self { id, moment: None }
    }

    /// A room as of the position of a view; the viewer is in it, or invited.
    pub fn at(room: &RoomView<'_>, viewer: &UserId, moment: Moment) -> Self {
        Self::known(room.id().to_owned(), moment, Some(RoomSnapshot::of(room, viewer)))
    }

    /// A room as it was at a moment.
    pub fn as_it_was(id: OwnedRoomId, moment: Moment) -> Self {
        Self::known(id, moment, None)
    }

    /// A room as it was at a moment, with its snapshot at that moment if it was read.
    pub fn known(id: OwnedRoomId, moment: Moment, snapshot: Option<RoomSnapshot>) -> Self {
        let moment = match snapshot {
            Some(snapshot) => moment.showing(snapshot),
            None => moment,
        };
        Self { id, moment: Some(Arc::new(moment)) }
    }

    /// The room, if the viewer may know of it.
    pub fn visible(context: &Context<'_>, id: OwnedRoomId) -> Result<Option<Self>> {
        let viewer = session(context).viewer()?;
        let view = app(context).models.view();
        let is_known = view.knows_room(&id, viewer) || view.elsewhere(&id, viewer).is_some();
        Ok(is_known.then(|| Self::new(id)))
    }

    /// The parts of the room that the viewer may see.
    pub(super) async fn shown<T>(
        &self,
        context: &Context<'_>,
        field: impl FnOnce(&RoomSnapshot) -> T,
    ) -> Result<T> {
        let (viewer, reads) = (session(context).viewer()?, reads(context));
        let models = &app(context).models;
        if let Some(moment) = &self.moment {
            let snapshot = moment.snapshot(models, &self.id, viewer, &reads);
            let snapshot = Box::pin(snapshot).await;
            return Ok(field(&reads.found(snapshot)?.unwrap_or_default()));
        }
        let view = models.view();
        let snapshot =
            reads.snapshot(&self.id, view.position(), || view.snapshot(&self.id, viewer));
        Ok(field(&snapshot))
    }

    /// The position as of which the room is shown, if that is not now.
    pub fn as_of(&self) -> Option<Position> {
        self.moment.as_ref().map(|moment| moment.position)
    }

    /// The default filter for its events.
    pub fn filter(&self) -> Option<&Arc<Filter>> {
        self.moment.as_ref()?.filter.as_ref()
    }

    /// The default number of its events.
    pub fn timeline_limit(&self) -> Option<usize> {
        self.moment.as_ref()?.timeline_limit
    }

    /// The room ID.
    pub fn matrix_id(&self) -> &OwnedRoomId {
        &self.id
    }
}

/// A room. Parts that you may not see are null or empty.
#[Object]
impl Room {
    /// The global ID of the room.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    pub async fn id(&self) -> ID {
        NodeId::Room(self.id.clone()).into()
    }

    /// The room ID.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn room_id(&self) -> RoomIdScalar {
        RoomIdScalar(self.id.clone())
    }

    /// Its name.
    async fn name(&self, context: &Context<'_>) -> Result<Option<Text>> {
        self.shown(context, |room| room.name.clone().map(Text)).await
    }

    /// A name to show: its name; else its canonical alias; else the names of up to three other
    /// members, or that of the user who invites you; else the room ID.
    async fn display_name(&self, context: &Context<'_>) -> Result<Text> {
        members::display_name(context, self).await
    }

    /// The other user of a conversation of two: the only user who has joined or is invited beside
    /// you. Null if there are more users or none, if the room has had hundreds of members, or if you
    /// have not joined. As of now.
    async fn peer(&self, context: &Context<'_>) -> Result<Option<User>> {
        members::peer(context, self)
    }

    /// Its topic.
    async fn topic(&self, context: &Context<'_>) -> Result<Option<Text>> {
        self.shown(context, |room| room.topic.clone().map(Text)).await
    }

    /// The `mxc:` address of its avatar.
    async fn avatar_url(&self, context: &Context<'_>) -> Result<Option<UriText>> {
        self.shown(context, |room| room.avatar_url.clone().map(UriText)).await
    }

    /// Its canonical alias.
    async fn canonical_alias(&self, context: &Context<'_>) -> Result<Option<RoomAliasScalar>> {
        let alias = self.shown(context, |room| room.canonical_alias.clone()).await?;
        Ok(alias.map(RoomAliasScalar))
    }

    /// The aliases that point to it, in alphabetical order.
    async fn aliases(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<RoomAliasConnection> {
        Box::pin(pages::aliases(context, self, first, after.as_deref())).await
    }

    /// How users may join.
    async fn join_rule(&self, context: &Context<'_>) -> Result<Option<JoinRuleKind>> {
        self.shown(context, |room| room.join_rule.as_ref().map(JoinRuleKind::of)).await
    }

    /// The users who may read its events.
    async fn history_visibility(
        &self,
        context: &Context<'_>,
    ) -> Result<Option<HistoryVisibilityEnum>> {
        self.shown(context, |room| room.history_visibility.map(Into::into)).await
    }

    /// Whether the public directory lists it.
    async fn is_listed(&self, context: &Context<'_>) -> Result<bool> {
        self.shown(context, |room| room.is_listed).await
    }

    /// The Matrix room version.
    async fn version(&self, context: &Context<'_>) -> Result<Option<Text>> {
        self.shown(context, |room| room.version.clone().map(Text)).await
    }

    /// The type of the room, such as `m.space`. Null for a conversation.
    async fn room_type(&self, context: &Context<'_>) -> Result<Option<Text>> {
        self.shown(context, |room| room.room_type.clone().map(Text)).await
    }

    /// Its creator.
    async fn creator(&self, context: &Context<'_>) -> Result<Option<User>> {
        let creator = self.shown(context, |room| room.creator.clone()).await?;
        Ok(creator.map(|creator| User::in_room(creator, self.id.clone())))
    }

    /// How many users have joined.
    async fn member_count(&self, context: &Context<'_>) -> Result<Option<i32>> {
        self.shown(context, |room| room.member_count.and_then(|it| it.try_into().ok())).await
    }

    /// How many users are invited.
    async fn invited_count(&self, context: &Context<'_>) -> Result<Option<i32>> {
        self.shown(context, |room| room.invited_count.and_then(|it| it.try_into().ok())).await
    }

    /// The services that follow the room now. Their bots read it without being members.
    async fn followed_by(&self, context: &Context<'_>) -> Result<Vec<RoomFollower>> {
        members::followers(context, self).await
    }

    /// Your membership in the room. The bot of a service is no member of a room that it only follows.
    async fn my_membership(&self, context: &Context<'_>) -> Result<MembershipEnum> {
        let viewer = session(context).viewer()?;
        let view = app(context).models.view();
        let at = self.as_of().unwrap_or(view.position());
        Ok(view.own_membership_at(&self.id, viewer, at).into())
    }

    /// Your power level. Null for creators above all levels.
    async fn my_power_level(&self, context: &Context<'_>) -> Result<Option<Long>> {
        self.shown(context, |room| room.my_power.and_then(Long::of_power)).await
    }

    /// The power levels. Null if you may not see them, or if the room has none.
    async fn power_levels(&self, context: &Context<'_>) -> Result<Option<PowerLevels>> {
        let event = timeline::slot(context, self, "m.room.power_levels").await?;
        Ok(event.map(|event| PowerLevels::of(event.as_pdu())))
    }

    /// The actions that the room allows you now. Null if you have not joined it.
    async fn can(&self, context: &Context<'_>) -> Result<Option<RoomPermissions>> {
        let viewer = session(context).viewer()?;
        if !app(context).models.view().is_joined(&self.id, viewer) {
            return Ok(None);
        }
        reads(context).pause().await?;
        let may = Box::pin(app(context).commands.permissions(viewer, &self.id)).await;
        let may = may.map_err(|error| Fault::unavailable(&error.to_string()))?;
        Ok(Some(may.into()))
    }

    /// The user who invited you, while you are invited.
    async fn inviter(&self, context: &Context<'_>) -> Result<Option<User>> {
        let viewer = session(context).viewer()?;
        let view = app(context).models.view();
        if let Some(elsewhere) = view.elsewhere(&self.id, viewer) {
            return Ok(Invite::elsewhere(&elsewhere.standing).map(Invite::into_inviter));
        }
        let room = view.room(&self.id);
        let inviter = room.as_ref().and_then(|room| room.inviter_of(viewer));
        Ok(inviter.map(|inviter| User::in_room(inviter.clone(), self.id.clone())))
    }

    /// Your invite, while you are invited.
    async fn invite(&self, context: &Context<'_>) -> Result<Option<Invite>> {
        Invite::of(context, self).await
    }

    /// The last message that you may see. Null if there is none among the latest events.
    async fn last_message(&self, context: &Context<'_>) -> Result<Option<RoomEvent>> {
        let newest = self.shown(context, |room| room.last_message).await?;
        Box::pin(timeline::last_message(context, self, newest)).await
    }

    /// How many messages you have not read: messages of others that arrived after your join, after
    /// your read receipt, and after your own last message. Edits, reactions, state and redacted
    /// messages do not count. 0 if you have not joined.
    async fn unread_count(&self, context: &Context<'_>) -> Result<i32> {
        let count = self.shown(context, |room| room.unread.messages).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// How many of those notify you, by your `preferences`: all of them, those that mention you, or
    /// none. Show this number on the room.
    async fn notification_count(&self, context: &Context<'_>) -> Result<i32> {
        let count = self.shown(context, |room| room.unread.notifications).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// How many of those that notify you mention you, or everybody in the room. 0 in a muted room.
    async fn highlight_count(&self, context: &Context<'_>) -> Result<i32> {
        let count = self.shown(context, |room| room.unread.highlights).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// Your preferences for it, as of now.
    async fn preferences(&self, context: &Context<'_>) -> Result<RoomPreferencesShown> {
        let viewer = session(context).viewer()?;
        let view = app(context).models.view();
        let room = view.room(&self.id);
        Ok(room.map(|room| room.preferences(viewer)).unwrap_or_default().into())
    }

    /// Your account data about it, by type, as of now.
    async fn account_data(
        &self,
        context: &Context<'_>,
        #[graphql(name = "type", desc = "Only this type.")] kind: Option<String>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<AccountDataConnection> {
        let arguments = DataArguments { kind, first, after };
        Box::pin(account_data::page(context, Some(&self.id), arguments)).await
    }

    /// Users who are typing, ordered by user ID. Empty if you have not joined.
    async fn typing(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<UserConnection> {
        Ok(typing::page(context, &self.id, first, after.as_deref())?)
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
        Box::pin(members::page(context, self, first, after.as_deref(), membership)).await
    }

    /// The servers whose users have joined, by name. Empty unless you see the members.
    async fn servers(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<RoomServerConnection> {
        Box::pin(pages::servers(context, &self.id, first, after.as_deref())).await
    }

    /// One user in the room. Null if the room has no member event of the user.
    async fn member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user.")] user_id: UserIdScalar,
    ) -> Result<Option<RoomMember>> {
        Box::pin(members::one(context, self, &user_id.0)).await
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
        Box::pin(timeline::state(context, self, arguments)).await.map(RoomStateConnection)
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
    /// `around` an event for a permalink; `at` a moment for the events from then on, or with `last`
    /// for those before it. The newest events by default.
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
        #[graphql(
            desc = "A moment, compared with `sentAt`. Continue with the cursors of the page."
        )]
        at: Option<DateTime>,
        #[graphql(desc = "The filter for events; that of the sync or of the join by default.")]
        filter: Option<FilterBy>,
        #[graphql(
            desc = "Whether to ask other servers for older events when there are none here.",
            default
        )]
        backfill: bool,
    ) -> Result<TimelineConnection> {
        let filter = chosen(context, filter).await?;
        let given = TimelineArguments::last(last);
        let given = TimelineArguments { first, after, before, around, at, ..given };
        let given = TimelineArguments { filter, backfill, ..given };
        Box::pin(timeline::page(context, self, given)).await
    }

    /// The call in the room now, as of now: yours, else the newest one. Null if there is none.
    async fn call(&self, context: &Context<'_>) -> Result<Option<Call>> {
        let viewer = session(context).viewer()?;
        Ok(app(context).models.view().call_in(&self.id, viewer).map(Call::from))
    }

    /// The calls that have ended, newest first, as of now.
    async fn calls(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<CallConnection> {
        Box::pin(calls::pages::past(context, self, first, after.as_deref())).await
    }

    /// Its incoming webhooks, by ID, as of now. Empty if you may not change them
    /// (`can { manageWebhooks }`).
    async fn incoming_webhooks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<IncomingWebhookConnection> {
        Box::pin(webhooks::page(context, &self.id, first, after.as_deref())).await
    }

    /// The place of the room's last event in the whole log.
    async fn activity(&self, context: &Context<'_>) -> Result<Option<PositionScalar>> {
        let (app, viewer) = (app(context), session(context).viewer()?);
        let activity = app.models.view().activity_for(&self.id, viewer);
        Ok(activity.map(|activity| app.token(activity)))
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
