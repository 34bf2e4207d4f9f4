//! Decisions about rooms that exist: the events that a command makes.

mod calls;
mod leaving;
mod levels;
mod membership;
mod message;
pub(super) mod permissions;
pub(super) mod redaction;
mod relation;
pub(super) mod settings;

use std::{borrow::Cow, sync::Arc};

use rookery_pdu::canonical;

use super::{Context, Room, RoomCommand, authorise::Draft};
use crate::{Bound, Pdu, Profile, Rejection};

impl Room {
    /// Decides which events a command makes. The list is empty if the command changes nothing.
    ///
    /// `profile` is the sender's; it goes into the member event of a join or knock.
    ///
    /// # Errors
    /// [`Rejection`], naming the rule that forbids it. Rejections are answers, not faults.
    pub fn decide(
        &self,
        command: &RoomCommand,
        profile: &Profile,
        cx: &Context,
    ) -> Result<Vec<Arc<Pdu>>, Rejection> {
        self.rules()?;
        if !self.has_begun() {
            return Err(Rejection::NoSuchRoom);
        }
        self.check_replaced(command, cx)?;
        let event = match command {
            RoomCommand::Leave { reason, successor } => {
                return self.leave_to(successor.as_deref(), reason.as_deref(), cx);
            }
            RoomCommand::Join { .. }
            | RoomCommand::Knock { .. }
            | RoomCommand::Invite { .. }
            | RoomCommand::Kick { .. }
            | RoomCommand::Ban { .. }
            | RoomCommand::Unban { .. }
            | RoomCommand::SetMemberProfile { .. } => {
                let draft = self.decide_membership(command, profile, cx)?;
                draft.map(|draft| self.issue(&draft, cx)).transpose()?
            }
            RoomCommand::SendMessage { .. }
            | RoomCommand::React { .. }
            | RoomCommand::SendEvent { .. } => self.send(&message::said(command, cx)?, cx)?,
            RoomCommand::Redact { event_id, reason } => {
                self.decide_redaction(event_id, reason.as_deref(), cx)?
            }
            RoomCommand::PlaceCall(call) => self.place_call(call, cx)?,
            RoomCommand::AnswerCall { call_id, party_id } => {
                self.answer_call(call_id, party_id.as_ref(), cx)?
            }
            RoomCommand::RejectCall { call_id, party_id } => {
                self.reject_call(call_id, party_id.as_ref(), cx)?
            }
            RoomCommand::HangUpCall { call_id, reason, party_id } => {
                self.hang_up_call(call_id, *reason, party_id.as_ref(), cx)?
            }
            RoomCommand::EndCall { call_id, reason } => self.end_call(call_id, *reason, cx)?,
            RoomCommand::Close { replacement } => return self.close_for(replacement, cx),
            RoomCommand::SetState { event_type, state_key, content } => {
                let draft = settings::custom(event_type, state_key, content, cx)?;
                self.set(&draft, cx)?
            }
            RoomCommand::SetName { name } => self.set(&settings::name(name)?, cx)?,
            RoomCommand::SetTopic { topic } => self.set(&settings::topic(topic)?, cx)?,
            RoomCommand::SetAvatar { url } => self.set(&settings::avatar(url.as_deref())?, cx)?,
            RoomCommand::SetAliases { canonical, alternative } => {
                let draft = settings::aliases(canonical.as_deref(), alternative, cx)?;
                self.set(&draft, cx)?
            }
            RoomCommand::SetJoinRule { rule } => {
                if rule.allowed_rooms().contains(&self.id) {
                    return Err(Rejection::AdmitsItself(self.id.clone()));
                }
                self.set(&settings::join_rule(rule)?, cx)?
            }
            RoomCommand::SetHistoryVisibility { visibility } => {
                self.set(&settings::history_visibility(*visibility), cx)?
            }
            RoomCommand::SetListed { listed } => self.set(&settings::listed(*listed), cx)?,
            RoomCommand::SetPowerLevels { change } => {
                let draft = self.change_power_levels(change, cx)?;
                draft.map(|draft| self.set(&draft, cx)).transpose()?.flatten()
            }
        };
        Ok(event.into_iter().collect())
    }

    /// Sends an event other than state. This is always a new event, unless the same reaction
    /// exists. `issue` checks membership and power.
    fn send(&self, draft: &Draft, cx: &Context) -> Result<Option<Arc<Pdu>>, Rejection> {
        let is_new = self.check_relation(draft, cx)?;
        is_new.then(|| self.issue(draft, cx)).transpose()
    }

    /// Sets state, unless it has this value already.
    fn set(&self, draft: &Draft, cx: &Context) -> Result<Option<Arc<Pdu>>, Rejection> {
        self.require_member(cx.sender)?;
        let content = canonical(&draft.content)?;
        let state_key: Cow<str> = draft.state_key.clone().unwrap_or_default();
        match self.state(&draft.kind, &state_key) {
            Some(current) if current.content.get() == content => return Ok(None),
            None if settings::says_nothing(&draft.kind, &content) => return Ok(None),
            None => Bound::StateKeys.admit(self.state.others())?,
            Some(_) => {}
        }
        let needed = self.levels().event(&draft.kind, true);
        self.require_power(cx.sender, needed, || format!("to set {}", draft.kind))?;
        self.issue_canonical(&draft.kind, Some(&state_key), content, cx).map(Some)
    }
}
