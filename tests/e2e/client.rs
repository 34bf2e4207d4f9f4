//! A client as a user would write one: GraphQL over HTTP, and graphql-transport-ws.

use std::{net::TcpStream, time::Duration};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, client::IntoClientRequest};

use crate::server::Server;

/// How long a test waits for an answer before it fails.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// A device that is logged in, or nobody yet.
#[derive(Clone)]
pub struct Client {
    address: String,
    pub token: Option<String>,
    pub user_id: String,
}

/// An answer to an HTTP request.
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Client {
    /// Nobody.
    pub fn anonymous(server: &Server) -> Self {
        Self { address: server.address().to_owned(), token: None, user_id: String::new() }
    }

    /// A new user.
    pub fn register(server: &Server, name: &str) -> Self {
        let mut client = Self::anonymous(server);
        let input = json!({ "username": name, "password": "correct horse" });
        let document = "mutation($input: RegisterInput!) { register(input: $input) {
            token user { userId } refusal { code message } } }";
        let answer = client.run(document, &json!({ "input": input }));
        let payload = &answer["register"];
        assert_eq!(payload["refusal"], Value::Null, "registration was refused");
        client.token = payload["token"].as_str().map(ToOwned::to_owned);
        client.user_id = payload["user"]["userId"].as_str().expect("a user ID").to_owned();
        client
    }

    /// The same device on another server process.
    pub fn at(&self, server: &Server) -> Self {
        Self { address: server.address().to_owned(), ..self.clone() }
    }

    /// Sends a request and gives back whatever comes.
    pub fn post(&self, document: &str, variables: &Value) -> Answer {
        self.try_post(document, variables).expect("the server answers")
    }

    /// Sends a request; `None` if the connection broke before the answer was there.
    pub fn try_post(&self, document: &str, variables: &Value) -> Option<Answer> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_MAX))
            .build()
            .into();
        let mut request = agent.post(format!("http://{}/graphql", self.address));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = json!({ "query": document, "variables": variables });
        let mut response = request.send_json(&body).ok()?;
        let status = response.status().as_u16();
        Some(Answer { status, body: response.body_mut().read_json().ok()? })
    }

    /// Sends a request that has to succeed and gives back its `data`.
    pub fn run(&self, document: &str, variables: &Value) -> Value {
        let Answer { body, .. } = self.post(document, variables);
        assert_eq!(body.get("errors"), None, "the request failed:\n{document}\n{variables}");
        body["data"].clone()
    }

    /// Runs the one mutation `name` with `input`, and gives back its payload, which has
    /// `event { eventId sequence }`, `room { roomId }`, `position` and `refusal { code }`.
    pub fn act(&self, name: &str, input: Value) -> Value {
        let mut first = name[..1].to_uppercase();
        first.push_str(&name[1..]);
        let kind = match name {
            "kickUser" | "banUser" | "unbanUser" | "inviteUser" => "MemberInput".to_owned(),
            "rejectInvite" => "LeaveRoomInput".to_owned(),
            "knockOnRoom" => "JoinRoomInput".to_owned(),
            _ => format!("{first}Input"),
        };
        let document = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{
                event {{ eventId sequence }} room {{ roomId }} position
                refusal {{ code message }} }} }}"
        );
        self.run(&document, &json!({ "input": input }))[name].clone()
    }

    /// Creates a room and gives back its ID.
    pub fn create_room(&self, input: Value) -> String {
        let payload = self.act("createRoom", input);
        assert_eq!(payload["refusal"], Value::Null);
        payload["room"]["roomId"].as_str().expect("a room ID").to_owned()
    }

    /// Says something and gives back the ID of the event.
    pub fn say(&self, room: &str, body: &str) -> String {
        let payload = self.act("sendMessage", json!({ "roomId": room, "body": body }));
        assert_eq!(payload["refusal"], Value::Null);
        payload["event"]["eventId"].as_str().expect("an event ID").to_owned()
    }

    /// Opens a socket on which this device is logged in.
    pub fn socket(&self) -> Socket {
        let mut request = format!("ws://{}/graphql", self.address)
            .into_client_request()
            .expect("the address is one");
        let protocol = "graphql-transport-ws".parse().expect("a header value");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let stream = TcpStream::connect(&self.address).expect("the server takes connections");
        stream.set_read_timeout(Some(ANSWER_MAX)).expect("a timeout");
        let (socket, _) = tungstenite::client(request, stream).expect("the server upgrades");
        let mut socket = Socket { socket };
        let token = self.token.as_ref().map(|token| format!("Bearer {token}"));
        socket.send(&json!({ "type": "connection_init", "payload": { "Authorization": token } }));
        assert_eq!(socket.receive()["type"], "connection_ack");
        socket
    }

    /// Subscribes to the event stream on a socket of its own.
    pub fn follow(&self, after: Option<&str>) -> Follower {
        let mut socket = self.socket();
        let document = "subscription($after: Position) { eventStream(after: $after) { position
            events { __typename
                ... on RoomEvent { eventId type sequence text room { roomId } }
                ... on RoomOpened { room { roomId } cursor }
                ... on RoomClosed { roomId reason }
                ... on Invited { preview { roomId name } } } } }";
        socket.subscribe("1", document, &json!({ "after": after }));
        Follower { socket }
    }
}

/// A socket that speaks graphql-transport-ws.
pub struct Socket {
    socket: WebSocket<TcpStream>,
}

impl Socket {
    pub fn send(&mut self, message: &Value) {
        self.socket.send(Message::text(message.to_string())).expect("the socket takes messages");
    }

    /// The next message that is no ping; fails when the socket closes.
    pub fn receive(&mut self) -> Value {
        self.next().unwrap_or_else(|code| panic!("the socket closed with {code}"))
    }

    /// The next message that is no ping, or the code with which the socket closed.
    pub fn next(&mut self) -> Result<Value, u16> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let message: Value = serde_json::from_str(&text).expect("messages are JSON");
                    if message["type"] != "ping" {
                        return Ok(message);
                    }
                    self.send(&json!({ "type": "pong" }));
                }
                Ok(Message::Close(Some(frame))) => return Err(frame.code.into()),
                Ok(Message::Close(None)) | Err(_) => return Err(1006),
                Ok(_) => {}
            }
        }
    }

    pub fn subscribe(&mut self, id: &str, document: &str, variables: &Value) {
        let payload = json!({ "query": document, "variables": variables });
        self.send(&json!({ "id": id, "type": "subscribe", "payload": payload }));
    }
}

/// An event stream.
pub struct Follower {
    socket: Socket,
}

impl Follower {
    /// The next chunk, or the code with which the socket closed.
    pub fn chunk(&mut self) -> Result<Value, u16> {
        let message = self.socket.next()?;
        assert_eq!(message["type"], "next", "the subscription goes on: {message}");
        let payload = &message["payload"];
        assert_eq!(payload.get("errors"), None, "the chunk has no errors: {payload}");
        Ok(payload["data"]["eventStream"].clone())
    }

    /// Reads chunks until an item fits, and gives it back.
    pub fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let chunk = self.chunk().unwrap_or_else(|code| panic!("the socket closed with {code}"));
            let items = chunk["events"].as_array().expect("a list of items").clone();
            if let Some(item) = items.into_iter().find(|item| fits(item)) {
                return item;
            }
        }
    }
}
