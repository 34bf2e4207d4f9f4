//! Recognises a command that is sent again, among commands with the same number.

use ruma_common::{OwnedRoomId, RoomId};

use super::{message, settings};
use crate::{
    Context, JsonObject, Membership, Pdu, Rejection, RoomCommand,
    events::relation::RELATES_TO,
    pdu::canonical::canonical,
    room::{DIRECTORY_TYPE, authorise::Draft, reading::field},
};

impl RoomCommand {
    /// Whether this command of the sender can have made `event`.
    ///
    /// For power levels and profiles only the kind is compared, because their content depended on
    /// the room.
    #[must_use]
    pub fn may_have_made(&self, event: &Pdu, cx: &Context) -> bool {
        match self {
            Self::SetPowerLevels { .. } => is_power_event(event),
            Self::Leave { successor: Some(_), .. } if is_power_event(event) => true,
            Self::Close { replacement } => closes_for(replacement, event),
            Self::SetMemberProfile { .. } => is_member_event(event, cx.sender.as_str()),
            Self::Redact { event_id, .. } => {
                event.redacts.clone().or_else(|| event.redacts_in_content()).as_ref()
                    == Some(event_id)
            }
            _ => match self.membership(cx) {
                Some((user, membership, reason)) => {
                    is_member_event(event, user)
                        && Membership::of(event) == membership
                        && field::<String>(event, "reason").as_deref() == reason
                }
                None => self.draft(cx).is_ok_and(|draft| draft.is_some_and(|d| is(&d, event))),
            },
        }
    }

    /// The user, the new membership and the reason of a command that changes membership.
    fn membership<'a>(
        &'a self,
        cx: &Context<'a>,
    ) -> Option<(&'a str, Membership, Option<&'a str>)> {
        let own = cx.sender.as_str();
        let (user, membership, reason) = match self {
            Self::Join { reason, .. } => (own, Membership::Join, reason),
            Self::Knock { reason } => (own, Membership::Knock, reason),
            Self::Leave { reason, .. } | Self::Reject { reason } => {
                (own, Membership::Leave, reason)
            }
            Self::Invite { invitee, reason } => (invitee.user.as_str(), Membership::Invite, reason),
            Self::Kick { user, reason } | Self::Unban { user, reason } => {
                (user.as_str(), Membership::Leave, reason)
            }
            Self::Ban { user, reason } => (user.as_str(), Membership::Ban, reason),
            _ => return None,
        };
        Some((user, membership, reason.as_deref()))
    }

    /// The draft of a command whose event does not depend on the room.
    fn draft<'a>(&'a self, cx: &Context) -> Result<Option<Draft<'a>>, Rejection> {
        Ok(Some(match self {
            Self::SendMessage { .. } | Self::React { .. } | Self::SendEvent { .. } => {
                message::said(self, cx)?
            }
            Self::SetState { event_type, state_key, content } => {
                settings::custom(event_type, state_key, content, cx)?
            }
            Self::SetName { name } => settings::name(name)?,
            Self::SetTopic { topic } => settings::topic(topic)?,
            Self::SetAvatar { url } => settings::avatar(url.as_deref())?,
            Self::SetAliases { canonical, alternative } => {
                settings::aliases(canonical.as_deref(), alternative, cx)?
            }
            Self::SetJoinRule { rule } => settings::join_rule(rule)?,
            Self::SetHistoryVisibility { visibility } => settings::history_visibility(*visibility),
            Self::SetListed { listed } => settings::listed(*listed),
            _ => return Ok(None),
        }))
    }
}

fn is_power_event(event: &Pdu) -> bool {
    event.kind.to_string() == "m.room.power_levels"
}

/// Whether the event is the tombstone, or closes the room with it.
fn closes_for(replacement: &RoomId, event: &Pdu) -> bool {
    let kind = event.kind.to_string();
    let room = field::<OwnedRoomId>(event, "replacement_room");
    let goes_along = ["m.room.power_levels", "m.room.canonical_alias", DIRECTORY_TYPE];
    goes_along.contains(&&*kind)
        || (kind == "m.room.tombstone" && room.as_deref() == Some(replacement))
}

fn is_member_event(event: &Pdu, user: &str) -> bool {
    event.kind.to_string() == "m.room.member" && event.state_key.as_deref() == Some(user)
}

fn is(draft: &Draft, event: &Pdu) -> bool {
    event.kind.to_string() == draft.kind
        && event.state_key.as_deref() == draft.state_key.as_deref()
        && canonical(&draft.content).is_ok_and(|content| {
            event.content.get() == content || goes_on_with_the_same_thread(draft, event)
        })
}

/// The server chose the last message of the thread, which changed when a new one came.
fn goes_on_with_the_same_thread(draft: &Draft, event: &Pdu) -> bool {
    let without_fallback = |mut content: JsonObject| {
        let relates = content.get_mut(RELATES_TO)?.as_object_mut()?;
        relates.get("is_falling_back")?.as_bool()?.then_some(())?;
        relates.remove("m.in_reply_to");
        Some(content)
    };
    let said = event.content_as().and_then(without_fallback);
    said.is_some() && said == without_fallback(draft.content.clone().into_owned())
}
