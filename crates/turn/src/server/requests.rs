//! Requests and their answers.
//!
//! Source: RFC 8656, sections 7 to 12.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use crate::{
    server::{
        access::Caller,
        allocation::{ALLOCATION_LIFETIME, Allocation, Full},
        answers::{Refused, success},
        client::Client,
        options::Now,
        relay::Relay,
    },
    wire::{CHANNELS, Draft, Message, attribute, code, method},
};

/// The protocol number of UDP, the only transport towards peers.
const UDP: u8 = 17;

/// Attributes that a request may have and that must not be ignored.
const KNOWN: &[u16] = &[
    attribute::USERNAME,
    attribute::REALM,
    attribute::NONCE,
    attribute::CHANNEL_NUMBER,
    attribute::LIFETIME,
    attribute::XOR_PEER_ADDRESS,
    attribute::REQUESTED_ADDRESS_FAMILY,
    attribute::EVEN_PORT,
    attribute::REQUESTED_TRANSPORT,
];

impl Relay {
    /// The answer to a request, if it gets one.
    pub(super) fn answer(
        self: &Arc<Self>,
        client: &Client,
        request: &Message<'_>,
    ) -> Option<Vec<u8>> {
        let now = self.now();
        if request.method == method::BINDING {
            self.answers_stranger(client, now.at).then_some(())?;
            let mapped = success(request).address(attribute::XOR_MAPPED_ADDRESS, client.address());
            return Some(mapped.finish());
        }
        let caller = match self.gate.check(request, client.address(), now) {
            Ok(caller) => caller,
            Err(unauthenticated) => {
                self.answers_stranger(client, now.at).then_some(())?;
                let nonce = self.gate.nonces.issue(client.address(), now.at);
                return Some(unauthenticated.draft(request, &self.gate, &nonce).finish());
            }
        };
        let answer = self.execute(client, request, &caller, now)?;
        let draft = answer.unwrap_or_else(|refused| {
            let (code, reason) = (refused.code, &refused.reason);
            tracing::debug!(user = caller.user, code, %reason, "the relay refused a request");
            refused.draft(request)
        });
        Some(draft.signed(&caller.key).finish())
    }

    /// Executes a request with valid credentials. `None` if the user has no request left.
    fn execute(
        self: &Arc<Self>,
        client: &Client,
        request: &Message<'_>,
        caller: &Caller<'_>,
        now: Now,
    ) -> Option<Result<Draft, Refused>> {
        let user = self.table.lock().user(caller.user, now.at);
        user.takes_request(now.at).then_some(())?;
        let unknown: Vec<u16> = request
            .attributes()
            .map(|(kind, _)| kind)
            .filter(|kind| *kind < attribute::OPTIONAL && !KNOWN.contains(kind))
            .collect();
        if !unknown.is_empty() {
            return Some(Err(Refused::unknown(unknown)));
        }
        if request.method == method::ALLOCATE {
            return Some(self.allocate(client, request, caller, now));
        }
        let Some(allocation) = self.allocation(client.id(), now.at) else {
            let reason = "this address has no allocation";
            return Some(Err(Refused::new(code::ALLOCATION_MISMATCH, reason)));
        };
        if !Arc::ptr_eq(&allocation.user, &user) {
            let reason = "the allocation is another user's";
            return Some(Err(Refused::new(code::WRONG_CREDENTIALS, reason)));
        }
        Some(match request.method {
            method::REFRESH => self.refresh(&allocation, request, now),
            method::CREATE_PERMISSION => self.permit(&allocation, request, now),
            method::CHANNEL_BIND => self.bind(&allocation, request, now),
            _ => Err(Refused::bad("the method is not supported")),
        })
    }

    fn allocate(
        self: &Arc<Self>,
        client: &Client,
        request: &Message<'_>,
        caller: &Caller<'_>,
        now: Now,
    ) -> Result<Draft, Refused> {
        let mut table = self.table.lock();
        let user = table.user(caller.user, now.at);
        if let Some(existing) = table.of_client(client.id()) {
            if existing.is_live(now.at) {
                let is_repeated = existing.transaction == request.transaction
                    && Arc::ptr_eq(&existing.user, &user);
                let answer = || allocated(request, existing);
                let reason = "this address has an allocation";
                return is_repeated
                    .then(answer)
                    .ok_or_else(|| Refused::new(code::ALLOCATION_MISMATCH, reason));
            }
            table.remove(client.id());
        }
        match request.attribute(attribute::REQUESTED_TRANSPORT) {
            Some([UDP, ..]) => {}
            Some(_) => {
                let reason = "peers are reached by UDP only";
                return Err(Refused::new(code::TRANSPORT_NOT_SUPPORTED, reason));
            }
            None => return Err(Refused::bad("an allocation needs the requested transport")),
        }
        let even = match request.attribute(attribute::EVEN_PORT) {
            None => false,
            Some([0, ..]) => true,
            Some(_) => {
                let reason = "ports cannot be reserved";
                return Err(Refused::new(code::INSUFFICIENT_CAPACITY, reason));
            }
        };
        let is_asked = match request.attribute(attribute::REQUESTED_ADDRESS_FAMILY) {
            None | Some([1, ..]) => IpAddr::is_ipv4,
            Some([2, ..]) => IpAddr::is_ipv6,
            Some(_) => return Err(Refused::bad("the address family is unknown")),
        };
        let ports = self.ports.iter().find(|ports| is_asked(&ports.told)).ok_or_else(|| {
            let reason = "the relay has no address of this family";
            Refused::new(code::FAMILY_NOT_SUPPORTED, reason)
        })?;
        if user.allocations() >= self.bounds().user_allocations {
            return Err(Refused::new(code::QUOTA_REACHED, "the user has too many allocations"));
        }
        if table.allocations() >= self.bounds().allocations {
            return Err(Refused::new(code::INSUFFICIENT_CAPACITY, "the relay is full"));
        }
        let opened = ports.open(even, |address| table.at(address).is_some());
        let (socket, relayed) = opened.map_err(|error| {
            tracing::debug!(%error, "the relay has no free port");
            Refused::new(code::INSUFFICIENT_CAPACITY, "the relay has no free port")
        })?;
        let (client, transaction) = (client.clone(), request.transaction);
        let allocation = Allocation::new(client, user, relayed, transaction, socket, now.at);
        let allocation = Arc::new(allocation);
        table.insert(&allocation);
        let reader = Arc::clone(self).read_peers(Arc::clone(&allocation));
        allocation.read_by(tokio::spawn(reader).abort_handle());
        tracing::debug!(user = caller.user, %relayed, "allocated a relayed address");
        Ok(allocated(request, &allocation))
    }

    fn refresh(
        &self,
        allocation: &Allocation,
        request: &Message<'_>,
        now: Now,
    ) -> Result<Draft, Refused> {
        let family = request.attribute(attribute::REQUESTED_ADDRESS_FAMILY);
        let own = if allocation.relayed.is_ipv4() { 1 } else { 2 };
        if family.is_some_and(|family| family.first() != Some(&own)) {
            let reason = "the allocation is of the other address family";
            return Err(Refused::new(code::PEER_FAMILY_MISMATCH, reason));
        }
        if request.number(attribute::LIFETIME) == Some(0) {
            self.table.lock().remove(allocation.client.id());
            return Ok(success(request).number(attribute::LIFETIME, 0));
        }
        allocation.refresh(now.at);
        Ok(success(request).number(attribute::LIFETIME, lifetime_seconds()))
    }

    fn permit(
        &self,
        allocation: &Allocation,
        request: &Message<'_>,
        now: Now,
    ) -> Result<Draft, Refused> {
        let mut addresses = Vec::new();
        for (kind, value) in request.attributes() {
            if kind == attribute::XOR_PEER_ADDRESS {
                addresses.push(self.peer(allocation, request.read_address(value))?.ip());
            }
        }
        if addresses.is_empty() {
            return Err(Refused::bad("a permission needs the address of a peer"));
        }
        let permitted = allocation.permit(&addresses, self.bounds(), now.at);
        permitted.map_err(|_| too_many("permissions"))?;
        Ok(success(request))
    }

    fn bind(
        &self,
        allocation: &Allocation,
        request: &Message<'_>,
        now: Now,
    ) -> Result<Draft, Refused> {
        let number = request.number(attribute::CHANNEL_NUMBER).map(|number| number >> 16);
        let number = number.and_then(|number| u16::try_from(number).ok());
        let number = number.filter(|number| CHANNELS.contains(number));
        let number = number.ok_or(Refused::bad("the number of the channel is missing or wrong"))?;
        let peer = self.peer(allocation, request.address(attribute::XOR_PEER_ADDRESS))?;
        match allocation.bind(number, peer, self.bounds(), now.at) {
            Ok(()) => Ok(success(request)),
            Err(Full::Bound) => Err(too_many("channels")),
            Err(Full::Taken) => Err(Refused::bad("the channel or the peer is bound otherwise")),
        }
    }

    /// The peer that a request names, if the relay may send to it.
    fn peer(
        &self,
        allocation: &Allocation,
        peer: Option<SocketAddr>,
    ) -> Result<SocketAddr, Refused> {
        let peer = peer.ok_or(Refused::bad("the address of the peer is missing or malformed"))?;
        if peer.is_ipv4() != allocation.relayed.is_ipv4() {
            let reason = "the peer is of the other address family";
            return Err(Refused::new(code::PEER_FAMILY_MISMATCH, reason));
        }
        if !self.is_relay_address(peer.ip()) {
            let checked = self.options.peers.check(peer.ip());
            let refused = |refusal| format!("the address {} {refusal}", peer.ip());
            checked.map_err(|refusal| Refused::new(code::FORBIDDEN, refused(refusal)))?;
        }
        Ok(peer)
    }
}

fn too_many(what: &'static str) -> Refused {
    Refused::new(code::INSUFFICIENT_CAPACITY, format!("the allocation has too many {what}"))
}

fn lifetime_seconds() -> u32 {
    u32::try_from(ALLOCATION_LIFETIME.as_secs()).unwrap_or(u32::MAX)
}

fn allocated(request: &Message<'_>, allocation: &Allocation) -> Draft {
    success(request)
        .address(attribute::XOR_RELAYED_ADDRESS, allocation.relayed)
        .address(attribute::XOR_MAPPED_ADDRESS, allocation.client.address())
        .number(attribute::LIFETIME, lifetime_seconds())
}
