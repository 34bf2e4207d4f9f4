//! All services of a server.
//!
//! **Invariant:** a name that two services claim exclusively belongs to neither.

use std::sync::Arc;

use rookery_domain::{RoomAliasId, UserId};

use super::service::Service;

/// Two services claim the same names exclusively. The text names both.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimConflict {
    /// Both have the same pattern.
    #[error(
        "the services {one} and {other} both claim the {kind} {pattern} exclusively: change the pattern of one, or \
         remove {other} first"
    )]
    Pattern {
        /// The new service.
        one: String,
        /// The registered service.
        other: String,
        /// The kind of names.
        kind: &'static str,
        /// The pattern.
        pattern: String,
    },
    /// A service claims the bot of the other one.
    #[error(
        "the services {one} and {other} both claim the user {user} exclusively: name another bot, or remove {other} first"
    )]
    Bot {
        /// The new service.
        one: String,
        /// The registered service.
        other: String,
        /// The user.
        user: String,
    },
}

/// All services of a server.
#[derive(Clone, Debug, Default)]
pub struct Services(Vec<Arc<Service>>);

impl Services {
    /// These services.
    #[must_use]
    pub fn new(services: Vec<Arc<Service>>) -> Self {
        Self(services)
    }

    /// Each service.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Service>> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The service with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Service>> {
        self.0.iter().find(|service| service.name == name)
    }

    /// A service that keeps the user ID from everybody but itself. `by` is the service that asks.
    #[must_use]
    pub fn reserving_user(&self, user: &UserId, by: Option<&str>) -> Option<&Arc<Service>> {
        self.others(by).find(|service| service.reserves_user(user))
    }

    /// A service that keeps the alias from everybody but itself. `by` is the service that asks.
    #[must_use]
    pub fn reserving_alias(&self, alias: &RoomAliasId, by: Option<&str>) -> Option<&Arc<Service>> {
        self.others(by).find(|service| service.namespaces.excludes_alias(alias))
    }

    /// A conflict of a new service with those here. Whether two different patterns have a name in
    /// common is not decided; see [`Self::reserving_user`] for that.
    #[must_use]
    pub fn conflict(&self, new: &Service) -> Option<ClaimConflict> {
        self.others(Some(&new.name)).find_map(|other| {
            let names = || (new.name.clone(), other.name.clone());
            for bot in [&new.bot, &other.bot] {
                if new.reserves_user(bot) && other.reserves_user(bot) {
                    let (one, other) = names();
                    return Some(ClaimConflict::Bot { one, other, user: bot.to_string() });
                }
            }
            let (ours, theirs) = (&new.namespaces, &other.namespaces);
            let kinds = [
                ("users", &ours.users, &theirs.users),
                ("aliases", &ours.aliases, &theirs.aliases),
                ("rooms", &ours.rooms, &theirs.rooms),
            ];
            kinds.into_iter().find_map(|(kind, ours, theirs)| {
                let same = ours.exclusive().find(|one| theirs.exclusive().any(|it| it == *one))?;
                let (one, other) = names();
                Some(ClaimConflict::Pattern { one, other, kind, pattern: same.to_owned() })
            })
        })
    }

    fn others(&self, by: Option<&str>) -> impl Iterator<Item = &Arc<Service>> {
        self.0.iter().filter(move |service| by != Some(service.name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Claim, check_service_name};

    fn service(name: &str, users: &str, exclusive: bool) -> Arc<Service> {
        let claim = |regex: &str| [Claim { regex: regex.into(), exclusive }];
        let aliases = users.replace('@', "#");
        let namespaces = Service::namespaces_of(&claim(users), &claim(&aliases), &[]);
        let bot = format!("@{name}:example.org").as_str().try_into().expect("an ID");
        let namespaces = namespaces.expect("compiles");
        Arc::new(Service { name: name.into(), bot, is_rate_limited: true, namespaces })
    }

    fn user(name: &str) -> rookery_domain::OwnedUserId {
        format!("@{name}:example.org").as_str().try_into().expect("an ID")
    }

    #[test]
    fn an_exclusive_claim_keeps_others_out_and_a_shared_one_does_not() {
        let all = Services::new(vec![
            service("irc", "@_irc_.*:example.org", true),
            service("logs", "@.*:example.org", false),
        ]);
        let reserving = |name: &str, by| {
            all.reserving_user(&user(name), by).map(|service| service.name.clone())
        };
        assert_eq!(reserving("_irc_bob", None).as_deref(), Some("irc"));
        assert_eq!(reserving("_irc_bob", Some("logs")).as_deref(), Some("irc"));
        assert_eq!(reserving("_irc_bob", Some("irc")), None);
        assert_eq!(reserving("bob", None), None);
        assert_eq!(reserving("irc", None).as_deref(), Some("irc"), "a bot is a service's own");
        let alias = <&RoomAliasId>::try_from("#_irc_tea:example.org").expect("an alias");
        assert!(all.reserving_alias(alias, None).is_some());
        assert!(all.reserving_alias(alias, Some("irc")).is_none());
    }

    #[test]
    fn a_service_acts_as_its_bot_and_its_users_only() {
        let irc = service("irc", "@_irc_.*:example.org", true);
        assert!(irc.may_act_as(&user("irc")));
        assert!(irc.may_act_as(&user("_irc_bob")));
        assert!(!irc.may_act_as(&user("bob")));
    }

    #[test]
    fn equal_exclusive_claims_and_claims_on_a_bot_are_conflicts() {
        let irc = service("irc", "@_irc_.*:example.org", true);
        let all = Services::new(vec![irc.clone()]);
        let conflict = |new: &Service| all.conflict(new).map(|conflict| conflict.to_string());
        let same = conflict(&service("slack", "@_irc_.*:example.org", true)).expect("refused");
        assert!(same.contains("slack") && same.contains("irc"), "{same}");
        assert!(conflict(&service("slack", "@_irc_.*:example.org", false)).is_none());
        let greedy = conflict(&service("slack", "@.*:example.org", true)).expect("refused");
        assert!(greedy.contains("@irc:example.org"), "{greedy}");
        assert!(conflict(&irc).is_none(), "a service has no conflict with itself");
    }

    #[test]
    fn a_name_that_two_services_claim_belongs_to_neither() {
        let all = Services::new(vec![
            service("one", "@_x.*:example.org", true),
            service("two", "@.*y:example.org", true),
        ]);
        let name = user("_xy");
        assert!(all.reserving_user(&name, Some("one")).is_some());
        assert!(all.reserving_user(&name, Some("two")).is_some());
    }

    #[test]
    fn names_of_services_are_short_and_plain() {
        assert!(check_service_name("IRC-bridge_2.0").is_ok());
        for name in ["", "a b", "ä", "a/b", "a:b", &"x".repeat(65)] {
            assert!(check_service_name(name).is_err(), "{name}");
        }
    }
}
