//! Servers whose keys change, and servers that are away while a notary has their keys.

use std::sync::Arc;

use rookery_domain::SigningKey;
use ruma_common::CanonicalJsonObject;
use serde_json::{Value, json};

use super::{
    super::{
        peer::Peer,
        world::{Certificate, Here, now},
    },
    forge::Forge,
};
use crate::OwnKeys;

const PROFILE: &str = "/_matrix/federation/v1/query/profile?user_id=%40ann%3Aone.example";

#[tokio::test]
async fn other_bytes_under_a_known_key_id_do_not_count() {
    let forge = Forge::open().await;
    let other = Arc::new(SigningKey::from_seed([9; 32], "peer").unwrap());
    let own = OwnKeys {
        server_name: forge.peer.name.clone(),
        current: Arc::clone(&other),
        old: Vec::new(),
    };
    *forge.peer.taken.keys.lock() = own.published(now()).unwrap();
    let (id, event) = forge.signed_by(json!({}), &other);
    let outcomes = forge.send(&event).await;
    let error = outcomes[id.as_str()]["error"].as_str().unwrap();
    assert!(error.contains("the signatures do not hold"), "{error}");
    // A request that is signed with the new bytes is refused as well, and the old ones count still.
    let Forge { here, mut peer, .. } = forge;
    let honest = std::mem::replace(&mut peer.key, other);
    let (status, body) = peer.ask(&here, "GET", PROFILE, None).await;
    assert_eq!((status, body["errcode"].as_str()), (401, Some("M_UNAUTHORIZED")), "{body}");
    peer.key = honest;
    let (status, body) = peer.ask(&here, "GET", PROFILE, None).await;
    assert_eq!((status, body["errcode"].as_str()), (404, Some("M_NOT_FOUND")), "{body}");
}

/// The keys of a peer, with the signature of a notary too, as an answer of the notary.
fn noted(peer: &Peer, notary: &Peer, key: &SigningKey) -> Value {
    let keys = peer.taken.keys.lock().clone();
    let mut object: CanonicalJsonObject = serde_json::from_str(&keys).unwrap();
    key.sign_object(&notary.name, &mut object).unwrap();
    json!({ "server_keys": [object] })
}

#[tokio::test]
async fn a_notary_has_the_keys_of_a_server_that_is_away() {
    let certificate = Arc::new(Certificate::new());
    let (peer, notary) = (Peer::open(&certificate).await, Peer::open(&certificate).await);
    let without = Here::open(&certificate).await;
    let honest = noted(&peer, &notary, &notary.key);
    let unsigned =
        json!({ "server_keys": [serde_json::from_str::<Value>(&peer.taken.keys.lock()).unwrap()] });
    let other = SigningKey::from_seed([5; 32], "other").unwrap();
    let forged = noted(&peer, &notary, &other);
    // The server is away.
    *peer.taken.keys.lock() = "away".to_owned();
    assert_eq!(peer.ask(&without, "GET", PROFILE, None).await.0, 401);
    for (answer, status) in [(unsigned, 401), (forged, 401), (honest, 404)] {
        let here = Here::open_with(&certificate, vec![notary.name.clone()]).await;
        let given = answer.clone();
        *notary.taken.answers.lock() = Some(Box::new(move |_| (200, given.clone())));
        assert_eq!(peer.ask(&here, "GET", PROFILE, None).await.0, status, "{answer}");
    }
    assert!(notary.taken.count("/_matrix/key/v2/query") >= 3);
}
