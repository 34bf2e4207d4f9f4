//! A server on loopback, with a log in memory.

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rookery_command::{
    CommandOptions, Commands, LoggedIn, Memberships, Ports,
    testing::{NoReadSide, Server},
};
use rookery_domain::{
    CreateRoom, HistoryVisibility, MessageKind, OwnedRoomId, OwnedServerName, Preset, RoomCommand,
    RoomId, SigningKey, UserId,
};
use rookery_ephemeral::{Audience, Ephemeral, Listening, Now};
use rookery_log::{
    Epoch, ErasableLog, MemoryLog, Position, Scope, StreamId, StreamKind, Unavailable,
};
use rookery_outgoing::{Client, Guard, SystemResolver, system_tls_and};
use rookery_projection::ReadModels;
use rookery_view::Reader;
use tokio::task::JoinHandle;

use super::troubles::{Troubles, troubled};
use crate::{Access, Federation, Listener, OwnKeys, Parts, Pauses, SrvAnswer, SrvLookup, TlsFiles};

/// The names of the certificate.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "127.0.0.2"];

/// A certificate of `localhost`, in files, which is its own root.
pub(super) struct Certificate {
    folder: tempfile::TempDir,
}

impl Certificate {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(NAMES.map(str::to_owned)).unwrap();
        let (own, key) = (made.cert.der(), made.signing_key.serialize_der());
        std::fs::write(folder.path().join("own.pem"), pem("CERTIFICATE", own)).unwrap();
        std::fs::write(folder.path().join("own.key"), pem("PRIVATE KEY", &key)).unwrap();
        Self { folder }
    }

    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().join("own.pem")
    }

    pub(super) fn files(&self) -> TlsFiles {
        TlsFiles { certificate: self.root(), key: self.folder.path().join("own.key") }
    }

    /// A client that trusts it, and reaches this machine alone.
    pub(super) fn client(&self) -> Arc<Client> {
        self.client_for(|address| address.is_loopback())
    }

    /// A client that trusts it, and reaches these addresses besides public ones.
    pub(super) fn client_for(
        &self,
        allowed: impl Fn(IpAddr) -> bool + Send + Sync + 'static,
    ) -> Arc<Client> {
        let guard = Guard::for_users(allowed);
        let tls = system_tls_and(&self.root()).unwrap();
        Arc::new(Client::new(guard, Arc::new(SystemResolver), tls).keeping_connections())
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Nobody reads typing and presence.
struct Nobody;

impl Audience for Nobody {
    fn of_room(&self, _: &RoomId, _: &Listening<'_>, _: &mut dyn FnMut(&UserId)) {}

    fn of_user(&self, _: &UserId, _: &Listening<'_>, _: &mut dyn FnMut(&UserId)) {}
}

/// The rooms of users, from the read side.
struct Rooms(Reader);

#[async_trait::async_trait]
impl Memberships for Rooms {
    async fn joined_rooms(&self, _: &UserId, _: Position) -> Result<Vec<OwnedRoomId>, Unavailable> {
        Ok(Vec::new())
    }

    async fn replaced_rooms(
        &self,
        user: &UserId,
        limit: usize,
    ) -> Result<Vec<OwnedRoomId>, Unavailable> {
        let tail = *self.0.models().log().tail().borrow();
        self.0.wait_for(tail, Duration::from_mins(1)).await.ok();
        let view = self.0.view();
        let joined = view.joined_rooms_at(user, view.position()).into_iter();
        let is_replaced = |room: &OwnedRoomId| {
            view.room(room).is_some_and(|room| room.state("m.room.tombstone", "").is_some())
        };
        Ok(joined.filter(is_replaced).take(limit).collect())
    }
}

/// Devices that are logged in unless the flag is set.
struct Devices(Arc<AtomicBool>);

impl LoggedIn for Devices {
    fn is_logged_in(&self, _: &UserId, _: &str) -> Result<bool, Unavailable> {
        Ok(!self.0.load(Ordering::Relaxed))
    }
}

struct NoRecords;

#[async_trait::async_trait]
impl SrvLookup for NoRecords {
    async fn srv(&self, _name: &str) -> Result<SrvAnswer, String> {
        Ok(SrvAnswer::default())
    }
}

/// How a server differs from others.
#[derive(Default)]
struct Settings {
    notaries: Vec<OwnedServerName>,
    hides_directory: bool,
}

/// A server. Its federation can be stopped and started again.
pub(super) struct Here {
    pub(super) name: OwnedServerName,
    pub(super) server: Server,
    pub(super) reader: Reader,
    pub(super) ephemeral: Ephemeral,
    pub(super) federation: Federation,
    pub(super) certificate: Arc<Certificate>,
    pub(super) troubles: Arc<Troubles>,
    /// Whether all devices are logged out.
    pub(super) logged_out: Arc<AtomicBool>,
    sending: JoinHandle<()>,
    acting: JoinHandle<()>,
    folder: tempfile::TempDir,
    serving: JoinHandle<()>,
}

impl Here {
    pub(super) async fn open(certificate: &Arc<Certificate>) -> Self {
        Self::open_with(certificate, Vec::new()).await
    }

    /// A server that asks these others for the keys of servers that are away.
    pub(super) async fn open_with(
        certificate: &Arc<Certificate>,
        notaries: Vec<OwnedServerName>,
    ) -> Self {
        Self::open_as(certificate, Settings { notaries, ..Settings::default() }).await
    }

    /// A server that does not show its directory to other servers.
    pub(super) async fn open_hiding(certificate: &Arc<Certificate>) -> Self {
        Self::open_as(certificate, Settings { hides_directory: true, ..Settings::default() }).await
    }

    async fn open_as(certificate: &Arc<Certificate>, settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(address, Some(&certificate.files())).await.unwrap();
        let name = format!("localhost:{}", listener.address().unwrap().port());
        let name = OwnedServerName::try_from(name).unwrap();
        let log: Arc<dyn ErasableLog> = Arc::new(MemoryLog::new(Epoch(1)));
        let options = rookery_projection::Options { rebuild_threads: 1, ..Default::default() };
        let models = folder.path().join("models");
        let models = ReadModels::open(log.clone(), &models, options, |_| {}).await.unwrap();
        let reader = Reader::new(models.clone());
        tokio::spawn(async move { models.run(std::future::pending()).await });
        let none = Arc::new(NoReadSide);
        let ports = Ports {
            memberships: Arc::new(Rooms(reader.clone())),
            events: none.clone(),
            last_actions: none.clone(),
            calls: none,
        };
        let options = CommandOptions::default();
        let commands = Commands::open(log.clone(), name.clone(), ports, None, options).unwrap();
        let logged_out = Arc::new(AtomicBool::new(false));
        let commands = commands.with_logged_in(Arc::new(Devices(Arc::clone(&logged_out))));
        let server = Server::over(name.as_str(), Arc::new(commands), log);
        let clock = || Now { at: std::time::Instant::now(), wall_millis: now() };
        let ephemeral = Ephemeral::new(Nobody, clock);
        let running = ephemeral.clone();
        tokio::spawn(async move { running.run().await });
        let place = (folder.path(), settings);
        let federation = federation(&server, (&reader, &ephemeral), certificate, place);
        let troubles = Arc::new(Troubles::default());
        let router = crate::inbound::router(Arc::clone(&federation.home));
        let router = troubled(router, Arc::clone(&troubles));
        let serving = tokio::spawn(async move { listener.serve(router).await });
        let (sending, acting) = (send(&federation), act(&federation));
        Self {
            name,
            server,
            reader,
            ephemeral,
            federation,
            certificate: Arc::clone(certificate),
            troubles,
            logged_out,
            sending,
            acting,
            folder,
            serving,
        }
    }

    fn opened(&self, folder: &std::path::Path) -> Federation {
        let place = (folder, Settings::default());
        federation(&self.server, (&self.reader, &self.ephemeral), &self.certificate, place)
    }

    /// Stops the sender and the process of actions in the middle of their work, and starts them on the
    /// same files.
    pub(super) async fn restart_sender(&mut self) {
        self.sending.abort();
        (&mut self.sending).await.ok();
        self.acting.abort();
        (&mut self.acting).await.ok();
        // The old federation, whose listener goes on, has the file open. A copy of it is what a kill leaves.
        let (old, new) = (self.folder.path(), tempfile::tempdir().unwrap());
        let file = FILE;
        std::fs::copy(old.join(file), new.path().join(file)).unwrap();
        self.federation = self.opened(new.path());
        self.sending = send(&self.federation);
        self.acting = act(&self.federation);
        self.folder = new;
    }

    /// Sends nothing from now on, and asks for nothing.
    pub(super) async fn stop_sending(&mut self) {
        self.sending.abort();
        (&mut self.sending).await.ok();
    }

    /// Answers no requests from now on.
    pub(super) async fn stop_serving(&mut self) {
        self.serving.abort();
        (&mut self.serving).await.ok();
    }

    /// Answers requests again, at the same address.
    pub(super) async fn serve_again(&mut self) {
        let address = format!("127.0.0.1:{}", self.name.port().unwrap()).parse().unwrap();
        let listener = Listener::bind(address, Some(&self.certificate.files())).await.unwrap();
        let serving = self.federation.clone();
        self.serving = tokio::spawn(async move { serving.serve(listener).await });
    }

    /// Kills the server and starts it again. That leaves the log and the files, and nothing of the memory.
    pub(super) async fn kill(&mut self) {
        self.stop_serving().await;
        self.server.restart();
        self.restart_sender().await;
        self.serve_again().await;
    }

    /// A room that everybody may join and read.
    pub(super) async fn public_room(&self) -> OwnedRoomId {
        let history_visibility = Some(HistoryVisibility::Shared);
        let create =
            CreateRoom { preset: Preset::Public, history_visibility, ..CreateRoom::default() };
        self.server.create("ann", &create, now()).await
    }

    /// Waits until a message with this text is in the room here.
    pub(super) async fn until_said(&self, room: &OwnedRoomId, body: &str) {
        let stream = StreamId::new(StreamKind::Room, room.as_str());
        let mut tail = self.server.log.tail();
        loop {
            let scope = Scope::Stream(stream.clone());
            let records = self.server.log.read(&scope, Position::ORIGIN, 4_096).await.unwrap();
            let mut events = records.iter().flat_map(|record| record.commit.events.iter());
            if events.any(|event| String::from_utf8_lossy(&event.content).contains(body)) {
                return;
            }
            tail.changed().await.unwrap();
        }
    }

    pub(super) async fn say(&self, room: &OwnedRoomId, body: &str) {
        self.say_as("ann", room, body).await;
    }

    pub(super) async fn say_as(&self, name: &str, room: &OwnedRoomId, body: &str) {
        let (kind, body) = (MessageKind::Text, body.to_owned());
        let (formatted_body, relation, mentions) = (None, None, None);
        let said = RoomCommand::SendMessage { kind, body, formatted_body, relation, mentions };
        self.server.act(name, room, &said, now()).await.unwrap();
    }
}

/// The name of a server that is not there.
pub(super) fn unused_name() -> OwnedServerName {
    // Nobody listens on a port that was just given back.
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("localhost:{}", socket.local_addr().unwrap().port());
    OwnedServerName::try_from(name).unwrap()
}

/// The name of the file that a kill leaves.
pub(super) const FILE: &str = "federation.redb";

/// The time now, in milliseconds since 1970.
pub(super) fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_millis().try_into().unwrap()
}

fn federation(
    server: &Server,
    (reader, ephemeral): (&Reader, &Ephemeral),
    certificate: &Certificate,
    (folder, settings): (&std::path::Path, Settings),
) -> Federation {
    let line = server.key.to_line();
    let current = Arc::new(SigningKey::from_line(&line).unwrap());
    let own = OwnKeys { server_name: server.name.clone(), current, old: Vec::new() };
    let parts = Parts {
        own,
        commands: Arc::clone(&server.commands),
        reader: reader.clone(),
        ephemeral: ephemeral.clone(),
        client: certificate.client(),
        srv: Arc::new(NoRecords),
        access: Access::default(),
        notaries: settings.notaries,
        pauses: Pauses { first: Duration::from_millis(5), longest: Duration::from_millis(20) },
        delegated: None,
        shows_profiles: true,
        shows_directory: !settings.hides_directory,
        clock: Arc::new(now),
    };
    Federation::open(&folder.join(FILE), parts).unwrap()
}

fn act(federation: &Federation) -> JoinHandle<()> {
    let acting = federation.clone();
    tokio::spawn(async move { acting.act().await })
}

fn send(federation: &Federation) -> JoinHandle<()> {
    let sending = federation.clone();
    tokio::spawn(async move { sending.send().await })
}
