//! Users, devices and members.

use async_graphql::{ComplexObject, Context, ID, Object, Result, SimpleObject};
use rookery_domain::{Membership, OwnedRoomId, OwnedUserId, Profile, RoomId};

use crate::{
    context::{STALE_AFTER, app, session},
    marks::{SeenByMembers, SharedBy, shared},
    reads::reads,
    types::{
        errors::fault::Fault,
        rooms::typing::types_in,
        users::presence::{UserPresence, presence_of},
        values::{
            node_id::NodeId,
            scalars::{DateTime, EventIdScalar, Long, UserIdScalar},
            text::{Text, UriText},
        },
    },
};

/// A user, optionally as shown in a room.
#[derive(Clone)]
pub struct User {
    id: OwnedUserId,
    room: Option<OwnedRoomId>,
    /// Whether the request itself logs this user in.
    logs_in: bool,
    /// The profile at the position of a sync.
    profile: Option<Profile>,
}

impl User {
    /// A user with the profile from the directory.
    pub fn new(id: OwnedUserId) -> Self {
        Self { id, room: None, logs_in: false, profile: None }
    }

    /// A user with the profile of one position, which the viewer may see.
    pub fn with_profile(id: OwnedUserId, profile: Profile) -> Self {
        Self { profile: Some(profile), ..Self::new(id) }
    }

    /// A user as the members of a room see the user.
    pub fn in_room(id: OwnedUserId, room: OwnedRoomId) -> Self {
        Self { id, room: Some(room), logs_in: false, profile: None }
    }

    /// The user that a request without a session has just logged in.
    pub fn logging_in(id: &str) -> Option<Self> {
        let id = id.try_into().ok()?;
        Some(Self { id, room: None, logs_in: true, profile: None })
    }

    /// The user, if this server has or knows such a user.
    pub fn existing(context: &Context<'_>, id: OwnedUserId) -> Result<Option<Self>> {
        let exists = app(context).models.view().knows_user(&id) || {
            let accounts = &app(context).accounts;
            let exists = accounts.exists(id.as_str());
            exists.map_err(|fault| Fault::accounts_unavailable(&fault))?
        };
        Ok(exists.then(|| Self::new(id)))
    }

    /// The user, if this server has or knows such a user, or if the user's own server says so.
    pub async fn found(context: &Context<'_>, id: OwnedUserId) -> Result<Option<Self>> {
        if let Some(existing) = Self::existing(context, id.clone())? {
            return Ok(Some(existing));
        }
        let app = app(context);
        if id.server_name() == app.commands.server_name() {
            return Ok(None);
        }
        let viewer = session(context).viewer()?;
        let profile = app.other_servers.profile(viewer, &id).await;
        Ok(profile.map(|profile| Self::with_profile(id, profile)))
    }

    /// Name and avatar, as the viewer may see them.
    fn shown(&self, context: &Context<'_>) -> Result<Profile> {
        if let Some(profile) = &self.profile {
            return Ok(profile.clone());
        }
        let view = app(context).models.view();
        if context.data_opt::<SeenByMembers>().is_some() {
            let room = self.room.as_ref().ok_or_else(Fault::unauthenticated)?;
            return Ok(view.profile_in(room, &self.id));
        }
        let viewer = if self.logs_in { &self.id } else { session(context).viewer()? };
        let (viewer, reads) = ((viewer, app(context).profiles), reads(context));
        let profile = view.profile_for(&self.id, self.room.as_deref(), viewer, &reads);
        Ok(reads.found(profile)?.unwrap_or_default())
    }
}

/// A user.
#[Object]
impl User {
    /// The global ID of the user.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    pub async fn id(&self) -> ID {
        NodeId::User(self.id.clone()).into()
    }

    /// The user ID.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn user_id(&self) -> UserIdScalar {
        UserIdScalar(self.id.clone())
    }

    /// Whether the user is of another server.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn is_remote(&self, context: &Context<'_>) -> bool {
        self.id.server_name() != app(context).commands.server_name()
    }

    /// The display name. Null if the user has none, or if you share no room and this server shows
    /// profiles only to users who do.
    #[graphql(directive = shared::apply(SharedBy::Members))]
    async fn display_name(&self, context: &Context<'_>) -> Result<Option<Text>> {
        Ok(self.shown(context)?.displayname.map(Text))
    }

    /// The `mxc:` address of the user's avatar. Null as for the name.
    #[graphql(directive = shared::apply(SharedBy::Members))]
    async fn avatar_url(&self, context: &Context<'_>) -> Result<Option<UriText>> {
        Ok(self.shown(context)?.avatar_url.map(UriText))
    }

    /// Whether you ignore the user.
    async fn is_ignored(&self, context: &Context<'_>) -> Result<bool> {
        let viewer = session(context).viewer()?;
        Ok(app(context).models.view().ignored_by(viewer).contains(&self.id))
    }

    /// The presence of the user. Null if you share no room.
    async fn presence(&self, context: &Context<'_>) -> Result<Option<UserPresence>> {
        Ok(presence_of(context, &self.id)?)
    }
}

/// One login of yours.
#[derive(Clone)]
pub struct Device(pub rookery_accounts::Device);

/// One login of yours.
#[Object]
impl Device {
    /// The ID of the device.
    async fn device_id(&self) -> ID {
        ID::from(&self.0.device_id)
    }

    /// Your name for it.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// When it was first logged in.
    async fn created_at(&self) -> DateTime {
        DateTime(rookery_log::Millis(self.0.created.0))
    }

    /// When it last sent a request, accurate to some minutes.
    async fn last_seen_at(&self) -> DateTime {
        DateTime(rookery_log::Millis(self.0.last_seen.0))
    }

    /// The greatest action ID that it has used; 0 if none. Continue counting from there.
    async fn last_action_id(&self, context: &Context<'_>) -> Result<i32> {
        let (app, user) = (app(context), session(context).viewer()?);
        // Every action that this device knows the answer of is durable, and counts.
        let tail = *app.log.tail().borrow();
        app.models.wait_for(tail, STALE_AFTER).await.map_err(|_| Fault::stale())?;
        let last = app.models.view().last_action(user, &self.0.device_id);
        Ok(i32::try_from(last).unwrap_or(i32::MAX))
    }

    /// Whether this request comes from it.
    async fn is_current(&self, context: &Context<'_>) -> bool {
        session(context).device_id().is_ok_and(|device| device == self.0.device_id)
    }
}

/// The membership of a user in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
#[graphql(name = "Membership")]
pub enum MembershipEnum {
    /// The room has no member event of the user.
    None,
    /// The user was joined, invited or knocking, and is no longer.
    Leave,
    /// The user asked to join.
    Knock,
    /// The user may join.
    Invite,
    /// The user is a member.
    Join,
    /// The user is banned.
    Ban,
}

impl From<Membership> for MembershipEnum {
    fn from(membership: Membership) -> Self {
        match membership {
            Membership::None => Self::None,
            Membership::Leave => Self::Leave,
            Membership::Knock => Self::Knock,
            Membership::Invite => Self::Invite,
            Membership::Join => Self::Join,
            Membership::Ban => Self::Ban,
        }
    }
}

impl From<MembershipEnum> for Membership {
    fn from(membership: MembershipEnum) -> Self {
        match membership {
            MembershipEnum::None => Self::None,
            MembershipEnum::Leave => Self::Leave,
            MembershipEnum::Knock => Self::Knock,
            MembershipEnum::Invite => Self::Invite,
            MembershipEnum::Join => Self::Join,
            MembershipEnum::Ban => Self::Ban,
        }
    }
}

/// A user in a room.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct RoomMember {
    /// The user.
    pub user: User,
    /// The user ID.
    pub user_id: UserIdScalar,
    /// The display name in the room.
    pub display_name: Option<Text>,
    /// The `mxc:` address of the avatar in the room.
    pub avatar_url: Option<UriText>,
    /// The membership.
    pub membership: MembershipEnum,
    /// The power level; null for creators above all levels.
    pub power_level: Option<Long>,
    /// The user who last changed the membership: the user, the inviter or a moderator.
    pub changed_by: User,
    /// The room of the member.
    #[graphql(skip)]
    pub room_id: OwnedRoomId,
}

impl RoomMember {
    /// A member of `room`.
    pub fn of(member: rookery_view::RoomMember, room: &RoomId) -> Self {
        let rookery_view::RoomMember { user_id, profile, membership, power, changed_by } = member;
        Self {
            user: User::in_room(user_id.clone(), room.to_owned()),
            user_id: UserIdScalar(user_id),
            display_name: profile.displayname.map(Text),
            avatar_url: profile.avatar_url.map(UriText),
            membership: membership.into(),
            power_level: Long::of_power(power),
            changed_by: User::in_room(changed_by, room.to_owned()),
            room_id: room.to_owned(),
        }
    }
}

/// A user in a room, as of this moment.
#[ComplexObject]
impl RoomMember {
    /// Whether the user is typing in the room. Only members see it.
    async fn is_typing(&self, context: &Context<'_>) -> Result<bool> {
        let viewer = session(context).viewer()?;
        Ok(types_in(app(context), &self.room_id, &self.user_id.0, viewer))
    }

    /// The last event that the user has read. Your own private receipt counts; for others only
    /// public ones do, and only members see them.
    async fn read_up_to(&self, context: &Context<'_>) -> Result<Option<EventIdScalar>> {
        let viewer = session(context).viewer()?;
        let view = app(context).models.view();
        let room = view.room(&self.room_id);
        let event = room.and_then(|room| room.read_up_to(&self.user_id.0, viewer));
        Ok(event.map(|event| EventIdScalar(event.to_owned())))
    }

    /// The presence of the user. Null if you share no room.
    async fn presence(&self, context: &Context<'_>) -> Result<Option<UserPresence>> {
        Ok(presence_of(context, &self.user_id.0)?)
    }
}
