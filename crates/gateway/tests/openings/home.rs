//! A server without a socket, and its logged-in devices.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use async_graphql::{Executor as _, Request, Response, Variables};
use futures_util::{FutureExt as _, StreamExt as _, stream::BoxStream};
use rookery_accounts::{
    Accounts, HashCost, Identity, Login, Options, Password, Registration, RegistrationPolicy,
};
use rookery_command::{CommandOptions, Commands, EventLookup, Ports, testing::NoReadSide};
use rookery_delivery::{Consumers, Feeds};
use rookery_domain::{KnownEvent, OwnedEventId, OwnedUserId, SigningKey, UserId};
use rookery_gateway::schema::{
    App, FanoutCounts, Schema, Session, SharingSchema, executor, schema, types,
};
use rookery_graphql_documents::{
    DocumentLimits, Documents, GateLimits, OperationKind, Refusal, Types, Validated,
};
use rookery_graphql_edge::{Frame, Frames as _};
use rookery_log::{
    CountedLog, Epoch, ErasableLog, MemoryLog, Millis, Position, ReadCounts, Unavailable,
};
use rookery_projection::ReadModels;
use rookery_view::{Reader, Viewer};
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle};

const NAME: &str = "one.example";
const PASSWORD: &str = "correct horse";
/// How long the write side waits for the models.
const CATCH_UP_MAX: Duration = Duration::from_secs(10);
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) struct Home {
    /// Executes requests without a document that was read before.
    schema: Schema,
    /// Executes documents that were read before, as the server does.
    executor: Validated<SharingSchema>,
    documents: Arc<Documents>,
    types: Arc<Types>,
    log: Arc<CountedLog>,
    /// The same server without sharing.
    unshared: Schema,
    accounts: Accounts,
    pub(crate) consumers: Consumers,
    projector: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    folder: tempfile::TempDir,
}

/// One login of one user.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) user: OwnedUserId,
    identity: Identity,
}

impl Home {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = Arc::new(CountedLog::new(Arc::new(MemoryLog::new(Epoch(1)))));
        let options = Options {
            registration: RegistrationPolicy::Open,
            hash_cost: HashCost::ForTests,
            ..Options::default()
        };
        let accounts = Accounts::open(&folder.path().join("accounts.redb"), NAME, options).unwrap();
        Self::start(log, accounts, folder).await
    }

    async fn start(log: Arc<CountedLog>, accounts: Accounts, folder: tempfile::TempDir) -> Self {
        let port: Arc<dyn ErasableLog> = log.clone();
        // Applied commits leave memory soon, so that answers have to read.
        let options = rookery_projection::Options {
            rebuild_threads: 1,
            ring_commits_max: 16,
            ..Default::default()
        };
        let models = folder.path().join("models");
        let models = ReadModels::open(port.clone(), &models, options, |_| {}).await.unwrap();
        let reader = Reader::new(models.clone());
        let feeds = Feeds::new(reader.clone(), rookery_delivery::Options::default());
        let commands = Arc::new(commands(&port, &reader));
        let (stop, stopped) = oneshot::channel::<()>();
        let running = models.clone();
        let projector =
            tokio::spawn(async move { running.run(async { drop(stopped.await) }).await });
        let key = Arc::new(SigningKey::from_seed([1; 32], "test").unwrap());
        let ephemeral = rookery_audience::ephemeral(reader, || Millis(1));
        let app = || {
            let (port, commands, feeds) = (port.clone(), commands.clone(), feeds.clone());
            let (key, ephemeral) = (key.clone(), ephemeral.clone());
            let silence = Duration::from_mins(1);
            let consumers = rookery_gateway::consumers(feeds.clone(), accounts.clone(), silence);
            App::new(port, commands, feeds, consumers, accounts.clone(), key, ephemeral)
        };
        let unshared = schema(Arc::new(app().with_sharing(false)));
        let app = Arc::new(app());
        let consumers = app.consumers.clone();
        Self {
            schema: schema(Arc::clone(&app)),
            executor: executor(app),
            documents: Arc::new(Documents::new(&DocumentLimits::default(), types())),
            types: types(),
            log,
            unshared,
            accounts,
            consumers,
            projector,
            stop,
            folder,
        }
    }

    /// Stops everything but the log and the accounts, and starts it again with empty memory.
    pub(crate) async fn restart(self) -> Self {
        let (log, accounts) = (self.log.clone(), self.accounts.clone());
        drop(self.stop);
        self.projector.await.unwrap();
        Self::start(log, accounts, self.folder).await
    }

    pub(crate) async fn close(self) {
        drop(self.stop);
        self.projector.await.unwrap();
    }

    /// A new user, with a device.
    pub(crate) async fn register(&self, name: &str) -> Device {
        let registration = Registration {
            localpart: name.into(),
            password: Password::new(PASSWORD),
            device_name: None,
            from: PEER,
        };
        let now = rookery_accounts::Millis(1_000);
        let session = self.accounts.register(registration, now).await.unwrap();
        self.device(name, session.token.expose())
    }

    /// Another device of a user.
    pub(crate) async fn log_in(&self, name: &str) -> Device {
        let login = Login {
            user: name.into(),
            password: Password::new(PASSWORD),
            device_id: None,
            device_name: None,
            from: PEER,
        };
        let session = self.accounts.login(login, rookery_accounts::Millis(1_000)).await.unwrap();
        self.device(name, session.token.expose())
    }

    fn device(&self, name: &str, token: &str) -> Device {
        let now = rookery_accounts::Millis(1_000);
        let identity = self.accounts.authenticate(token, now).unwrap().unwrap();
        Device { user: format!("@{name}:{NAME}").try_into().unwrap(), identity }
    }

    /// Runs a document, which has to succeed.
    pub(crate) async fn ask(&self, device: &Device, document: &str, variables: Value) -> Value {
        data(self.executor.execute(self.request(device, document, variables)).await)
    }

    /// Runs the mutation `name`, which may be refused, and returns its payload.
    pub(crate) async fn act(&self, device: &Device, name: &str, input: Value) -> Value {
        let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let document = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ room {{ roomId }} }} }}"
        );
        self.ask(device, &document, json!({ "input": input })).await[name].take()
    }

    pub(crate) async fn say(&self, device: &Device, room: &str, body: &str) {
        self.act(device, "sendMessage", json!({ "roomId": room, "body": body })).await;
    }

    fn request(&self, device: &Device, document: &str, variables: Value) -> Request {
        let admitted = self.documents.admit(document, None, &GateLimits::default());
        request(Some(device), document, variables).data(admitted.unwrap().1)
    }

    /// The answers to a document with one operation: from a server without cached documents, and
    /// from one where the document is unknown at first and cached then. `None` while a subscription
    /// has no items.
    pub(crate) async fn answers(
        &self,
        device: Option<&Device>,
        document: &str,
        variables: &Value,
    ) -> Result<[Option<String>; 3], Refusal> {
        let (admitted, _) = self.documents.admit(document, None, &GateLimits::default())?;
        let follows = admitted.kind == OperationKind::Subscription;
        let mut answers = [None, None, None];
        for (time, answer) in answers.iter_mut().enumerate() {
            let none =
                Arc::new(Documents::new(&DocumentLimits::default(), Arc::clone(&self.types)));
            let documents = if time == 0 { &none } else { &self.documents };
            let (_, reading) = documents.admit(document, None, &GateLimits::default())?;
            let request = request(device, document, variables.clone()).data(reading);
            let response = if follows {
                let mut stream = self.executor.execute_stream(request, None);
                stream.next().now_or_never().flatten()
            } else {
                Some(self.executor.execute(request).await)
            };
            *answer = response.map(|response| serde_json::to_string(&response).unwrap());
        }
        Ok(answers)
    }

    /// The reads of the log so far.
    pub(crate) fn reads(&self) -> ReadCounts {
        self.log.counts()
    }

    /// How many documents are cached.
    pub(crate) fn documents_known(&self) -> usize {
        self.documents.size().0
    }

    /// A subscription frame by frame, with or without sharing.
    pub(crate) fn frames(
        &self,
        shared: bool,
        device: &Device,
        document: &str,
        variables: &Value,
    ) -> BoxStream<'static, Frame> {
        let schema = if shared { &self.schema } else { &self.unshared };
        SharingSchema::from(schema.clone()).frames(request(
            Some(device),
            document,
            variables.clone(),
        ))
    }

    /// The server as clients of its edge see it.
    pub(crate) fn sharing(&self) -> SharingSchema {
        SharingSchema::from(self.schema.clone())
    }

    /// The same as plain responses of a server without sharing.
    pub(crate) fn responses(
        &self,
        device: &Device,
        document: &str,
        variables: &Value,
    ) -> BoxStream<'static, Frame> {
        let request = request(Some(device), document, variables.clone());
        self.unshared.execute_stream(request).map(Frame::from).boxed()
    }

    pub(crate) fn counts(&self) -> FanoutCounts {
        self.sharing().counts()
    }

    pub(crate) fn subscribe(
        &self,
        device: &Device,
        document: &str,
        variables: Value,
    ) -> BoxStream<'static, Response> {
        self.executor.execute_stream(self.request(device, document, variables), None)
    }
}

/// The write side, which finds referenced events.
fn commands(log: &Arc<dyn ErasableLog>, reader: &Reader) -> Commands {
    let none = Arc::new(NoReadSide);
    let events = Arc::new(Lookup(reader.clone()));
    let (memberships, last_actions) = (none.clone(), none.clone());
    let ports = Ports { memberships, events, last_actions, calls: none };
    let (name, options) = (NAME.try_into().unwrap(), CommandOptions::default());
    Commands::open(Arc::clone(log), name, ports, None, options).unwrap()
}

struct Lookup(Reader);

#[async_trait::async_trait]
impl EventLookup for Lookup {
    async fn known(
        &self,
        events: &[OwnedEventId],
        viewer: &UserId,
        at_least: Position,
    ) -> Result<Vec<KnownEvent>, Unavailable> {
        self.0.wait_for(at_least, CATCH_UP_MAX).await.expect("the models catch up");
        Ok(self.0.known(events, &Viewer::User(viewer.to_owned())).await.expect("the log is read"))
    }
}

/// The data of a response that has no errors.
pub(crate) fn data(response: Response) -> Value {
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    response.data.into_json().unwrap()
}

fn request(device: Option<&Device>, document: &str, variables: Value) -> Request {
    let session = Session {
        identity: device.map(|device| device.identity.clone()),
        user: device.map(|device| device.user.clone()),
        service: None,
        peer: PEER,
        received: Millis(1),
    };
    Request::new(document).variables(Variables::from_json(variables)).data(session)
}
