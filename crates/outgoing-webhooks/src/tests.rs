//! Webhooks with a receiver on this machine.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{collections::HashMap, sync::Arc, time::Duration};

use rookery_accounts::{
    Accounts, HashCost, NewOutgoingWebhook, Options, Password, Registration, RegistrationPolicy,
};
use rookery_delivery::{
    Consumers, Feeds,
    testing::{ConsumersInMemory, feeds, settle},
};
use rookery_fixture::{Fixture, user};
use rookery_log::Millis;
use rookery_outgoing::{Client, Guard, SystemResolver, system_tls};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

use crate::{
    OutgoingParts, OutgoingWebhooks,
    hooks::{SENT_AT_ONCE_MAX, consumer_key},
    signature,
};

const NOW: Millis = Millis(1_700_000_000_000);

/// How long anything takes at most that does not wait for ever.
const SOON: Duration = Duration::from_secs(20);

/// A request that arrived: its headers and its body.
type Arrived = (HashMap<String, String>, Vec<u8>);

async fn take(stream: TcpStream) -> Option<Arrived> {
    let mut stream = BufReader::new(stream);
    let (mut headers, mut line) = (HashMap::new(), String::new());
    stream.read_line(&mut line).await.ok()?;
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.ok()?;
    Some((headers, body))
}

async fn receive(listener: TcpListener, arrived: UnboundedSender<Arrived>) {
    while let Ok((stream, _)) = listener.accept().await {
        if let Some(request) = take(stream).await
            && arrived.send(request).is_err()
        {
            return;
        }
    }
}

struct Home {
    scene: Fixture,
    feeds: Feeds,
    consumers: Consumers,
    hooks: OutgoingWebhooks,
    url: String,
    arrived: UnboundedReceiver<Arrived>,
}

impl Home {
    /// Alice in a room, and webhooks that may reach this machine.
    async fn open() -> Self {
        let mut scene = Fixture::new();
        scene.create("r", "alice").await;
        let alice = user("alice");
        let options = Options {
            registration: RegistrationPolicy::Open,
            hash_cost: HashCost::ForTests,
            ..Options::default()
        };
        let file = scene.dir.path().join("accounts.redb");
        let accounts = Accounts::open(&file, alice.server_name().as_str(), options).unwrap();
        let registration = Registration {
            localpart: "alice".into(),
            password: Password::new("correct horse"),
            device_name: None,
            from: [127, 0, 0, 1].into(),
        };
        accounts.register(registration, rookery_accounts::Millis(1)).await.unwrap();
        let feeds = feeds(scene.log.clone(), scene.dir.path()).await;
        let records: Arc<ConsumersInMemory> = Arc::default();
        let consumers = Consumers::new(feeds.clone(), records, Duration::from_mins(1));
        let guard = Guard::for_users(|address| address.is_loopback());
        let parts = OutgoingParts {
            accounts,
            feeds: feeds.clone(),
            consumers: consumers.clone(),
            client: Arc::new(Client::new(guard, Arc::new(SystemResolver), system_tls())),
            clock: || NOW,
            give_up_after: Duration::from_hours(24),
        };
        let hooks = OutgoingWebhooks::new(parts);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (sender, arrived) = unbounded_channel();
        tokio::spawn(receive(listener, sender));
        tokio::spawn(hooks.clone().run());
        Self { scene, feeds, consumers, hooks, url, arrived }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::await_holding_invalid_type, reason = "the webhook has to wait for it")]
async fn a_request_that_waited_for_others_has_the_secret_and_the_content_of_the_time_after_it() {
    let mut home = Home::open().await;
    // Other webhooks have all requests that are possible at the same time.
    let all = u32::try_from(SENT_AT_ONCE_MAX).unwrap();
    let others = Arc::clone(&home.hooks.shared.sending).acquire_many_owned(all).await.unwrap();
    let new = NewOutgoingWebhook {
        owner: user("alice").to_string(),
        room_id: None,
        name: "CI".into(),
        url: home.url.clone(),
        filter: json!({ "types": ["m.room.message"] }).to_string(),
    };
    let made = home.hooks.create(new, NOW).await.unwrap();
    home.scene.message("r", "alice").await;
    settle(&home.feeds).await;
    let key = consumer_key(&made).unwrap();
    let is_waiting = async {
        while home.consumers.record(&key).await.unwrap().batches.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, is_waiting).await.expect("it has a batch");
    let secret = home.hooks.rotate(&made.id).await.unwrap().unwrap();
    let events_before_the_message = 4;
    home.scene.redact("r", events_before_the_message).await.unwrap();
    settle(&home.feeds).await;
    drop(others);
    let arrived = timeout(SOON, home.arrived.recv()).await.expect("it is sent");
    let (headers, body) = arrived.unwrap();
    let signed = signature::headers(
        secret.bytes(),
        &headers["webhook-id"],
        headers["webhook-timestamp"].parse().unwrap(),
        &body,
    );
    assert_eq!(signed["webhook-signature"], headers["webhook-signature"], "the new secret");
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["events"].as_array().map(Vec::len), Some(1), "{body}");
    assert_eq!(body["events"][0]["content"], json!({}), "redacted content is not sent: {body}");
}
