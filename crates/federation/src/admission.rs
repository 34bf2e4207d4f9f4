//! How much of other servers is under way at a time: bytes of bodies and requests.
//!
//! **Invariant:** bytes are counted before they are read, for all together and for each address. So a stranger without a
//! valid signature fills no memory.
//! **Invariant:** a server has a bounded number of requests under way, whatever it waits for.

use std::{collections::HashMap, hash::Hash, net::IpAddr, sync::Arc};

use parking_lot::Mutex;
use rookery_domain::{OwnedServerName, ServerName};
use rookery_rates::Network;

/// Most bytes of bodies that are read or worked on.
pub(crate) const BYTES_MAX: usize = 128 * 1024 * 1024;

/// Most bytes of bodies of one address, or of a proxy.
pub(crate) const ADDRESS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most requests of one server that are under way.
pub(crate) const SERVER_REQUESTS_MAX: usize = 64;

/// The bodies and requests under way.
#[derive(Default)]
pub(crate) struct Admission {
    bytes: Counts<Option<Network>>,
    requests: Counts<OwnedServerName>,
}

/// The bytes of a body, until this is dropped.
pub(crate) struct BytesPlace {
    _all: Place<Option<Network>>,
    _address: Option<Place<Option<Network>>>,
}

/// A request of a server, until this is dropped.
pub(crate) struct RequestPlace {
    _place: Place<OwnedServerName>,
}

impl Admission {
    /// Admits a body of up to `bytes` of an address; `None` if too much is under way.
    pub(crate) fn body(&self, address: Option<IpAddr>, bytes: usize) -> Option<BytesPlace> {
        let address = match address {
            Some(address) => {
                Some(self.bytes.take(Some(Network::of(address)), bytes, ADDRESS_BYTES_MAX)?)
            }
            None => None,
        };
        let all = self.bytes.take(None, bytes, BYTES_MAX)?;
        Some(BytesPlace { _all: all, _address: address })
    }

    /// Admits a request of a server; `None` if it has too many.
    pub(crate) fn request(&self, server: &ServerName) -> Option<RequestPlace> {
        let place = self.requests.take(server.to_owned(), 1, SERVER_REQUESTS_MAX)?;
        Some(RequestPlace { _place: place })
    }
}

/// Numbers by key. A key with zero takes no memory.
struct Counts<K>(Arc<Mutex<HashMap<K, usize>>>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

struct Place<K: Eq + Hash> {
    counts: Arc<Mutex<HashMap<K, usize>>>,
    key: K,
    count: usize,
}

impl<K: Clone + Eq + Hash> Counts<K> {
    fn take(&self, key: K, count: usize, most: usize) -> Option<Place<K>> {
        let mut counts = self.0.lock();
        let used = counts.get(&key).copied().unwrap_or(0);
        if used + count > most {
            return None;
        }
        if count > 0 {
            counts.insert(key.clone(), used + count);
        }
        Some(Place { counts: Arc::clone(&self.0), key, count })
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(used) = counts.get_mut(&self.key) {
            *used -= self.count;
            if *used == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn bytes_under_way_are_bounded_for_each_address_and_in_all_and_leave_nothing_behind() {
        let admission = Admission::default();
        let address = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        let half = ADDRESS_BYTES_MAX / 2;
        let mut places = vec![admission.body(address(1), half).unwrap()];
        places.push(admission.body(address(1), half).unwrap());
        assert!(admission.body(address(1), 1).is_none());
        for last in 2..2 + u8::try_from((BYTES_MAX - ADDRESS_BYTES_MAX) / half).unwrap() {
            places.push(admission.body(address(last), half).unwrap());
        }
        assert!(admission.body(address(100), 1).is_none());
        places.pop();
        assert!(admission.body(address(100), 1).is_some());
        drop(places);
        assert!(admission.bytes.0.lock().is_empty());
    }

    #[test]
    fn requests_of_a_server_under_way_are_bounded_and_others_do_not_notice() {
        let admission = Admission::default();
        let name = |name: &str| OwnedServerName::try_from(name).unwrap();
        let ask = |server: &str| admission.request(&name(server));
        let places: Vec<_> =
            (0..SERVER_REQUESTS_MAX).map(|_| ask("one.example").unwrap()).collect();
        assert!(ask("one.example").is_none());
        assert!(ask("two.example").is_some());
        drop(places);
        assert!(ask("one.example").is_some());
        assert!(admission.requests.0.lock().is_empty());
    }
}
