//! A bounded, fair queue: networks take turns, and within a network user names do.
//!
//! **Invariant:** at most `waiting_max` wait, however often anybody asks.
//! **Invariant:** the queue admits a new entry by removing the last entry of a network, or of a
//! name within it, that has two more waiting. So a network that fills the queue costs others their
//! turn at most once, and a network with few entries is admitted.

use std::{collections::VecDeque, net::IpAddr};

use rookery_rates::Network;

/// The owner of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    /// The network of the request; `None` for the operator.
    pub(crate) network: Option<Network>,
    /// The user name in the request.
    pub(crate) name: String,
}

impl Asker {
    /// The operator, for a user.
    pub(crate) fn operator(name: &str) -> Self {
        Self { network: None, name: name.into() }
    }

    /// A client, for a user.
    pub(crate) fn client(from: IpAddr, name: &str) -> Self {
        Self { network: Some(Network::of(from)), name: name.into() }
    }
}

/// The waiting entries, each with a ticket to call it.
pub(crate) struct Turns<T> {
    waiting_max: usize,
    waiting: usize,
    last_ticket: u64,
    /// Networks; the first one has the next turn.
    networks: VecDeque<NetworkQueue<T>>,
}

struct NetworkQueue<T> {
    address: Option<Network>,
    /// User names; the first one has the next turn.
    names: VecDeque<Name<T>>,
}

struct Name<T> {
    name: String,
    tickets: VecDeque<(u64, T)>,
}

/// The answer to a request for a turn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked<T> {
    /// The entry waits under this number. The other entry, if any, has to leave.
    Waits(u64, Option<T>),
    /// The queue is full.
    Refused(T),
}

impl<T> Turns<T> {
    pub(crate) fn new(waiting_max: usize) -> Self {
        Self { waiting_max, waiting: 0, last_ticket: 0, networks: VecDeque::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting
    }

    /// Whether an entry of that network waits.
    #[cfg(test)]
    pub(crate) fn has(&self, asker: &Asker) -> bool {
        self.networks.iter().any(|network| network.address == asker.network)
    }

    /// Adds an entry to the queue.
    pub(crate) fn ask(&mut self, asker: &Asker, ticket: T) -> Asked<T> {
        let mut leaves = None;
        if self.waiting >= self.waiting_max {
            let Some(place) = self.place_to_free(asker) else { return Asked::Refused(ticket) };
            leaves = self.remove_last(place);
        }
        self.last_ticket += 1;
        self.waiting += 1;
        let network = position_or_push(
            &mut self.networks,
            |network| network.address == asker.network,
            || NetworkQueue { address: asker.network, names: VecDeque::new() },
        );
        let names = &mut self.networks[network].names;
        let name = position_or_push(
            names,
            |name| name.name == asker.name,
            || Name { name: asker.name.clone(), tickets: VecDeque::new() },
        );
        names[name].tickets.push_back((self.last_ticket, ticket));
        Asked::Waits(self.last_ticket, leaves)
    }

    /// Removes and returns the entry that has the next turn.
    pub(crate) fn next(&mut self) -> Option<T> {
        let mut network = self.networks.pop_front()?;
        let mut name = network.names.pop_front()?;
        let (_, ticket) = name.tickets.pop_front()?;
        self.waiting -= 1;
        if !name.tickets.is_empty() {
            network.names.push_back(name);
        }
        if !network.names.is_empty() {
            self.networks.push_back(network);
        }
        Some(ticket)
    }

    /// Removes an entry that no longer waits.
    pub(crate) fn leave(&mut self, ticket: u64) -> Option<T> {
        for network in 0..self.networks.len() {
            for name in 0..self.networks[network].names.len() {
                let tickets = &self.networks[network].names[name].tickets;
                if let Some(index) = tickets.iter().position(|(number, _)| *number == ticket) {
                    return self.remove((network, name), index);
                }
            }
        }
        None
    }

    /// The network and the name whose last entry leaves for `asker`; `None` if none does.
    fn place_to_free(&self, asker: &Asker) -> Option<(usize, usize)> {
        let own = self.networks.iter().position(|network| network.address == asker.network);
        let own_len = own.map_or(0, |own| self.networks[own].len());
        let longest = longest(&self.networks, NetworkQueue::len)?;
        if self.networks[longest].len() >= own_len + 2 {
            return Some((longest, self.longest_name(longest)?));
        }
        // A name of the asker's own network.
        let own = own?;
        let names = &self.networks[own].names;
        let mine = names.iter().find(|name| name.name == asker.name);
        let mine = mine.map_or(0, |mine| mine.tickets.len());
        let name = self.longest_name(own)?;
        (names[name].tickets.len() >= mine + 2).then_some((own, name))
    }

    fn longest_name(&self, network: usize) -> Option<usize> {
        longest(&self.networks[network].names, |name| name.tickets.len())
    }

    fn remove_last(&mut self, (network, name): (usize, usize)) -> Option<T> {
        let last = self.networks[network].names[name].tickets.len().checked_sub(1)?;
        self.remove((network, name), last)
    }

    fn remove(&mut self, (network, name): (usize, usize), index: usize) -> Option<T> {
        let names = &mut self.networks[network].names;
        let (_, ticket) = names[name].tickets.remove(index)?;
        if names[name].tickets.is_empty() {
            names.remove(name);
        }
        if names.is_empty() {
            self.networks.remove(network);
        }
        self.waiting -= 1;
        Some(ticket)
    }
}

impl<T> NetworkQueue<T> {
    fn len(&self) -> usize {
        self.names.iter().map(|name| name.tickets.len()).sum()
    }
}

fn longest<T>(all: &VecDeque<T>, len: impl Fn(&T) -> usize) -> Option<usize> {
    (0..all.len()).max_by_key(|index| len(&all[*index]))
}

fn position_or_push<T>(
    all: &mut VecDeque<T>,
    is: impl Fn(&T) -> bool,
    make: impl FnOnce() -> T,
) -> usize {
    all.iter().position(is).unwrap_or_else(|| {
        all.push_back(make());
        all.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asker(network: u8, name: &str) -> Asker {
        Asker { network: Some(Network::of([192, 0, 2, network].into())), name: name.into() }
    }

    fn ask(turns: &mut Turns<String>, network: u8, name: &str, label: &str) -> bool {
        matches!(turns.ask(&asker(network, name), label.to_owned()), Asked::Waits(..))
    }

    fn served(turns: &mut Turns<String>) -> Vec<String> {
        std::iter::from_fn(|| turns.next()).collect()
    }

    #[test]
    fn networks_take_turns_and_names_within_one() {
        let mut turns = Turns::new(10);
        for (network, name, label) in
            [(1, "a", "1a1"), (1, "a", "1a2"), (1, "b", "1b"), (2, "a", "2a1"), (2, "a", "2a2")]
        {
            assert!(ask(&mut turns, network, name, label));
        }
        assert_eq!(served(&mut turns), ["1a1", "2a1", "1b", "2a2", "1a2"]);
        assert_eq!(turns.len(), 0);
    }

    #[test]
    fn a_network_that_fills_the_line_keeps_nobody_else_out() {
        let mut turns = Turns::new(8);
        let let_in = (0..120).filter(|n| ask(&mut turns, 1, &n.to_string(), "guess")).count();
        assert_eq!(let_in, 8);
        for network in 2..=5 {
            assert!(ask(&mut turns, network, "ann", &format!("ann of {network}")));
        }
        assert_eq!(turns.len(), 8);
        let order = served(&mut turns);
        let last = order.iter().rposition(|label| label.starts_with("ann")).expect("is served");
        assert!(last <= 4, "{order:?}");
    }

    #[test]
    fn a_name_that_fills_the_line_of_its_network_keeps_no_other_name_out() {
        let mut turns = Turns::new(8);
        for _ in 0..120 {
            ask(&mut turns, 1, "victim", "guess");
        }
        assert!(ask(&mut turns, 1, "ann", "ann"));
        assert_eq!(served(&mut turns).iter().position(|label| label == "ann"), Some(1));
    }

    #[test]
    fn whoever_leaves_is_never_called() {
        let mut turns = Turns::new(2);
        let Asked::Waits(first, None) = turns.ask(&asker(1, "a"), "first") else { panic!("waits") };
        turns.ask(&asker(1, "a"), "second");
        assert_eq!(turns.leave(first), Some("first"));
        assert_eq!(turns.leave(first), None);
        assert_eq!((turns.next(), turns.next()), (Some("second"), None));
    }

    proptest! {
        #[test]
        fn nobody_is_refused_for_the_sake_of_a_network_with_two_more(
            asked in prop::collection::vec((0_u8..4, 0_u8..3, prop::bool::ANY), 1..200),
        ) {
            let mut turns = Turns::new(6);
            let waiting = |turns: &Turns<u8>, network: u8| {
                let all = turns.networks.iter();
                all.filter(|it| it.address == asker(network, "").network).map(NetworkQueue::len).sum()
            };
            for (network, name, serves) in asked {
                let counts: Vec<usize> = (0..4).map(|other| waiting(&turns, other)).collect();
                let refused = matches!(
                    turns.ask(&asker(network, &name.to_string()), network),
                    Asked::Refused(_)
                );
                if refused {
                    let own = counts[usize::from(network)];
                    prop_assert!(counts.iter().all(|other| *other <= own + 1), "{counts:?}");
                }
                let sum: usize = turns.networks.iter().map(NetworkQueue::len).sum();
                prop_assert_eq!(sum, turns.len());
                prop_assert!(turns.len() <= 6);
                if serves {
                    turns.next();
                }
            }
        }
    }
}
