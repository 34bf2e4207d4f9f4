//! The server of the clients: a write side in a world of servers, its models, its schema.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_graphql::{Request, Variables};
use rookery_accounts::{
    Accounts, HashCost, Identity, Options, Password, Registration, RegistrationPolicy,
};
use rookery_command::testing::{Folded, Server, World, folded};
use rookery_delivery::Feeds;
use rookery_domain::{OwnedUserId, RoomVersionId, SigningKey, UserId};
use rookery_gateway::schema::{App, Schema, Session, schema};
use rookery_log::{Epoch, ErasableLog, MemoryLog, Millis};
use rookery_projection::ReadModels;
use rookery_view::Reader;
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle};

pub(crate) const NAME: &str = "one.example";

pub(crate) struct Home {
    pub(crate) world: World,
    pub(crate) models: ReadModels,
    schema: Schema,
    /// A device of each user, by user ID.
    devices: BTreeMap<OwnedUserId, Identity>,
    projector: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    _folder: tempfile::TempDir,
}

pub(crate) fn signing_key() -> SigningKey {
    SigningKey::from_seed([1; 32], "test").unwrap()
}

impl Home {
    pub(crate) async fn open(seed: u64, version: RoomVersionId) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log: Arc<dyn ErasableLog> = Arc::new(MemoryLog::new(Epoch(1)));
        let commands = Arc::new(Server::open(NAME, &log));
        let home = Server::over(NAME, Arc::clone(&commands), Arc::clone(&log));
        let others = ["two.example", "three.example"].map(Server::in_memory);
        let servers = [home].into_iter().chain(others).collect();
        let world = World::of(seed, version, servers).await;
        let options = rookery_projection::Options { rebuild_threads: 1, ..Default::default() };
        let models = folder.path().join("models");
        let models = ReadModels::open(log.clone(), &models, options, |_| {}).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = models.clone();
        let projector =
            tokio::spawn(async move { running.run(async { drop(stopped.await) }).await });
        let options = Options {
            registration: RegistrationPolicy::Open,
            hash_cost: HashCost::ForTests,
            ..Options::default()
        };
        let accounts = Accounts::open(&folder.path().join("accounts.redb"), NAME, options).unwrap();
        let mut devices = BTreeMap::new();
        for name in ["ann", "ben", "cat"] {
            devices.insert(world.servers[0].user(name), device(&accounts, name).await);
        }
        let key = Arc::new(signing_key());
        let reader = Reader::new(models.clone());
        let feeds = Feeds::new(reader.clone(), rookery_delivery::Options::default());
        let ephemeral = rookery_audience::ephemeral(reader, || Millis(1));
        let silence = Duration::from_mins(1);
        let consumers = rookery_gateway::consumers(feeds.clone(), accounts.clone(), silence);
        let app = App::new(log, commands, feeds, consumers, accounts, key, ephemeral);
        let schema = schema(Arc::new(app));
        Self { world, models, schema, devices, projector, stop, _folder: folder }
    }

    pub(crate) async fn close(self) {
        drop(self.stop);
        self.projector.await.unwrap();
    }

    /// Waits until the models have applied the whole log.
    pub(crate) async fn settle(&self) {
        let tail = *self.world.servers[0].log.tail().borrow();
        self.models.wait_for(tail, Duration::from_mins(1)).await.unwrap();
    }

    pub(crate) async fn truth(&self) -> Folded {
        folded(&*self.world.servers[0].log, &self.world.room_id).await
    }

    /// Runs a query as `user`, which has to succeed.
    pub(crate) async fn ask(&self, user: &UserId, document: &str, variables: Value) -> Value {
        let session = Session {
            identity: self.devices.get(user).cloned(),
            user: Some(user.to_owned()),
            service: None,
            peer: [127, 0, 0, 1].into(),
            received: Millis(1),
        };
        let request = Request::new(document).variables(Variables::from_json(variables));
        let response = self.schema.execute(request.data(session)).await;
        assert!(response.errors.is_empty(), "{:?}\n{document}", response.errors);
        response.data.into_json().unwrap()
    }

    /// The whole timeline as a user sees it.
    pub(crate) async fn timeline(&self, user: &UserId) -> Vec<Value> {
        let document = "query($room: RoomID!, $after: Cursor) { room(by: { roomId: $room }) {
            timeline(first: 100, after: $after) {
                nodes { eventId sequence depth isLate isSuperseded after }
                pageInfo { hasNextPage endCursor } } } }";
        let (mut events, mut after) = (Vec::new(), Value::Null);
        loop {
            let variables = json!({ "room": self.world.room_id, "after": after });
            let page = self.ask(user, document, variables).await["room"]["timeline"].take();
            events.extend(page["nodes"].as_array().unwrap().iter().cloned());
            if page["pageInfo"]["hasNextPage"] == false {
                return events;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }

    /// The creator of the room sees all of it, in order, with each late event in its place.
    pub(crate) async fn check_timeline(&self, truth: &Folded) {
        let creator: OwnedUserId = self.world.servers[0].user("ann");
        let timeline = self.timeline(&creator).await;
        let number = |event: &Value, field: &str| event[field].as_u64().unwrap();
        assert!(
            timeline.is_sorted_by_key(|event| (number(event, "depth"), number(event, "sequence")))
        );
        let ids: BTreeSet<_> =
            timeline.iter().map(|event| event["eventId"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), timeline.len(), "each event once");
        for hidden in truth.rejected.iter().chain(&truth.soft_failed) {
            assert!(!ids.contains(hidden.as_str()), "{hidden} is shown");
            let document = "query($id: EventID!, $room: RoomID!) {
                event(eventId: $id) { eventId } room(by: { roomId: $room }) { event(eventId: $id) { eventId } } }";
            let variables = json!({ "id": hidden, "room": self.world.room_id });
            let found = self.ask(&creator, document, variables).await;
            assert_eq!(found["event"], Value::Null);
            assert_eq!(found["room"]["event"], Value::Null);
        }
        for (place, event) in timeline.iter().enumerate() {
            let earlier = timeline
                .iter()
                .filter(|other| number(other, "sequence") < number(event, "sequence"));
            let late = earlier.clone().any(|other| {
                (number(other, "depth"), number(other, "sequence"))
                    > (number(event, "depth"), number(event, "sequence"))
            });
            // It may have been late for this user, or after an event that they may not see.
            assert!(event["isLate"] == true || !late, "{event}");
            if event["isLate"] == true {
                let before = timeline[..place].iter().rev().find(|other| {
                    number(other, "sequence") < number(event, "sequence")
                        && other["isSuperseded"] == false
                });
                let before = before.map(|before| before["eventId"].clone());
                assert_eq!(event["after"], before.unwrap_or_default(), "{event}");
            } else {
                assert_eq!(event["after"], Value::Null);
            }
        }
    }
}

/// Registers a user, who gets a device.
async fn device(accounts: &Accounts, name: &str) -> Identity {
    let registration = Registration {
        localpart: name.into(),
        password: Password::new("correct horse"),
        device_name: None,
        from: [127, 0, 0, 1].into(),
    };
    let now = rookery_accounts::Millis(1_000);
    let session = accounts.register(registration, now).await.unwrap();
    accounts.authenticate(session.token.expose(), now).unwrap().unwrap()
}
