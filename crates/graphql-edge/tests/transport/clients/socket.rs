//! A simple client of graphql-transport-ws.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::{Error, Message};

pub(crate) struct Client {
    pub(crate) socket: tokio_tungstenite::WebSocketStream<TcpStream>,
}

/// Connects with headers; `Err` is the status of a refusal.
pub(crate) async fn connect_with(
    address: SocketAddr,
    headers: &[(&'static str, &str)],
) -> Result<(Client, Response), u16> {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match client_async(request, stream).await {
        Ok((socket, response)) => Ok((Client { socket }, response)),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

pub(crate) const SUBPROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

pub(crate) async fn connect(address: SocketAddr) -> Client {
    connect_with(address, &[SUBPROTOCOL]).await.unwrap().0
}

/// Connects and initialises, with a token or as nobody.
pub(crate) async fn connect_as(address: SocketAddr, token: Option<&str>) -> Client {
    let mut client = connect(address).await;
    client.send(json!({"type": "connection_init", "payload": {"token": token}})).await;
    assert_eq!(client.receive().await, json!({"type": "connection_ack"}));
    client
}

impl Client {
    pub(crate) async fn send(&mut self, message: Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(json!({"type": "subscribe", "id": id, "payload": {"query": query}})).await;
    }

    /// The next message of the protocol.
    pub(crate) async fn receive(&mut self) -> Value {
        loop {
            match self.socket.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next message of the protocol, or the code and the reason with which the server closes.
    pub(crate) async fn next(&mut self) -> Result<Value, (u16, String)> {
        loop {
            match self.socket.next().await.unwrap().unwrap() {
                Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                Message::Close(Some(frame)) => {
                    return Err((frame.code.into(), frame.reason.to_string()));
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The code and the reason with which the server closes. Earlier messages are skipped.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(_)) => {}
                other => panic!("no closing frame: {other:?}"),
            }
        }
    }
}
