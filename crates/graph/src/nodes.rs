//! The events of a graph, each in about a hundred bytes.
//!
//! **Invariant:** the number of an event is greater than the numbers of the events that it names.
//! **Invariant:** an event ID is stored once, as the hash that it spells.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use indexmap::IndexSet;
use rookery_domain::{EventStatus, Pdu};
use ruma_common::{EventId, OwnedEventId, OwnedServerName, ServerName};

use crate::states::SlotId;

/// The number of an event in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(u32);

/// The hash that an event ID spells.
pub(crate) type EventHash = [u8; 32];

/// The number of a server in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ServerNumber(u32);

/// The position of an event of the current commit.
const IN_CURRENT_COMMIT: u64 = u64::MAX;

/// Marks an event that is not state.
const NO_OWN: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub(crate) struct Node {
    position: u64,
    /// The depth that the event claims, or one more than the deepest event before it, whichever is
    /// greater. It grows along every path.
    pub(crate) depth: u64,
    links: u32,
    own: u32,
    pub(crate) server: ServerNumber,
    /// How many considered events follow it.
    pub(crate) followers: u32,
    pub(crate) index: u16,
    /// The distance to the nearest kept state, along single predecessors.
    pub(crate) apart: u16,
    prev: u16,
    auth: u16,
    pub(crate) status: EventStatus,
    /// Whether the event counts towards the state of the room.
    pub(crate) considered: bool,
    /// Whether an event follows it that was not rejected.
    pub(crate) is_followed: bool,
}

/// The data that is kept of a state event.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) slot: SlotId,
    pub(crate) pdu: Arc<Pdu>,
    /// The slots of the events that may authorise it; `None` if its content is malformed.
    pub(crate) authorisers: Option<Box<[SlotId]>>,
    /// The power levels event among its auth events.
    pub(crate) levels: Option<NodeId>,
    /// The power of its sender by its auth events, once it was computed.
    pub(crate) power: Option<i64>,
    /// Whether it can take the power of other users away.
    pub(crate) is_power: bool,
}

/// A new event.
pub(crate) struct NewNode<'a> {
    pub(crate) pdu: &'a Pdu,
    pub(crate) status: EventStatus,
    pub(crate) position: Option<u64>,
    pub(crate) index: u16,
    pub(crate) prev: &'a [NodeId],
    pub(crate) auth: &'a [NodeId],
    pub(crate) own: Option<Own>,
}

/// All events, by number and by ID.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nodes {
    hashes: IndexSet<EventHash>,
    list: Vec<Node>,
    /// The previous events and then the auth events of each event.
    links: Vec<NodeId>,
    owns: Vec<Own>,
    servers: HashMap<OwnedServerName, ServerNumber>,
    own_bytes: usize,
}

impl NodeId {
    fn at(index: usize) -> Self {
        Self(number(index))
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than four thousand million events in a room")
}

fn count(links: &[NodeId]) -> u16 {
    u16::try_from(links.len()).expect("few events are named")
}

/// The hash that an event ID spells; `None` if it is not the ID of an event of this server's room
/// versions.
fn hash_of(event_id: &EventId) -> Option<EventHash> {
    let text = event_id.as_str().strip_prefix('$')?;
    let mut hash = EventHash::default();
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut hash).ok()?;
    (length == hash.len()).then_some(hash)
}

impl Nodes {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn find(&self, event_id: &EventId) -> Option<NodeId> {
        self.hashes.get_index_of(&hash_of(event_id)?).map(NodeId::at)
    }

    /// Whether an event is known, and has a place among the others.
    pub(crate) fn is_placed(&self, event_id: &EventId) -> bool {
        self.find(event_id).is_some_and(|id| self.get(id).status != EventStatus::Outlier)
    }

    /// The numbers of those of these events that have a place.
    pub(crate) fn placed(&self, ids: &[OwnedEventId]) -> Vec<NodeId> {
        let found = ids.iter().filter_map(|id| self.find(id));
        found.filter(|id| self.get(*id).status != EventStatus::Outlier).collect()
    }

    /// The numbers of those of these events that are known.
    pub(crate) fn known(&self, ids: &[OwnedEventId]) -> Vec<NodeId> {
        ids.iter().filter_map(|id| self.find(id)).collect()
    }

    pub(crate) fn hash(&self, id: NodeId) -> &EventHash {
        &self.hashes[id.index()]
    }

    pub(crate) fn event_id(&self, id: NodeId) -> OwnedEventId {
        let id = format!("${}", URL_SAFE_NO_PAD.encode(self.hash(id)));
        OwnedEventId::try_from(id).expect("the form of an event ID")
    }

    pub(crate) fn get(&self, id: NodeId) -> &Node {
        &self.list[id.index()]
    }

    pub(crate) fn get_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.list[id.index()]
    }

    pub(crate) fn prev(&self, id: NodeId) -> &[NodeId] {
        let node = self.get(id);
        &self.links[node.links as usize..][..usize::from(node.prev)]
    }

    pub(crate) fn auth(&self, id: NodeId) -> &[NodeId] {
        let node = self.get(id);
        &self.links[node.links as usize + usize::from(node.prev)..][..usize::from(node.auth)]
    }

    /// The data of a state event.
    pub(crate) fn own(&self, id: NodeId) -> Option<&Own> {
        self.owns.get(self.get(id).own as usize)
    }

    pub(crate) fn own_mut(&mut self, id: NodeId) -> Option<&mut Own> {
        self.owns.get_mut(self.list[id.index()].own as usize)
    }

    /// The slot that an event takes in the state after it.
    pub(crate) fn takes(&self, id: NodeId) -> Option<SlotId> {
        let is_in = self.get(id).status != EventStatus::Rejected;
        self.own(id).filter(|_| is_in).map(|own| own.slot)
    }

    pub(crate) fn is_rejected(&self, id: NodeId) -> bool {
        self.get(id).status == EventStatus::Rejected
    }

    /// The position of the commit of an event; `None` for the current commit.
    pub(crate) fn position(&self, id: NodeId) -> Option<u64> {
        Some(self.get(id).position).filter(|position| *position != IN_CURRENT_COMMIT)
    }

    /// Sets the position of all events from this number on.
    pub(crate) fn commit(&mut self, from: usize, position: u64) {
        self.list[from..].iter_mut().for_each(|node| node.position = position);
    }

    /// Gives an outlier its place among the other events.
    pub(crate) fn place(&mut self, id: NodeId, new: &NewNode) {
        let links = number(self.links.len());
        self.links.extend(new.prev.iter().chain(new.auth));
        let depth = self.depth_of(new);
        let (prev, auth) = (count(new.prev), count(new.auth));
        let apart = self.apart_of(new);
        let node = self.get_mut(id);
        (node.links, node.prev, node.auth) = (links, prev, auth);
        (node.status, node.depth, node.apart) = (new.status, depth, apart);
        // The log has the event at both places. The first one stays, since states name it.
    }

    fn depth_of(&self, new: &NewNode) -> u64 {
        let deepest = new.prev.iter().map(|prev| self.get(*prev).depth).max();
        deepest.map_or(0, |depth| depth.saturating_add(1)).max(new.pdu.depth)
    }

    fn apart_of(&self, new: &NewNode) -> u16 {
        match new.prev {
            [one] => self.get(*one).apart.saturating_add(1),
            _ => 0,
        }
    }

    pub(crate) fn push(&mut self, new: NewNode) -> Option<NodeId> {
        let (depth, apart) = (self.depth_of(&new), self.apart_of(&new));
        let (index, is_new) = self.hashes.insert_full(hash_of(&new.pdu.event_id)?);
        if !is_new {
            return None;
        }
        let links = number(self.links.len());
        self.links.extend(new.prev.iter().chain(new.auth));
        let own = new.own.map_or(NO_OWN, |own| {
            self.own_bytes += weigh(&own);
            self.owns.push(own);
            number(self.owns.len() - 1)
        });
        let server = self.server(new.pdu.sender.server_name());
        self.list.push(Node {
            position: new.position.unwrap_or(IN_CURRENT_COMMIT),
            depth,
            links,
            own,
            server,
            followers: 0,
            index: new.index,
            apart,
            prev: count(new.prev),
            auth: count(new.auth),
            status: new.status,
            considered: false,
            is_followed: false,
        });
        Some(NodeId::at(index))
    }

    pub(crate) fn known_server(&self, name: &ServerName) -> Option<ServerNumber> {
        self.servers.get(name).copied()
    }

    fn server(&mut self, name: &ServerName) -> ServerNumber {
        if let Some(number) = self.servers.get(name) {
            return *number;
        }
        let number = ServerNumber(number(self.servers.len()));
        self.servers.insert(name.to_owned(), number);
        number
    }

    /// The memory of the events, in bytes.
    pub(crate) fn weight_bytes(&self) -> usize {
        /// An entry of the index: a hash, its short hash, and its place in a table that is half full.
        const HASH_BYTES: usize = 32 + 8 + 16;
        const SERVER_BYTES: usize = 128;
        // Vectors grow by doubling, so a quarter of them is free on average.
        let nodes = self.list.len() * (HASH_BYTES + size_of::<Node>());
        let links = self.links.len() * size_of::<NodeId>();
        (nodes + links) * 4 / 3 + self.own_bytes + self.servers.len() * SERVER_BYTES
    }
}

/// The memory of a state event, in bytes.
fn weigh(own: &Own) -> usize {
    /// The fields of a PDU outside of it: IDs, with what the allocator adds to each.
    const ID_BYTES: usize = 64;
    const ARC_BYTES: usize = 32;
    let pdu = &own.pdu;
    let ids = 4 + pdu.prev_events.len() + pdu.auth_events.len();
    let slots = own.authorisers.as_ref().map_or(0, |slots| size_of_val(&**slots));
    let texts = pdu.json.len() + pdu.content.get().len();
    size_of::<Own>() + size_of::<Pdu>() + ARC_BYTES + ids * ID_BYTES + slots + texts
}
