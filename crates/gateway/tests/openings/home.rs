//! A server without a socket, and the devices that are logged in to it.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use async_graphql::{Request, Response, Variables};
use futures_util::stream::BoxStream;
use rookery_accounts::{
    Accounts, HashCost, Identity, Login, Options, Password, Registration, RegistrationPolicy,
};
use rookery_command::testing::Server;
use rookery_domain::{OwnedUserId, SigningKey};
use rookery_gateway::schema::{App, Schema, Session, schema};
use rookery_log::{Epoch, EventLog, MemoryLog, Millis};
use rookery_query::ReadModels;
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle};

const NAME: &str = "one.example";
const PASSWORD: &str = "correct horse";
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) struct Home {
    schema: Schema,
    accounts: Accounts,
    projector: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    _folder: tempfile::TempDir,
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
        let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new(Epoch(1)));
        let commands = Arc::new(Server::open(NAME, &log));
        let options = rookery_query::Options { rebuild_threads: 1, ..Default::default() };
        let models = folder.path().join("models");
        let models = ReadModels::open(Arc::clone(&log), &models, options, |_| {}).await.unwrap();
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
        let key = Arc::new(SigningKey::from_seed([1; 32], "test").unwrap());
        let ephemeral = rookery_gateway::ephemeral(models.clone(), || Millis(1));
        let app = App::new(log, commands, models, accounts.clone(), key, ephemeral);
        Self { schema: schema(Arc::new(app)), accounts, projector, stop, _folder: folder }
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
        data(self.schema.execute(request(device, document, variables)).await)
    }

    /// Runs the mutation `name`, which may be refused, and gives back its payload.
    pub(crate) async fn act(&self, device: &Device, name: &str, input: Value) -> Value {
        let kind = match name {
            "kickUser" | "banUser" | "unbanUser" | "inviteUser" => "MemberInput".to_owned(),
            _ => format!("{}{}Input", name[..1].to_uppercase(), &name[1..]),
        };
        let document = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ room {{ roomId }} }} }}"
        );
        self.ask(device, &document, json!({ "input": input })).await[name].take()
    }

    pub(crate) async fn say(&self, device: &Device, room: &str, body: &str) {
        self.act(device, "sendMessage", json!({ "roomId": room, "body": body })).await;
    }

    pub(crate) fn subscribe(
        &self,
        device: &Device,
        document: &str,
        variables: Value,
    ) -> BoxStream<'static, Response> {
        Box::pin(self.schema.execute_stream(request(device, document, variables)))
    }
}

/// The data of a response that has no errors.
pub(crate) fn data(response: Response) -> Value {
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    response.data.into_json().unwrap()
}

fn request(device: &Device, document: &str, variables: Value) -> Request {
    let session = Session {
        identity: Some(device.identity.clone()),
        user: Some(device.user.clone()),
        peer: PEER,
        received: Millis(1),
    };
    Request::new(document).variables(Variables::from_json(variables)).data(session)
}
