//! The names of the members of a room, to find the users that a text names.
//!
//! **Invariant:** an index only: it follows from the members, and is built when it is first needed.

use std::collections::{BTreeSet, HashMap};

use ruma_common::{OwnedUserId, UserId};

use crate::phrases::{PHRASE_WORDS_MAX, joined, phrase, words};

/// Names of members, as phrases.
#[derive(Clone, Debug)]
pub struct Names {
    /// The members with a name, by number. It is looked up for every word of every message.
    phrases: HashMap<u64, Vec<u32>>,
    /// The members, by number.
    users: Vec<Option<OwnedUserId>>,
    free: Vec<u32>,
    /// How many names have each number of words.
    lengths: [u32; PHRASE_WORDS_MAX + 1],
}

impl Default for Names {
    fn default() -> Self {
        let (phrases, users, free) = Default::default();
        Self { phrases, users, free, lengths: [0; PHRASE_WORDS_MAX + 1] }
    }
}

/// The phrases that name a member: the local part of the user ID, and the display name.
fn phrases_of(user: &UserId, shown: Option<(u64, u8)>) -> impl Iterator<Item = (u64, u8)> {
    let own = phrase(user.localpart());
    own.into_iter().chain(shown.filter(|shown| Some(*shown) != own))
}

impl Names {
    /// Adds a member with their display name, as a phrase ([`phrase`]).
    pub fn add(&mut self, user: &UserId, shown: Option<(u64, u8)>) {
        let number = self.free.pop().unwrap_or_else(|| {
            self.users.push(None);
            u32::try_from(self.users.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(slot) = self.users.get_mut(number as usize) {
            *slot = Some(user.to_owned());
        }
        for (phrase, length) in phrases_of(user, shown) {
            self.phrases.entry(phrase).or_default().push(number);
            self.lengths[usize::from(length)] += 1;
        }
    }

    /// Removes a member, as they were added.
    pub fn remove(&mut self, user: &UserId, shown: Option<(u64, u8)>) {
        let Some((own, _)) = phrases_of(user, shown).next() else { return };
        let mut candidates = self.phrases.get(&own).into_iter().flatten().copied();
        let Some(number) = candidates.find(|number| self.user(*number) == Some(user)) else {
            return;
        };
        for (phrase, length) in phrases_of(user, shown) {
            if let Some(numbers) = self.phrases.get_mut(&phrase) {
                numbers.retain(|other| *other != number);
                if numbers.is_empty() {
                    self.phrases.remove(&phrase);
                }
            }
            self.lengths[usize::from(length)] -= 1;
        }
        if let Some(slot) = self.users.get_mut(number as usize) {
            *slot = None;
        }
        self.free.push(number);
    }

    fn user(&self, number: u32) -> Option<&UserId> {
        self.users.get(number as usize)?.as_deref()
    }

    /// The members that a text names, each once.
    #[must_use]
    pub fn named_in(&self, text: &str) -> BTreeSet<&UserId> {
        let longest = self.lengths.iter().rposition(|count| *count > 0).unwrap_or(0);
        let mut named = BTreeSet::new();
        // The phrases that end with the current word, longest last.
        let mut open: Vec<u64> = Vec::with_capacity(longest);
        words(text, |word| {
            open.insert(0, 0);
            open.truncate(longest);
            for (before, phrase) in open.iter_mut().enumerate() {
                *phrase = joined(*phrase, word);
                if self.lengths[before + 1] == 0 {
                    continue;
                }
                let found = self.phrases.get(phrase).into_iter().flatten();
                named.extend(found.filter_map(|number| self.user(*number)));
            }
        });
        named
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn user(name: &str) -> OwnedUserId {
        UserId::parse(format!("@{name}:test")).unwrap()
    }

    fn names(members: &[(&str, &str)]) -> Names {
        let mut names = Names::default();
        for (name, shown) in members {
            names.add(&user(name), phrase(shown));
        }
        names
    }

    #[test]
    fn members_are_named_by_any_of_their_names_and_as_words() {
        let names = names(&[("al", "Alice of Wonderland"), ("bob", "bob"), ("c.d", "")]);
        let who = |text: &str| {
            let users = names.named_in(text).into_iter();
            users.map(|user| user.localpart().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(who("al, BOB and alice of wonderland"), "al bob");
        assert_eq!(who("ask @al:test"), "al");
        assert_eq!(who("so Alice of Wonderland, c.d"), "al c.d");
        assert_eq!(who("algebra, bobby, alice of the wonderland"), "");
    }

    #[test]
    fn who_leaves_is_named_no_more() {
        let mut names = names(&[("al", "Twin"), ("bob", "Twin")]);
        names.remove(&user("al"), phrase("Twin"));
        assert_eq!(names.named_in("al twin"), [&*user("bob")].into());
        names.remove(&user("bob"), phrase("Twin"));
        assert!(names.phrases.is_empty() && names.lengths.iter().all(|count| *count == 0));
        names.add(&user("carol"), None);
        assert_eq!(names.named_in("carol"), [&*user("carol")].into());
    }
}
