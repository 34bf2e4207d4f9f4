//! Rates and bounds of webhooks.

use serde_json::json;
use tempfile::tempdir;

use super::requests::{create, post};
use crate::{client::two, server::Server};

#[test]
fn a_webhook_has_a_rate_and_others_have_their_own() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--limits-rates-webhooks", "3+1/h"]);
    let (alice, _, room) = two(&server);
    let (_, one) = create(&alice, &json!({ "roomId": room, "name": "One" }));
    let (_, other) = create(&alice, &json!({ "roomId": room, "name": "Other" }));
    let text = json!({ "text": "hello" });
    let statuses: Vec<u16> = (0..5).map(|_| post(&server, &one, &text).0).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(post(&server, &other, &text).0, 200);
}

#[test]
fn an_address_guesses_so_many_secrets() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--limits-rates-webhook-requests", "3+1/h"]);
    let text = json!({ "text": "hello" });
    let statuses: Vec<u16> = (0..5).map(|_| post(&server, "/hooks/a/b", &text).0).collect();
    assert_eq!(statuses, [404, 404, 404, 429, 429]);
}
