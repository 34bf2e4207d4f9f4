//! A client as a user would write one: GraphQL over HTTP, and graphql-transport-ws.

use std::{
    collections::{HashMap, VecDeque},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use socket2::{Domain, Socket as Socket2, Type};
use tungstenite::{Error, HandshakeError, Message, WebSocket, client::IntoClientRequest};

use crate::{
    server::{Server, eventually},
    shape,
};

/// Longest wait of a test for an answer.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(30);

/// A logged-in device, or a client without a login.
#[derive(Clone)]
pub(crate) struct Client {
    address: String,
    agent: ureq::Agent,
    pub(crate) token: Option<String>,
    pub(crate) user_id: String,
    /// The user as whom a service acts.
    act_as: Option<String>,
}

/// An answer to an HTTP request.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Client {
    /// Nobody.
    pub(crate) fn anonymous(server: &Server) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_MAX))
            .build()
            .into();
        Self {
            address: server.address().to_owned(),
            agent,
            token: None,
            user_id: String::new(),
            act_as: None,
        }
    }

    /// An existing user, with a token from the operator.
    pub(crate) fn with_token(server: &Server, name: &str, token: &str) -> Self {
        let token = Some(token.trim().to_owned());
        Self { token, user_id: format!("@{name}:localhost"), ..Self::anonymous(server) }
    }

    /// The same user on another device.
    pub(crate) fn log_in(&self, password: &str) -> Value {
        let document = "mutation($input: LogInInput!) { logIn(input: $input) {
            token deviceId refusal { code message } } }";
        let input = json!({ "username": self.user_id, "password": password });
        self.nobody().run(document, &json!({ "input": input }))["logIn"].clone()
    }

    /// The same user on the device of this token.
    pub(crate) fn on_device(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same service, acting as a user.
    pub(crate) fn acting_as(&self, user_id: &str) -> Self {
        let act_as = Some(user_id.to_owned());
        Self { user_id: user_id.to_owned(), act_as, ..self.clone() }
    }

    /// The same connection without a login.
    pub(crate) fn nobody(&self) -> Self {
        Self { token: None, act_as: None, ..self.clone() }
    }

    /// A new user.
    pub(crate) fn register(server: &Server, name: &str) -> Self {
        let mut client = Self::anonymous(server);
        let input = json!({ "username": name, "password": "correct horse" });
        let document = "mutation($input: RegisterInput!) { register(input: $input) {
            token user { userId } refusal { code message } } }";
        let answer = client.run(document, &json!({ "input": input }));
        let payload = &answer["register"];
        assert_eq!(payload["refusal"], Value::Null, "registration was refused");
        client.token = payload["token"].as_str().map(ToOwned::to_owned);
        payload["user"]["userId"].as_str().expect("a user ID").clone_into(&mut client.user_id);
        client
    }

    /// The same device on another server process.
    pub(crate) fn at(&self, server: &Server) -> Self {
        Self { address: server.address().to_owned(), ..self.clone() }
    }

    /// Sends a request and returns any answer.
    pub(crate) fn post(&self, document: &str, variables: &Value) -> Answer {
        self.try_post(document, variables).expect("the server answers")
    }

    /// Sends a request; `None` if the connection broke before the answer.
    pub(crate) fn try_post(&self, document: &str, variables: &Value) -> Option<Answer> {
        let mut request = self.agent.post(format!("http://{}/graphql", self.address));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(user) = &self.act_as {
            request = request.header("rookery-act-as", user);
        }
        let body = json!({ "query": document, "variables": variables });
        let mut response = request.send_json(&body).ok()?;
        let status = response.status().as_u16();
        let body = response.body_mut().read_json().ok()?;
        shape::check(document, variables, &body);
        Some(Answer { status, body })
    }

    /// Sends a request that has to succeed and returns its `data`.
    pub(crate) fn run(&self, document: &str, variables: &Value) -> Value {
        let Answer { body, .. } = self.post(document, variables);
        assert_eq!(body.get("errors"), None, "the request failed:\n{document}\n{variables}");
        body["data"].clone()
    }

    /// Runs the one mutation `name` with `input`, and returns its payload, which has
    /// `event { eventId sequence }`, `room { roomId }`, `position` and `refusal { code }`.
    pub(crate) fn act(&self, name: &str, input: Value) -> Value {
        let mut first = name[..1].to_uppercase();
        first.push_str(&name[1..]);
        let kind = format!("{first}Input");
        let enters = matches!(name, "joinRoom" | "knockOnRoom");
        let input = if enters { entering(input) } else { input };
        let document = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{
                event {{ eventId sequence }} room {{ roomId }} position
                refusal {{ code message }} }} }}"
        );
        self.run(&document, &json!({ "input": input }))[name].clone()
    }

    /// Runs the one mutation `name`, which has to be refused, and returns the code.
    pub(crate) fn refused(&self, name: &str, input: Value) -> String {
        let payload = self.act(name, input);
        assert_eq!(payload["event"], Value::Null, "{name} was not refused");
        payload["refusal"]["code"].as_str().expect("a code").to_owned()
    }

    /// Sends a request that has to fail, and returns the code of its error.
    pub(crate) fn fail(&self, document: &str, variables: &Value) -> String {
        let Answer { body, .. } = self.post(document, variables);
        let code = body["errors"][0]["extensions"]["code"].as_str();
        code.unwrap_or_else(|| panic!("no error with a code:\n{document}\n{body}")).to_owned()
    }

    /// The position of the server in its log.
    pub(crate) fn position(&self) -> String {
        let answer = self.run("{ viewer { position } }", &json!({}));
        answer["viewer"]["position"].as_str().expect("a position").to_owned()
    }

    /// Creates a room and returns its ID.
    pub(crate) fn create_room(&self, input: Value) -> String {
        let payload = self.act("createRoom", input);
        assert_eq!(payload["refusal"], Value::Null);
        payload["room"]["roomId"].as_str().expect("a room ID").to_owned()
    }

    /// Sends a message and returns the ID of the event.
    pub(crate) fn say(&self, room: &str, body: &str) -> String {
        let payload = self.act("sendMessage", json!({ "roomId": room, "body": body }));
        assert_eq!(payload["refusal"], Value::Null);
        payload["event"]["eventId"].as_str().expect("an event ID").to_owned()
    }

    /// Changes the user's own name, and waits until the room has it: rooms get a name after its answer.
    pub(crate) fn rename_in(&self, room: &str, name: &str) {
        let document = "mutation($name: String) { setProfile(input: { displayName: $name }) { refusal { code } } }";
        let renamed = self.run(document, &json!({ "name": name }));
        assert_eq!(renamed["setProfile"]["refusal"], Value::Null);
        let member = "query($room: RoomID!, $user: UserID!) {
            room(by: { roomId: $room }) { member(userId: $user) { displayName } } }";
        let asked = json!({ "room": room, "user": self.user_id });
        eventually("the room has the name", || {
            self.run(member, &asked)["room"]["member"]["displayName"] == name
        });
    }

    /// Sends the same message `count` times, over a socket, many at a time.
    pub(crate) fn say_many(&self, room: &str, body: &str, count: usize) {
        const AT_ONCE: usize = 32;
        let document = "mutation($room: RoomID!, $body: String!) {
            sendMessage(input: { roomId: $room, body: $body }) { refusal { code } } }";
        let variables = json!({ "room": room, "body": body });
        let mut socket = self.socket();
        let (mut sent, mut done) = (0, 0);
        while done < count {
            while sent < count && sent - done < AT_ONCE {
                socket.subscribe(&sent.to_string(), document, &variables);
                sent += 1;
            }
            let message = socket.receive();
            if message["type"] == "complete" {
                done += 1;
            } else {
                let payload = &message["payload"]["data"]["sendMessage"];
                assert_eq!(payload["refusal"], Value::Null, "{message}");
            }
        }
    }

    /// Opens a socket with the login of this device.
    pub(crate) fn socket(&self) -> Socket {
        self.logged_in(self.silent_socket())
    }

    /// Opens a socket with the login of this device and tiny buffers for unread data.
    pub(crate) fn narrow_socket(&self) -> Socket {
        let socket = self.open_socket(self.narrow_connection(), &[]);
        self.logged_in(socket.unwrap_or_else(|status| panic!("no upgrade, but status {status}")))
    }

    /// A connection with tiny buffers for unread data.
    pub(crate) fn narrow_connection(&self) -> TcpStream {
        let socket = Socket2::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        // Set before the connection, since the peer then learns how much it may send.
        socket.set_recv_buffer_size(4 * 1024).expect("a buffer may be small");
        let address: SocketAddr = self.address.parse().expect("an address");
        socket.connect(&address.into()).expect("the server takes connections");
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(ANSWER_MAX)).expect("a timeout");
        stream.set_write_timeout(Some(ANSWER_MAX)).expect("a timeout");
        stream
    }

    fn logged_in(&self, mut socket: Socket) -> Socket {
        let token = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let mut payload = json!({ "Authorization": token });
        if let Some(user) = &self.act_as {
            payload["actAs"] = json!(user);
        }
        socket.send(&json!({ "type": "connection_init", "payload": payload }));
        assert_eq!(socket.receive()["type"], "connection_ack");
        socket
    }

    /// Opens a socket and sends nothing.
    pub(crate) fn silent_socket(&self) -> Socket {
        self.try_socket(&[]).unwrap_or_else(|status| panic!("no upgrade, but status {status}"))
    }

    /// Opens a socket with more headers, or returns the status of the answer.
    pub(crate) fn try_socket(&self, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
        let stream = TcpStream::connect(&self.address).expect("the server takes connections");
        stream.set_read_timeout(Some(ANSWER_MAX)).expect("a timeout");
        self.open_socket(stream, headers)
    }

    fn open_socket(
        &self,
        stream: TcpStream,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, u16> {
        let mut request = format!("ws://{}/graphql", self.address)
            .into_client_request()
            .expect("the address is one");
        let protocol = "graphql-transport-ws".parse().expect("a header value");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header value"));
        }
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => {
                Ok(Socket { connection: socket, operations: HashMap::new(), reason: String::new() })
            }
            Err(HandshakeError::Failure(Error::Http(answer))) => Err(answer.status().as_u16()),
            Err(error) => panic!("the handshake failed: {error}"),
        }
    }

    /// Subscribes to the event stream on a separate socket.
    ///
    /// Without a position it continues from the server's current position. A subscription without
    /// one begins when the server executes it, which may be after the next action of the test.
    pub(crate) fn follow(&self, after: Option<&str>) -> Follower {
        let after = after.map_or_else(|| self.position(), ToOwned::to_owned);
        let mut socket = self.socket();
        let document = "subscription($after: Position) { eventStream(after: $after) { position
            events { __typename
                ... on RoomEvent { eventId type sequence text room { roomId } }
                ... on RoomOpened { room { roomId name } cursor }
                ... on RoomClosed { roomId closingReason }
                ... on ReceiptMoved { room { roomId } userId readEvent: eventId isPrivate }
                ... on Invited { room { roomId name } event { eventId } } } } }";
        socket.subscribe("1", document, &json!({ "after": after }));
        Follower { socket, pending: VecDeque::new() }
    }
}

/// The input of a mutation that enters a room, if it names the room as other mutations do.
pub(crate) fn entering(mut input: Value) -> Value {
    for field in ["roomId", "alias"] {
        if let Some(id) = input.as_object_mut().and_then(|input| input.remove(field)) {
            input["room"] = json!({ field: id });
        }
    }
    input
}

/// Two users who share a room, and the room.
pub(crate) fn two(server: &Server) -> (Client, Client, String) {
    let (alice, bob) = (Client::register(server, "alice"), Client::register(server, "bob"));
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    (alice, bob, room)
}

/// A socket that speaks graphql-transport-ws.
pub(crate) struct Socket {
    connection: WebSocket<TcpStream>,
    /// Document and variables of each operation, by ID.
    operations: HashMap<String, (String, Value)>,
    /// The reason for which the server closed it.
    pub(crate) reason: String,
}

impl Socket {
    pub(crate) fn send(&mut self, message: &Value) {
        self.connection
            .send(Message::text(message.to_string()))
            .expect("the socket takes messages");
    }

    /// Sends a message, which the server may no longer accept.
    pub(crate) fn try_send(&mut self, message: Message) -> bool {
        self.connection.send(message).is_ok()
    }

    /// Closes the socket, and waits until the server has closed it too.
    pub(crate) fn close(mut self) {
        // The server may have closed it already.
        let _ = self.connection.close(None);
        let deadline = Instant::now() + ANSWER_MAX;
        while self.connection.read().is_ok() {
            assert!(Instant::now() < deadline, "the server closes the socket");
        }
    }

    /// Reads until the socket closes, and returns the code.
    pub(crate) fn closing(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next() {
                return code;
            }
        }
    }

    /// The next message except pings; fails when the socket closes.
    pub(crate) fn receive(&mut self) -> Value {
        self.next().unwrap_or_else(|code| panic!("the socket closed with {code}"))
    }

    /// The next message except pings, or the close code of the socket.
    pub(crate) fn next(&mut self) -> Result<Value, u16> {
        let deadline = Instant::now() + ANSWER_MAX;
        loop {
            assert!(Instant::now() < deadline, "there is no message");
            match self.connection.read() {
                Ok(Message::Text(text)) => {
                    let message: Value = serde_json::from_str(&text).expect("messages are JSON");
                    if message["type"] != "ping" {
                        self.check(&message);
                        return Ok(message);
                    }
                    self.send(&json!({ "type": "pong" }));
                }
                Ok(Message::Close(Some(frame))) => {
                    self.reason = frame.reason.to_string();
                    return Err(frame.code.into());
                }
                Ok(Message::Close(None)) | Err(_) => return Err(1006),
                Ok(_) => {}
            }
        }
    }

    /// Fails if a result has another shape than its document.
    fn check(&self, message: &Value) {
        let operation = message["id"].as_str().and_then(|id| self.operations.get(id));
        if let (Some((document, variables)), true) = (operation, message["type"] == "next") {
            shape::check(document, variables, &message["payload"]);
        }
    }

    /// The items of the only event stream up to a message with this text.
    pub(crate) fn items_until(&mut self, text: &str) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let message = self.receive();
            assert_eq!(message["payload"].get("errors"), None, "{message}");
            let events = &message["payload"]["data"]["eventStream"]["events"];
            for item in events.as_array().expect("a list of items") {
                if item["text"] == text {
                    return items;
                }
                items.push(item.clone());
            }
        }
    }

    /// The underlying connection, for tests that do not read messages from it.
    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        self.connection.get_mut()
    }

    pub(crate) fn subscribe(&mut self, id: &str, document: &str, variables: &Value) {
        self.subscribe_later(id, document, variables);
        self.flush();
    }

    /// Sends a message once [`Self::flush`] is called, so that several arrive at once.
    pub(crate) fn subscribe_later(&mut self, id: &str, document: &str, variables: &Value) {
        self.operations.insert(id.to_owned(), (document.to_owned(), variables.clone()));
        let payload = json!({ "query": document, "variables": variables });
        let message = json!({ "id": id, "type": "subscribe", "payload": payload });
        self.connection
            .write(Message::text(message.to_string()))
            .expect("the socket takes messages");
    }

    pub(crate) fn flush(&mut self) {
        self.connection.flush().expect("the socket takes messages");
    }
}

/// An event stream.
pub(crate) struct Follower {
    socket: Socket,
    pending: VecDeque<Value>,
}

impl Follower {
    /// The next chunk, or the close code of the socket.
    pub(crate) fn chunk(&mut self) -> Result<Value, u16> {
        let message = self.socket.next()?;
        assert_eq!(message["type"], "next", "the subscription goes on: {message}");
        let payload = &message["payload"];
        assert_eq!(payload.get("errors"), None, "the chunk has no errors: {payload}");
        Ok(payload["data"]["eventStream"].clone())
    }

    /// The next item.
    pub(crate) fn item(&mut self) -> Value {
        loop {
            if let Some(item) = self.pending.pop_front() {
                return item;
            }
            let chunk = self.chunk().unwrap_or_else(|code| panic!("the socket closed with {code}"));
            self.pending.extend(chunk["events"].as_array().expect("a list of items").clone());
        }
    }

    /// Reads items until one fits, and returns it.
    pub(crate) fn until(&mut self, mut fits: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let item = self.item();
            if fits(&item) {
                return item;
            }
        }
    }
}
