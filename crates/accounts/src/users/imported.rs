//! Users that an import made, as opposed to users with an account of their own.
//!
//! **Invariant:** a user counts as imported from the moment at which an import creates the account
//! until it is handed over: an operator sets a password, issues a token, makes the user an
//! administrator, or deactivates it. An import acts only for imported users.

use redb::ReadTransaction;

use crate::{
    Accounts, Millis, NewUserError, Unavailable,
    file::{
        change::Change,
        format::StoredUser,
        store::{IMPORTED, USERS},
    },
    users::name::Localpart,
};

impl Accounts {
    /// Creates accounts for an import: one for each of these names that is free, in one
    /// transaction. Returns for each name whether the import may act for that user. It may not if
    /// another user has the name.
    ///
    /// Repeating it creates none, and returns the same answers until a user is handed over.
    ///
    /// # Errors
    /// [`NewUserError::Localpart`] names the first invalid name; then none was created.
    pub async fn claim_imported(
        &self,
        localparts: Vec<String>,
        now: Millis,
    ) -> Result<Vec<bool>, NewUserError> {
        let names = localparts.iter().map(|name| self.any_name(name));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let known = self.inner.read(|read| known(read, &names))?;
        if let Some(answers) = known.into_iter().collect::<Option<Vec<_>>>() {
            return Ok(answers);
        }
        self.change(move |change| names.iter().map(|name| change.claim(name, now)).collect()).await
    }
}

/// For each name, whether it belongs to an imported user; `None` if it has no account.
fn known(read: &ReadTransaction, names: &[Localpart]) -> Result<Vec<Option<bool>>, Unavailable> {
    let users = read.open_table(USERS)?;
    let imported = read.open_table(IMPORTED)?;
    names
        .iter()
        .map(|name| {
            if users.get(name.as_str())?.is_none() {
                return Ok(None);
            }
            Ok(Some(imported.get(name.as_str())?.is_some()))
        })
        .collect()
}

/// Whether an import made the user, and the user was not handed over since.
pub(crate) fn is_imported(read: &ReadTransaction, name: &Localpart) -> Result<bool, Unavailable> {
    Ok(read.open_table(IMPORTED)?.get(name.as_str())?.is_some())
}

impl Change<'_> {
    /// Creates an account for an import if the name is free, and returns whether the name belongs
    /// to imports.
    fn claim(&mut self, name: &Localpart, now: Millis) -> Result<bool, NewUserError> {
        if self.user(name)?.is_some() {
            return Ok(self.is_imported(name)?);
        }
        if self.is_in_history(name) {
            return Ok(false);
        }
        self.put_user(name, &StoredUser::without_password(now))?;
        self.put_imported(name)?;
        Ok(true)
    }
}
