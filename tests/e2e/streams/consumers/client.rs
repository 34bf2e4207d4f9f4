//! A program that consumes, as a user would write one.

use serde_json::{Value, json};

use crate::client::{Client, Socket};

const CONSUME: &str =
    "subscription($name: String!, $filter: FilterBy, $max: Int, $from: PlaceInput) {
    consume(name: $name, filter: $filter, max: $max, from: $from) {
        events { __typename
            ... on RoomEvent { eventId type sequence text room { roomId } }
            ... on RedactionEvent { redacts }
            ... on RoomOpened { room { roomId } }
            ... on RoomClosed { roomId closingReason }
            ... on IgnoredUsersChanged { user { userId } } }
        skipped { roomId first last reason }
        position batch caughtUp attempt } }";

/// A connection of a consumer.
pub(crate) struct Consuming {
    socket: Socket,
    has_begun: bool,
}

impl Consuming {
    /// Consumes on a socket of its own, from the beginning of the log if the consumer is new.
    pub(crate) fn start(client: &Client, name: &str, max: usize) -> Self {
        let from = json!({ "beginning": true });
        Self::with(client, &json!({ "name": name, "max": max, "from": from }))
    }

    /// The same with these arguments.
    pub(crate) fn with(client: &Client, arguments: &Value) -> Self {
        let mut socket = client.socket();
        socket.subscribe("1", CONSUME, arguments);
        Self { socket, has_begun: false }
    }

    /// Whether something has come, so that the server has connected it to its consumer.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Ends the connection. If the server may not know it yet, this waits until the server has read and closed it:
    /// otherwise it could take the consumer from the next connection.
    pub(crate) fn end(self) {
        if !self.has_begun {
            self.socket.close();
        }
    }

    /// The next chunk, or the code of the error that ends the stream, or of the socket.
    pub(crate) fn next(&mut self) -> Result<Value, String> {
        let message = self.socket.next().map_err(|code| code.to_string())?;
        self.has_begun = true;
        let payload = &message["payload"];
        let errors = if message["type"] == "error" { payload } else { &payload["errors"] };
        if let Some(code) = errors[0]["extensions"]["code"].as_str() {
            return Err(code.to_owned());
        }
        assert_eq!(message["type"], "next", "the subscription goes on: {message}");
        Ok(payload["data"]["consume"].clone())
    }

    /// The next batch. Chunks without one are left out.
    pub(crate) fn batch(&mut self) -> Value {
        loop {
            let chunk = self.next().unwrap_or_else(|code| panic!("the stream ended with {code}"));
            if chunk["batch"] != Value::Null {
                return chunk;
            }
        }
    }

    /// Acknowledges batches until one says that it is the last, and returns all their events.
    pub(crate) fn drain(&mut self, client: &Client, name: &str) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let chunk = self.next().unwrap_or_else(|code| panic!("the stream ended with {code}"));
            events.extend(chunk["events"].as_array().expect("a list").clone());
            acknowledge(client, name, &chunk["position"]);
            if chunk["caughtUp"] == true {
                return events;
            }
        }
    }
}

/// Acknowledges a position, or returns the code of the refusal.
pub(crate) fn try_acknowledge(
    client: &Client,
    name: &str,
    position: &Value,
) -> Result<Value, String> {
    let document = "mutation($input: AcknowledgeInput!) { acknowledge(input: $input) {
        position refusal { code field } } }";
    let input = json!({ "name": name, "position": position });
    let payload = client.run(document, &json!({ "input": input }))["acknowledge"].clone();
    match payload["refusal"]["code"].as_str() {
        Some(code) => Err(code.to_owned()),
        None => Ok(payload["position"].clone()),
    }
}

/// Acknowledges a position, which has to succeed.
pub(crate) fn acknowledge(client: &Client, name: &str, position: &Value) {
    let acknowledged = try_acknowledge(client, name, position);
    acknowledged.unwrap_or_else(|code| panic!("the acknowledgement was refused with {code}"));
}

/// Acknowledges a batch by its ID and position.
pub(crate) fn acknowledge_batch(
    client: &Client,
    name: &str,
    batch: &Value,
) -> Result<Value, String> {
    let document = "mutation($input: AcknowledgeInput!) { acknowledge(input: $input) {
        position refusal { code } } }";
    let input = json!({ "name": name, "position": batch["position"], "batch": batch["batch"] });
    let payload = client.run(document, &json!({ "input": input }))["acknowledge"].clone();
    match payload["refusal"]["code"].as_str() {
        Some(code) => Err(code.to_owned()),
        None => Ok(payload["position"].clone()),
    }
}

/// Runs `park`, `retryParked` or `discardParked`, and returns the code if it was refused.
pub(crate) fn parking(
    client: &Client,
    mutation: &str,
    name: &str,
    event: &Value,
    reason: Option<&str>,
) -> Result<(), String> {
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let document = format!(
        "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ eventId refusal {{ code }} }} }}"
    );
    let mut input = json!({ "name": name, "eventId": event });
    if let Some(reason) = reason {
        input["reason"] = json!(reason);
    }
    let payload = client.run(&document, &json!({ "input": input }))[mutation].clone();
    payload["refusal"]["code"].as_str().map_or(Ok(()), |code| Err(code.to_owned()))
}

/// The parked events of a consumer.
pub(crate) fn parked(client: &Client, name: &str) -> Value {
    let document = "{ viewer { consumers { nodes { name parkedCount
        parked { nodes { eventId reason parkedAt isRetried event { text } } } } } } }";
    let answer = client.run(document, &json!({}));
    let nodes = answer["viewer"]["consumers"]["nodes"].as_array().expect("a list").clone();
    nodes.into_iter().find(|node| node["name"] == name).expect("there is such a consumer")
}

/// Resets a consumer.
pub(crate) fn reset(client: &Client, name: &str, to: &Value) -> Value {
    let document = "mutation($input: ResetConsumerInput!) { resetConsumer(input: $input) {
        position refusal { code } } }";
    let input = json!({ "name": name, "to": to });
    client.run(document, &json!({ "input": input }))["resetConsumer"].clone()
}

/// Deletes a consumer, and returns the payload.
pub(crate) fn delete(client: &Client, name: &str) -> Value {
    let document = "mutation($input: DeleteConsumerInput!) { deleteConsumer(input: $input) {
        name refusal { code } } }";
    client.run(document, &json!({ "input": { "name": name } }))["deleteConsumer"].clone()
}

/// The texts of the messages among events.
pub(crate) fn texts(events: &[Value]) -> Vec<String> {
    events.iter().filter_map(|event| event["text"].as_str()).map(ToOwned::to_owned).collect()
}

/// The texts of the messages in a chunk.
pub(crate) fn texts_of(chunk: &Value) -> Vec<String> {
    texts(chunk["events"].as_array().expect("a list"))
}
