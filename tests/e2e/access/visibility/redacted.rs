//! The visibility of redactions.
//!
//! The rule: a user who sees the event sees that it was redacted; a user who also sees the
//! redaction sees that event.

use serde_json::{Value, json};

use super::checks::Case;

/// The selection for each event.
pub(super) const REDACTED: &str = "fragment redacted on RoomEvent {
    content text isRedacted redactedBecause { event { eventId } by { userId } } }";

impl Case<'_> {
    /// Checks the redaction fields of a visible event.
    pub(super) fn redacted(&self, node: &Value) {
        let (id, hint) = (node["eventId"].as_str().unwrap(), &self.hint);
        let event = self.log.iter().find(|event| event.id == id).unwrap();
        assert_eq!(node["isRedacted"], event.redacted_by.is_some(), "is {id} redacted, {hint}");
        let visible = |by: &&String| self.expected.timeline.contains(by);
        let because = event.redacted_by.as_ref().filter(visible);
        let shown = &node["redactedBecause"];
        assert_eq!(shown["event"]["eventId"], json!(because), "by what {id} was, {hint}");
        let by = because.map(|_| "@alice:localhost");
        assert_eq!(shown["by"]["userId"], json!(by), "by whom {id} was, {hint}");
        if event.redacted_by.is_some() {
            assert_eq!(node["content"], json!({}), "what {id} said, {hint}");
        }
    }
}
