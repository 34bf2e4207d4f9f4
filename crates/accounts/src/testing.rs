//! Helpers for the tests of this crate.

use std::{net::IpAddr, path::Path, time::Duration};

use tempfile::TempDir;

use crate::{
    Accounts, HashCost, Identity, Login, LoginError, Millis, Options, Password, RegisterError,
    Registration, RegistrationPolicy, Revocation, Session,
};

pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const NOW: Millis = Millis(1_700_000_000_000);

pub(crate) fn options() -> Options {
    Options {
        registration: RegistrationPolicy::Open,
        hash_cost: HashCost::ForTests,
        ..Options::default()
    }
}

pub(crate) fn expiring(lifetime_millis: u64) -> Options {
    Options { token_lifetime: Some(Duration::from_millis(lifetime_millis)), ..options() }
}

pub(crate) fn later(millis: u64) -> Millis {
    Millis(NOW.0 + millis)
}

pub(crate) fn open_at(folder: &Path, options: Options) -> Accounts {
    Accounts::open(&folder.join("accounts.redb"), "example.org", options).expect("opens")
}

pub(crate) fn accounts_with(options: Options) -> (TempDir, Accounts) {
    let folder = tempfile::tempdir().expect("a folder");
    let accounts = open_at(folder.path(), options);
    (folder, accounts)
}

pub(crate) fn accounts() -> (TempDir, Accounts) {
    accounts_with(options())
}

pub(crate) fn home() -> IpAddr {
    [127, 0, 0, 1].into()
}

pub(crate) fn registration(name: &str) -> Registration {
    Registration {
        localpart: name.into(),
        password: Password::new(PASSWORD),
        device_name: Some("laptop".into()),
        from: home(),
    }
}

/// Waits for the end of a session, with a time limit.
pub(crate) async fn end_of(who: &Identity) -> Revocation {
    let end = tokio::time::timeout(Duration::from_secs(30), who.revoked());
    end.await.expect("the session ends")
}

pub(crate) fn credentials(user: &str, password: &str) -> Login {
    Login {
        user: user.into(),
        password: Password::new(password),
        device_id: None,
        device_name: None,
        from: home(),
    }
}

impl Accounts {
    pub(crate) async fn try_register(&self, name: &str) -> Result<Session, RegisterError> {
        self.register(registration(name), NOW).await
    }

    pub(crate) async fn registered(&self, name: &str) -> Session {
        self.try_register(name).await.expect("registers")
    }

    pub(crate) async fn try_login(
        &self,
        user: &str,
        password: &str,
    ) -> Result<Session, LoginError> {
        self.login(credentials(user, password), NOW).await
    }

    pub(crate) async fn logged_in(&self, user: &str) -> Session {
        self.try_login(user, PASSWORD).await.expect("logs in")
    }

    pub(crate) fn who(&self, session: &Session, now: Millis) -> Option<Identity> {
        self.authenticate(session.token.expose(), now).expect("reads")
    }
}
