//! Changes of membership: join, leave, knock, invite, kick and ban.

use ruma_common::{OwnedRoomId, OwnedUserId, UserId};

use crate::{
    Bound, JoinRule, JsonObject, Membership, Power, Profile, Rejection,
    limits::REASON_BYTES_MAX,
    room::{Context, Invitee, Room, RoomCommand, authorise::Draft},
};

type Decision<'a> = Result<Option<Draft<'a>>, Rejection>;

impl Room {
    pub(super) fn decide_membership<'a>(
        &self,
        command: &'a RoomCommand,
        profile: &Profile,
        cx: &Context<'a>,
    ) -> Decision<'a> {
        match command {
            RoomCommand::Join { reason, member_of } => {
                self.join(reason.as_deref(), member_of.as_ref(), profile, cx)
            }
            RoomCommand::Knock { reason } => self.knock(reason.as_deref(), profile, cx),
            RoomCommand::Invite { invitee, reason } => {
                self.invite(invitee, reason.as_deref(), invitee.is_direct, cx)
            }
            RoomCommand::Kick { user, reason } => self.kick(user, reason.as_deref(), cx),
            RoomCommand::Ban { user, reason } => self.ban(user, reason.as_deref(), cx),
            RoomCommand::Unban { user, reason } => self.unban(user, reason.as_deref(), cx),
            RoomCommand::SetMemberProfile { profile } => self.spread_profile(profile, cx),
            _ => Ok(None),
        }
    }

    fn join<'a>(
        &self,
        reason: Option<&str>,
        member_of: Option<&OwnedRoomId>,
        profile: &Profile,
        cx: &Context<'a>,
    ) -> Decision<'a> {
        profile.check()?;
        let mut content = member_content(Membership::Join, reason)?;
        profile.write_to(&mut content);
        match (self.membership(cx.sender), self.join_rule()) {
            (Membership::Join, _) => return Ok(None),
            (Membership::Ban, _) => return Err(Rejection::Banned),
            (Membership::Invite, _) | (_, JoinRule::Public) => {}
            (_, JoinRule::Invite | JoinRule::Knock) => return Err(Rejection::NotInvited),
            (_, JoinRule::Restricted(rooms) | JoinRule::KnockRestricted(rooms)) => {
                if !member_of.is_some_and(|room| rooms.contains(room)) {
                    return Err(Rejection::NotInAllowedRoom);
                }
                let admits = self.who_admits(cx).ok_or(Rejection::NobodyCanAdmit)?;
                content.insert("join_authorised_via_users_server".into(), admits.as_str().into());
            }
        }
        Ok(Some(Draft::member(cx.sender, content)))
    }

    /// A joined user of this server who may invite. A user who joins a restricted room joins in
    /// their name.
    fn who_admits(&self, cx: &Context) -> Option<OwnedUserId> {
        let invite = self.levels().invite;
        let admits = |user: &UserId| {
            user.server_name() == cx.server_name
                && self.membership(user) == Membership::Join
                && self.power_of(user) >= Power::Level(invite)
        };
        let creators = self.version.iter().flat_map(|version| version.creators.users());
        let named = self.levels.iter().flat_map(|levels| levels.users.keys());
        let known = creators.chain(named).find(|user| admits(user)).cloned();
        known.or_else(|| {
            let mut users = self.members().filter_map(|(user, ..)| <&UserId>::try_from(user).ok());
            users.find(|user| admits(user)).map(ToOwned::to_owned)
        })
    }

    pub(super) fn leave<'a>(&self, reason: Option<&str>, cx: &Context<'a>) -> Decision<'a> {
        match self.membership(cx.sender) {
            Membership::None => Err(Rejection::NotAMember),
            Membership::Leave | Membership::Ban => Ok(None),
            Membership::Join | Membership::Invite | Membership::Knock => {
                let content = member_content(Membership::Leave, reason)?;
                Ok(Some(Draft::member(cx.sender, content)))
            }
        }
    }

    fn knock<'a>(&self, reason: Option<&str>, profile: &Profile, cx: &Context<'a>) -> Decision<'a> {
        profile.check()?;
        match self.membership(cx.sender) {
            Membership::Join | Membership::Invite | Membership::Knock => Ok(None),
            Membership::Ban => Err(Rejection::Banned),
            Membership::None | Membership::Leave if !self.join_rule().is_knockable() => {
                Err(Rejection::NotKnockable)
            }
            Membership::None | Membership::Leave => {
                let mut content = member_content(Membership::Knock, reason)?;
                profile.write_to(&mut content);
                Ok(Some(Draft::member(cx.sender, content)))
            }
        }
    }

    pub(in crate::room) fn invite<'a>(
        &self,
        invitee: &'a Invitee,
        reason: Option<&str>,
        is_direct: bool,
        cx: &Context,
    ) -> Decision<'a> {
        self.require_member(cx.sender)?;
        invitee.profile.check()?;
        match self.membership(&invitee.user) {
            Membership::Join | Membership::Invite => return Ok(None),
            Membership::Ban => return Err(Rejection::TargetBanned(invitee.user.clone())),
            Membership::None | Membership::Leave | Membership::Knock => {}
        }
        let needed = self.levels().invite;
        self.require_power(cx.sender, needed, || "to invite".to_owned())?;
        let mut content = member_content(Membership::Invite, reason)?;
        invitee.profile.write_to(&mut content);
        if is_direct {
            content.insert("is_direct".into(), true.into());
        }
        Ok(Some(Draft::member(&invitee.user, content)))
    }

    fn kick<'a>(&self, user: &'a UserId, reason: Option<&str>, cx: &Context<'a>) -> Decision<'a> {
        if user == cx.sender {
            self.require_other_head(None, user)?;
            return self.leave(reason, cx);
        }
        self.require_member(cx.sender)?;
        match self.membership(user) {
            Membership::None => return Err(Rejection::TargetNotInRoom(user.to_owned())),
            // Removing a banned user would lift the ban.
            Membership::Leave | Membership::Ban => return Ok(None),
            Membership::Join | Membership::Invite | Membership::Knock => {}
        }
        let needed = self.levels().kick;
        self.require_power(cx.sender, needed, || "to remove members".to_owned())?;
        self.require_below(user, cx)?;
        Ok(Some(Draft::member(user, member_content(Membership::Leave, reason)?)))
    }

    fn ban<'a>(&self, user: &'a UserId, reason: Option<&str>, cx: &Context<'a>) -> Decision<'a> {
        self.require_member(cx.sender)?;
        if user == cx.sender {
            return Err(Rejection::TargetIsSelf);
        }
        if self.membership(user) == Membership::Ban {
            return Ok(None);
        }
        let needed = self.levels().ban;
        self.require_power(cx.sender, needed, || "to ban".to_owned())?;
        self.require_below(user, cx)?;
        Bound::Bans.admit(self.state.banned())?;
        Ok(Some(Draft::member(user, member_content(Membership::Ban, reason)?)))
    }

    fn unban<'a>(&self, user: &'a UserId, reason: Option<&str>, cx: &Context<'a>) -> Decision<'a> {
        self.require_member(cx.sender)?;
        if self.membership(user) != Membership::Ban {
            return Ok(None);
        }
        // The member event says `leave`, so the rules ask for the level to kick as well.
        let needed = self.levels().ban.max(self.levels().kick);
        self.require_power(cx.sender, needed, || "to lift bans".to_owned())?;
        self.require_below(user, cx)?;
        Ok(Some(Draft::member(user, member_content(Membership::Leave, reason)?)))
    }

    fn spread_profile<'a>(&self, profile: &Profile, cx: &Context<'a>) -> Decision<'a> {
        profile.check()?;
        self.require_member(cx.sender)?;
        let current = self.state("m.room.member", cx.sender.as_str());
        let current = current.ok_or(Rejection::NotAMember)?;
        if Profile::of(current) == *profile {
            return Ok(None);
        }
        let mut content: JsonObject = current.content_as().unwrap_or_default();
        for key in ["reason", "join_authorised_via_users_server", "third_party_invite"] {
            content.remove(key);
        }
        profile.write_to(&mut content);
        Ok(Some(Draft::member(cx.sender, content)))
    }

    fn require_below(&self, user: &UserId, cx: &Context) -> Result<(), Rejection> {
        if self.power_of(user) < self.power_of(cx.sender) {
            return Ok(());
        }
        Err(Rejection::TargetNotBelow(user.to_owned()))
    }
}

fn member_content(membership: Membership, reason: Option<&str>) -> Result<JsonObject, Rejection> {
    let mut content = JsonObject::new();
    content.insert("membership".into(), membership.as_str().into());
    if let Some(reason) = reason {
        Rejection::if_longer("the reason", reason, REASON_BYTES_MAX)?;
        content.insert("reason".into(), reason.into());
    }
    Ok(content)
}
