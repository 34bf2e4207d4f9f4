//! Users whom an import made, apart from those who have an account of their own.
//!
//! **Invariant:** a user counts as imported from the moment at which an import makes the account until somebody else
//! may have it: an operator sets a password, hands out a token, makes the user an administrator or deactivates it. An
//! import acts for imported users alone.

use redb::{ReadTransaction, TableError};

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
    /// Makes an account for each of these names that is free, for an import, all in one transaction. Answers for each
    /// name whether the import may act for that user: it may not if somebody else has the name.
    ///
    /// Doing it again makes none, and gives the same answers until a user is handed over.
    ///
    /// # Errors
    /// [`NewUserError::Localpart`] names the first that is no name; then none was made.
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

/// For each name whether it is that of an imported user; none if it has no account.
fn known(read: &ReadTransaction, names: &[Localpart]) -> Result<Vec<Option<bool>>, Unavailable> {
    let users = read.open_table(USERS)?;
    let imported = names_of_imports(read)?;
    names
        .iter()
        .map(|name| {
            if users.get(name.as_str())?.is_none() {
                return Ok(None);
            }
            let Some(imported) = &imported else { return Ok(Some(false)) };
            Ok(Some(imported.get(name.as_str())?.is_some()))
        })
        .collect()
}

/// The table of imported users; a file that an earlier version made has none.
pub(crate) fn names_of_imports(
    read: &ReadTransaction,
) -> Result<Option<redb::ReadOnlyTable<&'static str, ()>>, Unavailable> {
    match read.open_table(IMPORTED) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether an import made the user, and nobody else has it since.
pub(crate) fn is_imported(read: &ReadTransaction, name: &Localpart) -> Result<bool, Unavailable> {
    let Some(imported) = names_of_imports(read)? else { return Ok(false) };
    Ok(imported.get(name.as_str())?.is_some())
}

impl Change<'_> {
    /// Makes an account for an import if the name is free, and answers whether it belongs to imports.
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
