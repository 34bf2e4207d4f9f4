//! Passes events of other servers from an operator's file to the rooms.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use rookery_command::{Receipt, Received, TrustedKeys};
use rookery_domain::{EventStatus, Incoming, OwnedEventId, OwnedRoomId, OwnedServerName};
use rookery_log::Position;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Output;
use crate::{
    failure::Failure,
    node::{Node, clock},
};

/// Longest line of the file in bytes: an event and its origin.
const LINE_BYTES_MAX: u64 = 128 * 1024;

/// Size in bytes at which a request is full.
const ORDER_BYTES_ENOUGH: usize = 256 * 1024;

/// An event, and the server that sent it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sent {
    origin: OwnedServerName,
    pdu: Box<RawValue>,
}

/// Public keys of servers, by server name and key ID, as unpadded base64.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServerKeyFile(BTreeMap<OwnedServerName, BTreeMap<String, String>>);

impl ServerKeyFile {
    /// Reads the file.
    ///
    /// # Errors
    /// [`Failure`] if the file cannot be read, or has another format.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read(path).map_err(|error| Failure::file("cannot read", path, error))?;
        let keys: Self = serde_json::from_slice(&text)
            .map_err(|error| Failure::file("not a file of server keys:", path, error))?;
        keys.trusted().map(|_| keys)
    }

    fn trusted(&self) -> Result<TrustedKeys, Failure> {
        let mut trusted = TrustedKeys::default();
        for (server, keys) in &self.0 {
            for (key_id, key) in keys {
                let key = STANDARD_NO_PAD.decode(key.trim_end_matches('='));
                let key = key.ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
                let key = key.filter(|_| key_id.starts_with("ed25519:")).ok_or_else(|| {
                    Failure::new(format!(
                        "the key {key_id} of {server} is not valid: write \
                         \"ed25519:NAME\": \"32 bytes as base64\""
                    ))
                })?;
                trusted.insert(server.clone(), key_id.clone(), key);
            }
        }
        Ok(trusted)
    }
}

/// Reads events, one a line, in portions for one request each.
///
/// # Errors
/// [`Failure`], which names the unreadable line.
pub fn read_sent(file: &Path) -> Result<Vec<Vec<Sent>>, Failure> {
    let mut input: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let opened = File::open(file).map_err(|error| Failure::file("cannot read", file, error))?;
        Box::new(BufReader::new(opened))
    };
    let mut portions = vec![Vec::new()];
    let mut bytes = 0;
    for number in 1_u64.. {
        let mut line = Vec::new();
        let taken = (&mut input).take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line)?;
        if taken == 0 {
            break;
        }
        if taken as u64 > LINE_BYTES_MAX {
            let why =
                format!("line {number} is longer than any event: write one event on each line");
            return Err(Failure::new(why));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let sent: Sent = serde_json::from_slice(&line).map_err(|error| {
            let form = r#"{"origin": "server name", "pdu": {...}}"#;
            Failure::new(format!("line {number} does not have the form {form}: {error}"))
        })?;
        if bytes + line.len() > ORDER_BYTES_ENOUGH {
            portions.push(Vec::new());
            bytes = 0;
        }
        bytes += line.len();
        portions.last_mut().into_iter().for_each(|portion| portion.push(sent.clone()));
    }
    Ok(portions)
}

/// Passes the events to their rooms, and prints the outcome of each.
pub(super) async fn receive(
    node: &Node,
    keys: &ServerKeyFile,
    sent: &[Sent],
    output: &Output,
) -> Result<(), Failure> {
    let keys = keys.trusted()?;
    let now = rookery_log::Millis(clock::now().0);
    let room = |sent: &Sent| Incoming::room_of(&sent.pdu);
    for delivery in sent.chunk_by(|a, b| a.origin == b.origin && room(a) == room(b)) {
        let Some(first) = delivery.first() else { continue };
        let receipts = match room(first) {
            Some(room_id) => {
                let pdus: Vec<_> = delivery.iter().map(|sent| sent.pdu.clone()).collect();
                node.commands.receive(&keys, &first.origin, &room_id, &pdus, now).await?
            }
            None => vec![homeless(); delivery.len()],
        };
        for (sent, receipt) in delivery.iter().zip(receipts) {
            output.text(line(room(sent), &receipt)).await;
        }
    }
    Ok(())
}

fn homeless() -> Receipt {
    let reason = "it does not name its room".to_owned();
    Receipt { event_id: None, received: Received::Refused { reason } }
}

/// The outcome of an event, as one line of JSON.
fn line(room: Option<OwnedRoomId>, receipt: &Receipt) -> String {
    #[derive(Default, Serialize)]
    struct Line<'a> {
        event: Option<&'a OwnedEventId>,
        room: Option<OwnedRoomId>,
        outcome: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        position: Option<Position>,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<EventStatus>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        missing: &'a [OwnedEventId],
    }
    let mut line = Line { event: receipt.event_id.as_ref(), room, ..Line::default() };
    match &receipt.received {
        Received::Accepted { position } => {
            (line.outcome, line.position) = ("accepted", Some(*position));
        }
        Received::SoftFailed { position, reason } => {
            (line.outcome, line.position) = ("soft_failed", Some(*position));
            line.reason = Some(reason);
        }
        Received::Rejected { position, reason } => {
            (line.outcome, line.position) = ("rejected", Some(*position));
            line.reason = Some(reason);
        }
        Received::Known { status } => (line.outcome, line.status) = ("known", Some(*status)),
        Received::Held { missing } => (line.outcome, line.missing) = ("held", missing),
        Received::Refused { reason } => {
            (line.outcome, line.reason) = ("refused", Some(reason.as_str()));
        }
    }
    serde_json::to_string(&line).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn read(text: &str) -> Result<Vec<Vec<Sent>>, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        read_sent(file.path())
    }

    #[test]
    fn long_files_come_in_portions_that_fit_into_orders() {
        let line = format!(r#"{{"origin":"a.example","pdu":{{"n":"{}"}}}}"#, "x".repeat(50_000));
        let portions = read(&format!("{line}\n\n").repeat(12)).unwrap();
        assert_eq!(portions.iter().map(Vec::len).sum::<usize>(), 12);
        assert!(portions.len() > 1);
        let size = |portion: &Vec<Sent>| serde_json::to_vec(portion).unwrap().len();
        assert!(portions.iter().all(|portion| size(portion) <= ORDER_BYTES_ENOUGH));
    }

    #[test]
    fn lines_that_are_no_events_are_named() {
        for (text, why) in [
            ("{}", "line 1 does not have the form"),
            ("\n[]", "line 2 does not have the form"),
            (&*"x".repeat(200_000), "line 1 is longer"),
        ] {
            let failure = read(text).unwrap_err().to_string();
            assert!(failure.contains(why), "{failure}");
        }
    }
}
