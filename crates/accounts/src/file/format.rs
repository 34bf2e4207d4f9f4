//! The values of the file: one version byte, then postcard.
//!
//! History of versions: all values are at 1, written since 0.1.0; consumers are at 2, which names the run of the server. `golden/values.txt` holds an
//! example of each version ever written; its lines are never edited. Refresh tokens will need a
//! second version of [`StoredToken`].

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Millis, Unavailable};

/// A value of the file.
pub(crate) trait Stored: Serialize + DeserializeOwned {
    /// The version that this program writes.
    const VERSION: u8;
    /// Its name in errors.
    const WHAT: &'static str;

    fn encode(&self) -> Result<Vec<u8>, Unavailable> {
        postcard::to_extend(self, vec![Self::VERSION])
            .map_err(|error| Unavailable::new(format!("cannot encode {}: {error}", Self::WHAT)))
    }

    /// Reads a value of this version, and of earlier ones if there are any.
    fn decode(bytes: &[u8]) -> Result<Self, Unavailable> {
        decode_present(bytes)
    }
}

/// Reads a value of the version that this program writes.
pub(crate) fn decode_present<T: Stored>(bytes: &[u8]) -> Result<T, Unavailable> {
    let damaged = |why: &str| Unavailable::new(format!("{} is damaged: {why}", T::WHAT));
    let (version, rest) = bytes.split_first().ok_or_else(|| damaged("it is empty"))?;
    if *version != T::VERSION {
        return Err(damaged(&format!("version {version} is unknown")));
    }
    let (value, left) =
        postcard::take_from_bytes(rest).map_err(|error| damaged(&error.to_string()))?;
    if left.is_empty() { Ok(value) } else { Err(damaged("it has bytes after its end")) }
}

/// A user, by local part. It is never deleted, so that a name cannot get a second owner.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredUser {
    pub(crate) created: Millis,
    /// In the PHC string format; `None` for imported users.
    pub(crate) password: Option<String>,
    pub(crate) admin: bool,
    pub(crate) deactivated: Option<Millis>,
}

impl StoredUser {
    /// A user without a password. Nobody can log in until an operator sets one.
    pub(crate) fn without_password(created: Millis) -> Self {
        Self { created, password: None, admin: false, deactivated: None }
    }
}

impl Stored for StoredUser {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "the record of a user";
}

/// A device, by local part and device ID.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredDevice {
    pub(crate) name: Option<String>,
    pub(crate) created: Millis,
    pub(crate) last_seen: Millis,
    /// SHA-256 of its access token; `None` once that has expired.
    pub(crate) token: Option<[u8; 32]>,
}

impl Stored for StoredDevice {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "the record of a device";
}

/// An access token, by its SHA-256.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredToken {
    pub(crate) localpart: String,
    pub(crate) device_id: String,
    pub(crate) issued: Millis,
    pub(crate) expires: Option<Millis>,
}

impl Stored for StoredToken {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "the record of an access token";
}

/// An incoming webhook, by ID.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredWebhook {
    pub(crate) room_id: String,
    pub(crate) creator: String,
    pub(crate) name: String,
    pub(crate) avatar_url: Option<String>,
    pub(crate) may_mention: bool,
    pub(crate) created: Millis,
    /// SHA-256 of its secret; `None` once that was revoked.
    pub(crate) secret: Option<[u8; 32]>,
}

impl Stored for StoredWebhook {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "the record of a webhook";
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::{
        BatchRow, ConsumerRow, OutgoingSecret, OutgoingState, ParkedFate, ParkedRow,
        users::outgoing::StoredOutgoing,
    };

    const GOLDEN: &str = include_str!("../../golden/values.txt");

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a string takes all");
            text
        })
    }

    fn unhex(text: &str) -> Vec<u8> {
        let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
        (0..text.len()).step_by(2).map(digit).collect()
    }

    fn check<T: Stored + PartialEq>(name: &str, value: &T) {
        let line = GOLDEN.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let encoded = value.encode().expect("encodes");
        let line = line.unwrap_or_else(|| panic!("no golden {name}: {}", hex(&encoded)));
        assert_eq!(hex(&encoded), line, "{name} is written otherwise than before");
        assert!(T::decode(&unhex(line)).expect("reads") == *value, "{name} reads otherwise");
    }

    #[test]
    fn values_are_written_and_read_as_in_the_golden_file() {
        check(
            "user 1",
            &StoredUser {
                created: Millis(1_700_000_000_000),
                password: Some("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into()),
                admin: true,
                deactivated: None,
            },
        );
        check(
            "user 1 deactivated",
            &StoredUser {
                created: Millis(1),
                password: None,
                admin: false,
                deactivated: Some(Millis(2)),
            },
        );
        check(
            "device 1",
            &StoredDevice {
                name: Some("phone".into()),
                created: Millis(1_700_000_000_000),
                last_seen: Millis(1_700_000_300_000),
                token: Some([7; 32]),
            },
        );
        check(
            "token 1",
            &StoredToken {
                localpart: "ada".into(),
                device_id: "ABCDEFGHIJ".into(),
                issued: Millis(1_700_000_000_000),
                expires: Some(Millis(1_700_003_600_000)),
            },
        );
        check(
            "webhook 1",
            &StoredWebhook {
                room_id: "!room".into(),
                creator: "@ada:example.org".into(),
                name: "Alerts".into(),
                avatar_url: None,
                may_mention: true,
                created: Millis(1_700_000_000_000),
                secret: Some([7; 32]),
            },
        );
    }

    #[test]
    fn services_are_written_and_read_as_in_the_golden_file() {
        check(
            "service 1",
            &crate::services::StoredService {
                created: Millis(1_700_000_000_000),
                token: crate::ServiceTokenHash::of("a token"),
                registration: "{}".into(),
                hs_token: Some("a secret".into()),
            },
        );
    }

    #[test]
    fn consumers_are_written_and_read_as_in_the_golden_file() {
        let batch = |end, deliveries, retried| BatchRow {
            end,
            first_sent: Millis(1_700_000_000_500),
            deliveries,
            retried,
        };
        let consumer = ConsumerRow {
            created: Millis(1_700_000_000_000),
            incarnation: 0x0123_4567_89ab_cdef,
            epoch: 7,
            position: 300,
            acknowledged: Some(Millis(1_700_000_000_400)),
            run: 0xfe,
            batches: vec![batch(400, 1, None), batch(400, 12, Some("$event".into()))],
        };
        check("consumer 2", &consumer);
        let first = GOLDEN.lines().find_map(|line| line.strip_prefix("consumer 1: "));
        let first = ConsumerRow::decode(&unhex(first.expect("it stays there")));
        assert_eq!(first.expect("reads"), ConsumerRow { run: 0, ..consumer });
        let parked = ParkedRow {
            reason: "it has no text".into(),
            since: Millis(1_700_000_000_600),
            position: 400,
            fate: ParkedFate::Retried,
        };
        check("parked 1", &parked);
    }

    #[test]
    fn outgoing_webhooks_are_written_and_read_as_in_the_golden_file() {
        let outgoing = StoredOutgoing {
            owner: "ada".into(),
            room_id: Some("!room".into()),
            name: "CI".into(),
            url: "https://ci.example.org/".into(),
            filter: "{}".into(),
            created: Millis(1_700_000_000_000),
            secret: OutgoingSecret::of([7; 32]),
            state: OutgoingState {
                begun: Millis(1_700_000_000_001),
                failing_since: Some(Millis(1_700_000_000_002)),
                failures: 3,
                last_error: Some("no connection".into()),
                disabled: None,
            },
        };
        check("outgoing webhook 1", &outgoing);
    }

    #[test]
    fn a_damaged_value_is_named() {
        let value =
            StoredUser { created: Millis(1), password: None, admin: false, deactivated: None };
        let good = value.encode().expect("encodes");
        let mut newer = good.clone();
        newer[0] = 2;
        let mut longer = good.clone();
        longer.push(0);
        for bad in [&[][..], &newer, &longer, &good[..good.len() - 1]] {
            let error = StoredUser::decode(bad).err().expect("refused").to_string();
            assert!(error.contains("the record of a user is damaged"), "{error}");
        }
    }
}
