//! Devices that call each other, as the tests use them.

use serde_json::{Value, json};

use crate::{
    client::{Client, Socket},
    server::Server,
};

const CALL: &str = "callId state media callerPartyId answeredByPartyId partyId endReason isMissed
    room { roomId } caller { userId } callee { userId } endedBy { userId }";

/// Runs the mutation `name` about a call, and returns its payload.
pub(super) fn act(client: &Client, name: &str, input: &Value) -> Value {
    let mut kind = name[..1].to_uppercase();
    kind.push_str(&name[1..]);
    let document = format!(
        "mutation($input: {kind}Input!) {{ {name}(input: $input) {{
            call {{ {CALL} }} partyId refusal {{ code message field }} }} }}"
    );
    client.run(&document, &json!({ "input": input }))[name].clone()
}

/// Places a call and returns its payload.
pub(super) fn place(client: &Client, room: &str, callee: &Client) -> Value {
    let input = json!({
        "roomId": room, "calleeId": callee.user_id, "media": "VIDEO", "offer": OFFER,
    });
    act(client, "placeCall", &input)
}

/// Places a call that is not refused, and returns its ID.
pub(super) fn placed(client: &Client, room: &str, callee: &Client) -> String {
    let payload = place(client, room, callee);
    assert_eq!(payload["refusal"], Value::Null);
    payload["call"]["callId"].as_str().unwrap().to_owned()
}

/// Answers a call and returns the payload.
pub(super) fn answer(client: &Client, room: &str, call: &str) -> Value {
    act(client, "answerCall", &json!({ "roomId": room, "callId": call, "answer": ANSWER }))
}

/// Hangs up and returns the payload.
pub(super) fn hang_up(client: &Client, room: &str, call: &str) -> Value {
    act(client, "hangUpCall", &json!({ "roomId": room, "callId": call }))
}

/// Sends a signal and returns the code of the refusal, if there is one.
pub(super) fn signal(client: &Client, room: &str, call: &str, signal: &Value) -> Value {
    let input = json!({ "roomId": room, "callId": call, "signal": signal });
    act(client, "sendCallSignal", &input)["refusal"]["code"].clone()
}

/// A signal with one candidate.
pub(super) fn candidate(text: &str) -> Value {
    json!({ "candidates": [{ "candidate": text, "sdpMid": "0", "sdpMLineIndex": 0 }] })
}

/// The past calls of a room, newest first.
pub(super) fn past(client: &Client, room: &str) -> Vec<Value> {
    let document = format!(
        "query($room: RoomID!) {{ room(by: {{ roomId: $room }}) {{
            calls(first: 100) {{ nodes {{ {CALL} }} }} }} }}"
    );
    let room = client.run(&document, &json!({ "room": room }))["room"].clone();
    room["calls"]["nodes"].as_array().unwrap().clone()
}

/// The call of a room now.
pub(super) fn now(client: &Client, room: &str) -> Value {
    let document = format!(
        "query($room: RoomID!) {{ room(by: {{ roomId: $room }}) {{ call {{ {CALL} }} }} }}"
    );
    client.run(&document, &json!({ "room": room }))["room"]["call"].clone()
}

/// The call of a user now.
pub(super) fn own(client: &Client) -> Value {
    let document = format!("{{ viewer {{ call {{ {CALL} }} }} }}");
    client.run(&document, &json!({}))["viewer"]["call"].clone()
}

/// Another device of a user.
pub(super) fn device(client: &Client) -> Client {
    let login = client.log_in("correct horse");
    client.on_device(login["token"].as_str().unwrap())
}

/// A stream with calls and their signals.
pub(super) struct Line {
    socket: Socket,
    changes: Vec<Value>,
    signals: Vec<Value>,
    /// The users who are typing, of the last chunk that says so.
    typing: Value,
}

impl Line {
    /// The stream of a device from now on.
    pub(super) fn of(client: &Client) -> Self {
        Self::after(client, &client.position())
    }

    /// The stream of a device after a position.
    pub(super) fn after(client: &Client, position: &str) -> Self {
        let document = format!(
            "subscription($after: Position) {{ eventStream(after: $after) {{
                events {{ __typename ... on RoomEvent {{ text }} ... on CallChanged {{ call {{ {CALL} }} }} }}
                ephemeral {{ __typename
                    ... on TypingChanged {{ users {{ nodes {{ userId }} }} }}
                    ... on CallSignal {{
                        callId kind number partyId sdp sender {{ userId }}
                        candidates {{ candidate sdpMid sdpMLineIndex usernameFragment }}
                    }} }} }} }}"
        );
        let mut socket = client.socket();
        socket.subscribe("1", &document, &json!({ "after": position }));
        Self { socket, changes: Vec::new(), signals: Vec::new(), typing: Value::Null }
    }

    /// Reads one chunk. Returns whether it has a message with this text.
    fn read(&mut self, text: &str) -> bool {
        let message = self.socket.receive();
        assert_eq!(message["payload"].get("errors"), None, "{message}");
        let chunk = &message["payload"]["data"]["eventStream"];
        let items = |list: &str, kind: &str| -> Vec<Value> {
            let items = chunk[list].as_array().expect("a list of items").iter();
            items.filter(|item| item["__typename"] == kind).cloned().collect()
        };
        self.changes
            .extend(items("events", "CallChanged").into_iter().map(|it| it["call"].clone()));
        self.signals.extend(items("ephemeral", "CallSignal"));
        if let Some(typing) = items("ephemeral", "TypingChanged").pop() {
            self.typing = typing["users"]["nodes"].clone();
        }
        items("events", "MessageEvent").iter().any(|message| message["text"] == text)
    }

    /// The next change of a call that has this state.
    pub(super) fn until(&mut self, state: &str) -> Value {
        loop {
            if let Some(at) = self.changes.iter().position(|call| call["state"] == state) {
                return self.changes.drain(..=at).next_back().unwrap();
            }
            self.read("");
        }
    }

    /// The next signal.
    pub(super) fn signal(&mut self) -> Value {
        while self.signals.is_empty() {
            self.read("");
        }
        self.signals.remove(0)
    }

    /// All changes and signals up to now: `client`, a member of the room who is not typing, sends a
    /// message and begins to type.
    pub(super) fn rest(&mut self, client: &Client, room: &str) -> (Vec<Value>, Vec<Value>) {
        let text = client.say(room, "all until here");
        client.say(room, &text);
        let set_typing = "mutation($room: RoomID!, $typing: Boolean!) {
            setTyping(input: { roomId: $room, isTyping: $typing }) { refusal { code } } }";
        while !self.read(&text) {}
        // The message ends typing, perhaps a moment later.
        while self.typing != json!([{ "userId": client.user_id }]) {
            client.run(set_typing, &json!({ "room": room, "typing": true }));
            self.read("");
        }
        client.run(set_typing, &json!({ "room": room, "typing": false }));
        self.typing = Value::Null;
        (std::mem::take(&mut self.changes), std::mem::take(&mut self.signals))
    }

    /// The socket, for tests that do not read it.
    pub(super) fn close(self) {
        drop(self.socket);
    }
}

/// Two users in a room, where the second has two devices.
pub(super) struct People {
    pub(super) ada: Client,
    pub(super) bob: Client,
    /// Bob's other device.
    pub(super) tablet: Client,
    pub(super) room: String,
}

impl People {
    pub(super) fn on(server: &Server) -> Self {
        let (ada, bob, room) = crate::client::two(server);
        let tablet = device(&bob);
        Self { ada, bob, tablet, room }
    }

    pub(super) fn at(&self, server: &Server) -> Self {
        let [ada, bob, tablet] = [&self.ada, &self.bob, &self.tablet].map(|one| one.at(server));
        Self { ada, bob, tablet, room: self.room.clone() }
    }
}

/// The address of Ada's device, which must never reach a file.
pub(super) const ADDRESS: &str = "192.0.2.77";
/// The user name of the ICE session of Ada's device.
pub(super) const FRAGMENT: &str = "uFr4gOfAda";

pub(super) const OFFER: &str = "v=0\r\no=- 4611686018427387904 2 IN IP4 192.0.2.77\r\ns=-\r\nt=0 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 192.0.2.77\r\na=ice-ufrag:uFr4gOfAda\r\n\
    a=ice-pwd:0123456789abcdefghijklmn\r\n";
pub(super) const ANSWER: &str = "v=0\r\no=- 4611686018427387905 2 IN IP4 192.0.2.78\r\ns=-\r\nt=0 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 192.0.2.78\r\na=ice-ufrag:uFr4gOfBob\r\n";
