//! Signatures of single events, for events that are not given to the write side.

use rookery_domain::{Incoming, Pdu, PublicKeys, RoomVersionId, ServerName};
use rookery_pdu::verify_object;
use ruma_common::{CanonicalJsonObject, CanonicalJsonValue, canonical_json::redact};
use serde_json::value::RawValue;

use crate::keys::RemoteKeys;

/// Most signatures of one server that are looked at.
const SIGNATURES_MAX: usize = 4;

/// The event, if all servers that have to sign it did.
///
/// # Errors
/// Why it does not count.
pub(crate) async fn verified(
    keys: &RemoteKeys,
    event: &RawValue,
    version: &RoomVersionId,
) -> Result<Pdu, String> {
    let incoming = Incoming::read(event, version).map_err(|error| error.to_string())?;
    let signers = incoming.signers().map_err(|error| error.to_string())?;
    let at = u64::from(incoming.sent().0);
    let mut public = PublicKeys::default();
    for (server, key_ids) in &signers {
        for key_id in key_ids.iter().take(SIGNATURES_MAX) {
            let key = keys.key(server, key_id, at).await;
            let key =
                key.map_err(|error| format!("the keys of {server} are not available: {error}"))?;
            if let Some(key) = key {
                public.insert(server, key_id, key);
            }
        }
    }
    incoming.verify(&public).map_err(|error| error.to_string())
}

/// An event with the signatures of another server beside its own. `theirs` is the same event, as that
/// server sent it. Only its signatures are taken: an event ID does not cover all of the content.
pub(super) fn with_signatures_of(
    server: &ServerName,
    own: &RawValue,
    theirs: &RawValue,
) -> Result<Box<RawValue>, String> {
    let read = |event: &RawValue| {
        let read: Result<CanonicalJsonObject, _> = serde_json::from_str(event.get());
        read.map_err(|error| error.to_string())
    };
    let (mut own, theirs) = (read(own)?, read(theirs)?);
    let made = theirs.get("signatures").and_then(CanonicalJsonValue::as_object);
    let made = made.and_then(|made| made.get(server.as_str())).cloned();
    if let Some(CanonicalJsonValue::Object(signatures)) = own.get_mut("signatures") {
        signatures.extend(made.map(|made| (server.to_string(), made)));
    }
    let text = serde_json::to_string(&own).map_err(|error| error.to_string())?;
    RawValue::from_string(text).map_err(|error| error.to_string())
}

/// Whether an event has a valid signature of a server, beside those that it has to have.
///
/// # Errors
/// Why not.
pub(crate) async fn is_signed_by(
    keys: &RemoteKeys,
    event: &RawValue,
    version: &RoomVersionId,
    server: &ServerName,
) -> Result<(), String> {
    let rules = version.rules().ok_or("the version of the room is not known")?;
    let mut object: CanonicalJsonObject =
        serde_json::from_str(event.get()).map_err(|error| error.to_string())?;
    object.remove("unsigned");
    let sent = object.get("origin_server_ts").and_then(CanonicalJsonValue::as_integer);
    let at = sent.and_then(|sent| u64::try_from(i64::from(sent)).ok()).unwrap_or_default();
    let made = object.get("signatures").and_then(CanonicalJsonValue::as_object);
    let made = made.and_then(|made| made.get(server.as_str())).and_then(|it| it.as_object());
    let ids: Vec<String> =
        made.map(|made| made.keys().take(SIGNATURES_MAX).cloned().collect()).unwrap_or_default();
    let redacted = redact(object, &rules.redaction, None).map_err(|error| error.to_string())?;
    let mut why = "it has no signature of that server".to_owned();
    for id in ids {
        match keys.key(server, &id, at).await {
            Ok(Some(key)) => match verify_object(redacted.clone(), server, &id, key) {
                Ok(()) => return Ok(()),
                Err(error) => why = error.to_string(),
            },
            Ok(None) => why = format!("{server} has no key {id} of that time"),
            Err(error) => why = error,
        }
    }
    Err(why)
}
