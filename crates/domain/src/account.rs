//! The account aggregate: a user's own data.

use crate::{AccountEvent, Profile, Rejection};

/// What a user asks of her account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountCommand {
    /// Change name and avatar.
    SetProfile {
        /// Both of them.
        profile: Profile,
    },
    /// Change the name only.
    SetDisplayname {
        /// The name; none to show the user ID.
        displayname: Option<String>,
    },
    /// Change the avatar only.
    SetAvatar {
        /// The `mxc:` address; none for no avatar.
        avatar_url: Option<String>,
    },
}

/// An account as its events so far have made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    profile: Profile,
}

impl Account {
    /// The account that these events make, oldest first.
    #[must_use]
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a AccountEvent>) -> Self {
        let mut account = Self::default();
        events.into_iter().for_each(|event| account.evolve(event));
        account
    }

    /// The name and avatar.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Decides what a command makes happen. An empty list means that it already holds.
    ///
    /// # Errors
    /// [`Rejection`] if the name is too long or the avatar no `mxc:` address.
    pub fn decide(&self, command: &AccountCommand) -> Result<Vec<AccountEvent>, Rejection> {
        let mut profile = self.profile.clone();
        match command.clone() {
            AccountCommand::SetProfile { profile: next } => profile = next,
            AccountCommand::SetDisplayname { displayname } => profile.displayname = displayname,
            AccountCommand::SetAvatar { avatar_url } => profile.avatar_url = avatar_url,
        }
        profile.check()?;
        if profile == self.profile {
            return Ok(Vec::new());
        }
        let Profile { displayname, avatar_url } = profile;
        Ok(vec![AccountEvent::ProfileChanged { displayname, avatar_url }])
    }

    /// Folds one event. Total.
    pub fn evolve(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::ProfileChanged { displayname, avatar_url } => {
                let (displayname, avatar_url) = (displayname.clone(), avatar_url.clone());
                self.profile = Profile { displayname, avatar_url };
            }
        }
    }
}
