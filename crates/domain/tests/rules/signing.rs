//! Signatures against ruma's verification.

use std::collections::BTreeMap;

use rookery_domain::{RoomVersionId, ServerName, SigningKey, sign};
use ruma_common::{CanonicalJsonObject, serde::Base64};
use ruma_signatures::{PublicKeyMap, PublicKeySet, Verified, reference_hash, verify_event};

use crate::support::{ALICE, BOB, join, public_of, say};

fn key() -> SigningKey {
    SigningKey::from_seed([7; 32], "a_1").unwrap()
}

#[test]
fn signed_events_verify_and_keep_their_ids_in_every_version() {
    let server = <&ServerName>::try_from("rook.example").unwrap();
    let public = Base64::new(key().public_key().to_vec());
    let keys: PublicKeySet = BTreeMap::from([("ed25519:a_1".to_owned(), public)]);
    let keys: PublicKeyMap = BTreeMap::from([("rook.example".to_owned(), keys)]);
    for version in [RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12] {
        let rules = version.rules().unwrap();
        let given = public_of(version.clone()).and(BOB, join()).and(ALICE, say("hello"));
        for event in &given.events {
            let signed = sign(event, &key(), server, &version).unwrap();
            let object: CanonicalJsonObject = serde_json::from_str(&signed).unwrap();
            assert_eq!(verify_event(&keys, &object, &rules).unwrap(), Verified::All);
            let hash = reference_hash(&object, &rules).unwrap();
            assert_eq!(event.event_id.as_str(), format!("${hash}"));
        }
    }
}

#[test]
fn a_key_survives_its_file() {
    let line = key().to_line();
    let read = SigningKey::from_line(&line).unwrap();
    assert_eq!(read.name(), "a_1");
    assert_eq!(read.public_key(), key().public_key());
    assert_eq!(read.to_line(), line);
}

#[test]
fn what_is_no_key_is_refused() {
    let line = key().to_line();
    let short = &line[..line.len() - 4];
    for text in ["", "ed25519 a_1", "rsa a_1 AAAA", short, &format!("{line} more")] {
        assert!(SigningKey::from_line(text).is_err(), "{text}");
    }
    assert!(SigningKey::from_seed([7; 32], "a:1").is_err());
    assert!(SigningKey::from_seed([7; 32], "").is_err());
}

#[test]
fn the_secret_is_not_shown() {
    let shown = format!("{:?}", key());
    let seed = key().to_line();
    assert!(!shown.contains(seed.rsplit(' ').next().unwrap()));
    assert!(shown.contains("a_1"));
}
