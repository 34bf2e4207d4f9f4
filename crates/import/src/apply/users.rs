//! The users for whom an import acts.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use rookery_accounts::{Millis as AccountMillis, NewUserError, RESERVED_PREFIX};

use super::{Failed, IMPORTER, StepError, Target};
use crate::irc::MAPPED_MARK;

/// Most names that the import tries for a user whose name is taken.
const NAMES_MAX: usize = 100;

/// The users of the import, by their names in the logs.
#[derive(Default)]
pub(super) struct Users {
    /// The local part for each, or the reason why there is none.
    known: HashMap<Arc<str>, Result<String, String>>,
    apart: Vec<(String, String)>,
    has_importer: bool,
}

impl Users {
    /// Creates accounts for the new ones among `users`, and finds the local part of each.
    pub(super) async fn claim<'u>(
        &mut self,
        target: &Target<'_>,
        users: impl Iterator<Item = &'u Arc<str>>,
    ) -> Result<(), Failed> {
        if !self.has_importer {
            self.has_importer = true;
            claim(target, vec![IMPORTER.to_owned()]).await?;
        }
        let new: BTreeSet<Arc<str>> =
            users.filter(|user| !self.known.contains_key(*user)).cloned().collect();
        let (mapped, new): (Vec<_>, Vec<_>) =
            new.into_iter().partition(|user| user.starts_with(MAPPED_MARK));
        for user in mapped {
            let name = Self::mapped(target, &user[MAPPED_MARK.len_utf8()..])?;
            self.known.insert(user, Ok(name));
        }
        let mut wanted = new;
        for attempt in 0..NAMES_MAX {
            if wanted.is_empty() {
                break;
            }
            let names = wanted.iter().map(|user| name_of(user, attempt)).collect();
            let mut refused = Vec::new();
            for (user, got) in wanted.into_iter().zip(claim(target, names).await?) {
                let name = name_of(&user, attempt);
                match got {
                    Claim::Got => {
                        if attempt > 0 {
                            self.apart.push((user.to_string(), name.clone()));
                        }
                        self.known.insert(user, Ok(name));
                    }
                    Claim::Taken => refused.push(user),
                    Claim::NoName(reason) => {
                        self.known.insert(user, Err(reason));
                    }
                }
            }
            wanted = refused;
        }
        for user in wanted {
            let reason = format!("{user} and all alternative names belong to other users");
            self.known.insert(user, Err(reason));
        }
        Ok(())
    }

    /// The local part of a user with an account, for whom the operator lets the import act.
    pub(super) fn mapped(target: &Target<'_>, user: &str) -> Result<String, Failed> {
        match target.accounts.user(user)? {
            Some(found) if found.deactivated.is_none() => Ok(found.localpart),
            Some(_) => Err(Failed::new(format!("the mapping names {user}, who is deactivated"))),
            None => Err(Failed::new(format!(
                "the mapping names {user}, who has no account here: create one with `rookery user create`"
            ))),
        }
    }

    pub(super) fn localpart(&self, user: &str) -> Result<&str, StepError> {
        match self.known.get(user) {
            Some(Ok(localpart)) => Ok(localpart),
            Some(Err(reason)) => Err(StepError::Refused(reason.clone())),
            None => Err(StepError::Refused(format!("the import did not claim {user}"))),
        }
    }

    /// Whether the local part of an imported user differs from the nick.
    pub(super) fn is_apart(&self, user: &str) -> bool {
        let mapped = user.starts_with(MAPPED_MARK);
        !mapped
            && self
                .known
                .get(user)
                .is_some_and(|known| known.as_ref().is_ok_and(|name| name != user))
    }

    /// Users with another local part than their own, and that local part.
    pub(super) fn take_apart(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.apart)
    }
}

/// The name of a user at the next attempt: first their own, then one that nobody can register.
fn name_of(user: &str, attempt: usize) -> String {
    match attempt {
        0 => user.to_owned(),
        1 => format!("{RESERVED_PREFIX}{user}"),
        more => format!("{RESERVED_PREFIX}{user}.{more}"),
    }
}

enum Claim {
    Got,
    Taken,
    NoName(String),
}

/// Claims names, except for invalid ones.
async fn claim(target: &Target<'_>, names: Vec<String>) -> Result<Vec<Claim>, Failed> {
    let mut bad: HashMap<String, String> = HashMap::new();
    loop {
        let good: Vec<String> =
            names.iter().filter(|name| !bad.contains_key(*name)).cloned().collect();
        let now = AccountMillis(target.now.0);
        match target.accounts.claim_imported(good.clone(), now).await {
            Ok(answers) => {
                let mut answers = answers.into_iter();
                let answer = |name: &String| match bad.get(name) {
                    Some(reason) => Claim::NoName(reason.clone()),
                    None if answers.next() == Some(true) => Claim::Got,
                    None => Claim::Taken,
                };
                return Ok(names.iter().map(answer).collect());
            }
            Err(NewUserError::Localpart { name, error }) if good.contains(&name) => {
                bad.insert(name.clone(), format!("{name:?} is not a user name: {error}"));
            }
            Err(error) => return Err(error.into()),
        }
    }
}
