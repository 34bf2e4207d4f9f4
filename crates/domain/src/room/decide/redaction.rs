//! Redactions: the power that a sender needs for them.

use std::sync::Arc;

use rookery_pdu::canonical;
use ruma_common::{EventId, OwnedEventId, room_version_rules::RoomVersionRules};
use ruma_events::TimelineEventType;

use crate::{Context, JsonObject, Pdu, Power, Rejection, limits::REASON_BYTES_MAX, room::Room};

const KIND: &str = "m.room.redaction";

impl Room {
    /// Decides whether the sender may redact an event: their own, or any event with the power to
    /// redact.
    pub(super) fn decide_redaction(
        &self,
        event_id: &EventId,
        reason: Option<&str>,
        cx: &Context,
    ) -> Result<Option<Arc<Pdu>>, Rejection> {
        self.require_member(cx.sender)?;
        Rejection::if_longer("the reason", reason.unwrap_or(""), REASON_BYTES_MAX)?;
        let target = self.known_here(event_id, cx)?;
        if target.redacted {
            return Ok(None);
        }
        if founds_the_room(&target.pdu.kind) {
            return Err(Rejection::NotRedactable(target.pdu.kind.to_string()));
        }
        if self.calls().active().any(|call| call.invite == event_id) {
            return Err(Rejection::NotRedactable(
                "m.call.invite of a call that goes on".to_owned(),
            ));
        }
        if target.pdu.sender != cx.sender {
            let action = || "to redact what others sent".to_owned();
            self.require_power(cx.sender, self.levels().redact, action)?;
        }
        let in_content = self.rules()?.redaction.content_field_redacts;
        let mut content = JsonObject::new();
        if let Some(reason) = reason {
            content.insert("reason".into(), reason.into());
        }
        if in_content {
            content.insert("redacts".into(), event_id.as_str().into());
        }
        let beside = (!in_content).then_some(event_id);
        self.issue_redacting(KIND, None, beside, canonical(&content)?, cx).map(Some)
    }

    /// The target of a redaction in this room. Room versions up to 10 name it beside the content,
    /// newer ones in the content.
    #[must_use]
    pub fn redaction_target(&self, redaction: &Pdu) -> Option<OwnedEventId> {
        redaction_target(redaction, self.rules().ok()?)
    }

    /// Whether an accepted redaction takes effect on `target`. Either its sender has the power to
    /// redact, or it came from the server of the target's sender, which knows whose event it is.
    ///
    /// Source: Matrix server-server specification, room version 3, "Handling redactions". Create
    /// events are never redacted: older room versions would lose all of their content.
    #[must_use]
    pub fn redaction_applies(&self, redaction: &Pdu, target: &Pdu) -> bool {
        let has_power = self.power_of(&redaction.sender) >= Power::Level(self.levels().redact);
        let same_server = redaction.sender.server_name() == target.sender.server_name();
        self.redaction_target(redaction).as_ref() == Some(&target.event_id)
            && redaction.room_id == target.room_id
            && target.kind != TimelineEventType::RoomCreate
            && (has_power || same_server)
    }
}

/// The target of a redaction in a room with these rules.
#[must_use]
pub fn redaction_target(redaction: &Pdu, rules: &RoomVersionRules) -> Option<OwnedEventId> {
    (redaction.kind == TimelineEventType::RoomRedaction).then_some(())?;
    if rules.redaction.content_field_redacts {
        redaction.redacts_in_content()
    } else {
        redaction.redacts.clone()
    }
}

/// Whether the room depends on the event: its origin, its encryption, or the servers that it
/// excludes.
fn founds_the_room(kind: &TimelineEventType) -> bool {
    matches!(
        kind,
        TimelineEventType::RoomCreate
            | TimelineEventType::RoomEncryption
            | TimelineEventType::RoomServerAcl
    )
}
