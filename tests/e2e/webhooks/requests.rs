//! Requests to webhooks and about them, as the tests make them.

use serde_json::{Value, json};

use crate::{
    client::{ANSWER_MAX, Client},
    server::Server,
};

/// Posts JSON to a path, and returns status and text.
pub(super) fn post(server: &Server, path: &str, payload: &Value) -> (u16, String) {
    post_as(server, path, "application/json", &payload.to_string())
}

pub(super) fn post_as(server: &Server, path: &str, kind: &str, body: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(ANSWER_MAX))
        .build()
        .into();
    let request = agent.post(format!("http://{}{path}", server.address()));
    let mut response = request.header("content-type", kind).send(body).unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

pub(super) fn answer(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

/// Runs a mutation about webhooks, and returns its payload.
pub(super) fn change(client: &Client, name: &str, fields: &str, input: &Value) -> Value {
    let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let document = format!(
        "mutation($input: {kind}!) {{ {name}(input: $input) {{
            {fields} refusal {{ code field }} }} }}"
    );
    client.run(&document, &json!({ "input": input }))[name].clone()
}

/// Makes a webhook, and returns its ID and its path.
pub(super) fn create(client: &Client, input: &Value) -> (String, String) {
    let made = change(client, "createIncomingWebhook", "webhook { webhookId } path", input);
    assert_eq!(made["refusal"], Value::Null, "{made}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["webhook"]["webhookId"]), text(&made["path"]))
}

pub(super) fn rotate(client: &Client, id: &str) -> Value {
    let input = json!({ "webhookId": id });
    change(client, "rotateIncomingWebhook", "webhook { isActive } path", &input)
}

pub(super) fn delete(client: &Client, id: &str) -> Value {
    change(client, "deleteIncomingWebhook", "webhookId", &json!({ "webhookId": id }))
}

/// The webhooks of a room, as the client sees them.
pub(super) fn listed(client: &Client, room: &str) -> Vec<Value> {
    let document = "query($room: RoomID!) { room(by: { roomId: $room }) {
        incomingWebhooks(first: 10) { nodes { webhookId name isActive mayMention avatarUrl createdAt
            creator { userId } user { userId displayName } } } } }";
    let answer = client.run(document, &json!({ "room": room }));
    answer["room"]["incomingWebhooks"]["nodes"].as_array().unwrap().clone()
}

/// Waits until the read models have all that was answered before. A webhook has no session whose next read would
/// wait, so the client writes, and its own next read waits for that.
pub(super) fn catch_up(client: &Client) {
    let document = r#"mutation { setAccountData(input: { type: "test.catch_up", content: {} }) { position } }"#;
    client.run(document, &json!({}));
}

/// The latest events of a room: type, sender, and for messages the plain text.
pub(super) fn timeline(client: &Client, room: &str, last: usize) -> Vec<Value> {
    let document = "query($room: RoomID!, $last: Int!) {
        room(by: { roomId: $room }) { timeline(last: $last) { nodes {
            type sender { userId } text content } } } }";
    catch_up(client);
    let answer = client.run(document, &json!({ "room": room, "last": last }));
    answer["room"]["timeline"]["nodes"].as_array().unwrap().clone()
}
