//! The file of accounts: the stored data, and the files that are refused.

use std::{fs, path::Path};

use redb::TableHandle as _;

use crate::{Accounts, FORMAT_VERSION, OpenError, file::store, testing::*};

fn open(path: &Path) -> Result<Accounts, OpenError> {
    Accounts::open(path, "example.org", options())
}

fn set_meta(path: &Path, key: &str, value: &[u8]) {
    let database = redb::Database::open(path).expect("opens");
    let write = database.begin_write().expect("begins");
    write.open_table(store::META).expect("opens").insert(key, value).expect("inserts");
    write.commit().expect("commits");
}

#[tokio::test]
async fn all_is_there_after_reopening() {
    let (folder, accounts) = accounts();
    let ada = accounts.registered("ada").await;
    let bob = accounts.registered("bob").await;
    accounts.remove_device("bob", &bob.device_id).await.expect("logs out");
    let (users, devices) = (accounts.users(None, 10), accounts.devices("ada"));
    drop(accounts);

    let accounts = open_at(folder.path(), options());
    assert_eq!((accounts.users(None, 10), accounts.devices("ada")), (users, devices));
    let who = accounts.who(&ada, NOW).expect("still in");
    assert!(who.is_admin());
    assert!(accounts.who(&bob, NOW).is_none());
    assert!(accounts.try_login("bob", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_file_without_the_later_tables_gets_them_when_it_is_opened() {
    let (folder, accounts) = accounts();
    accounts.registered("ada").await;
    drop(accounts);
    let path = folder.path().join("accounts.redb");
    let database = redb::Database::open(&path).expect("opens");
    let write = database.begin_write().expect("begins");
    let tables: Vec<_> = write.list_tables().expect("lists").collect();
    assert_eq!(tables.len(), store::table_names().len());
    let first = ["meta", "users", "devices", "tokens", "expiries"];
    for table in tables.into_iter().filter(|table| !first.contains(&table.name())) {
        assert!(write.delete_table(table).expect("deletes"));
    }
    write.commit().expect("commits");
    drop(database);

    let accounts = open(&path).expect("opens");
    assert_eq!(accounts.webhooks_of_room("!room", None, 10).expect("reads").len(), 0);
    assert_eq!(accounts.consumers(None, None, 10).expect("reads").len(), 0);
    assert_eq!(accounts.users_from("", None, 10).expect("reads").len(), 1);
}

#[tokio::test]
async fn no_secret_is_in_the_file() {
    let (folder, accounts) = accounts();
    let session = accounts.registered("ada").await;
    drop(accounts);
    let bytes = fs::read(folder.path().join("accounts.redb")).expect("reads");
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(has(b"ada"), "the search itself works");
    assert!(!has(PASSWORD.as_bytes()));
    assert!(!has(&session.token.expose().as_bytes()[3..]));
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, _accounts) = accounts();
    let meta = fs::metadata(folder.path().join("accounts.redb")).expect("is there");
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_in_use_is_refused_by_name() {
    let (folder, _accounts) = accounts();
    let refused = open(&folder.path().join("accounts.redb")).err().expect("refused");
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains("stop the server"), "{refused}");
}

#[test]
fn the_file_of_a_later_version_is_refused_by_name() {
    let (folder, accounts) = accounts();
    drop(accounts);
    let path = folder.path().join("accounts.redb");
    set_meta(&path, "format", &(FORMAT_VERSION + 1).to_le_bytes());
    let refused = open(&path).err().expect("refused");
    let next = FORMAT_VERSION + 1;
    assert!(matches!(refused, OpenError::Newer { found, .. } if found == next), "{refused}");
}

#[test]
fn the_file_of_another_server_is_refused_by_name() {
    let (folder, accounts) = accounts();
    drop(accounts);
    let path = folder.path().join("accounts.redb");
    let refused = Accounts::open(&path, "other.org", options()).err().expect("refused");
    assert!(matches!(&refused, OpenError::OtherServer { stored, .. } if stored == "example.org"));
    assert!(open(&path).is_ok());
}

#[test]
fn what_is_no_file_of_accounts_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("accounts.redb");
    let text = "These are not the accounts that you are looking for.".repeat(100);
    fs::write(&path, &text).expect("writes");
    let refused = open(&path).err().expect("refused");
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    assert_eq!(fs::read_to_string(&path).expect("reads"), text);

    let foreign = folder.path().join("foreign.redb");
    let database = redb::Database::create(&foreign).expect("creates");
    let write = database.begin_write().expect("begins");
    write.open_table(redb::TableDefinition::<u64, u64>::new("numbers")).expect("opens");
    write.commit().expect("commits");
    drop(database);
    assert!(matches!(open(&foreign), Err(OpenError::Damaged { .. })));

    let missing = folder.path().join("no-such-folder").join("accounts.redb");
    assert!(matches!(open(&missing), Err(OpenError::Io { .. })));
}

#[tokio::test]
async fn a_file_that_was_not_closed_is_as_it_was_after_each_refusal() {
    let (folder, accounts) = accounts();
    for name in ["ada", "bob", "eve"] {
        accounts.registered(name).await;
    }
    // The copy is the file after a crash, which redb has to repair.
    let killed = fs::read(folder.path().join("accounts.redb")).expect("reads");
    let path = folder.path().join("killed.redb");
    fs::write(&path, &killed).expect("writes");
    let refused = Accounts::open(&path, "other.org", options()).err().expect("refused");
    assert!(matches!(refused, OpenError::OtherServer { .. }), "{refused}");
    assert!(fs::read(&path).expect("reads") == killed, "a refusal changed the file");
    let mut refusals = 0;
    for at in (0..killed.len()).step_by(killed.len() / 61) {
        let mut bad = killed.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).expect("writes");
        if open(&path).is_err() {
            refusals += 1;
            assert!(
                fs::read(&path).expect("reads") == bad,
                "a refusal of byte {at} changed the file"
            );
        }
    }
    assert!(refusals > 0, "no damage was found");
    fs::write(&path, &killed).expect("writes");
    assert_eq!(open(&path).expect("opens").users(None, 10), accounts.users(None, 10));
}

#[test]
fn a_file_that_a_crash_left_half_made_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("accounts.redb");
    fs::write(path.with_extension("redb.new"), vec![0; 10_000]).expect("writes");
    assert!(open(&path).expect("opens").users(None, 10).expect("reads").is_empty());
    assert_eq!(fs::read_dir(folder.path()).expect("reads").count(), 1);
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_never_believed() {
    let (folder, accounts) = accounts();
    for name in ["ada", "bob", "eve"] {
        accounts.registered(name).await;
    }
    let truth = accounts.users(None, 10).expect("reads");
    drop(accounts);
    let good = fs::read(folder.path().join("accounts.redb")).expect("reads");
    let path = folder.path().join("damaged.redb");
    let mut refused = 0;
    for at in (0..good.len()).step_by(good.len() / 61) {
        let mut bad = good.clone();
        let end = bad.len().min(at + 512);
        bad[at..end].iter_mut().for_each(|byte| *byte ^= 0x5a);
        fs::write(&path, &bad).expect("writes");
        match open(&path) {
            Ok(accounts) => assert_eq!(accounts.users(None, 10).expect("reads"), truth, "{at}"),
            Err(error) => {
                assert!(matches!(error, OpenError::Damaged { .. }), "{at}: {error}");
                refused += 1;
            }
        }
        fs::remove_file(&path).expect("removes");
    }
    assert!(refused > 0);
    for len in [1, 100, good.len() / 2, good.len() - 1] {
        fs::write(&path, &good[..len]).expect("writes");
        if let Ok(accounts) = open(&path) {
            assert_eq!(accounts.users(None, 10).expect("reads"), truth, "cut at {len}");
        }
    }
}

#[tokio::test]
async fn a_byte_that_was_altered_on_disk_is_noticed() {
    let (folder, accounts) = accounts();
    accounts.ensure_users(["bobolink", "kingfisher"], NOW).await.expect("makes");
    let truth = accounts.users(None, 10).expect("reads");
    drop(accounts);
    let good = fs::read(folder.path().join("accounts.redb")).expect("reads");
    let name = b"bobolink";
    let places = (0..good.len()).filter(|at| good[*at..].starts_with(name));
    let path = folder.path().join("altered.redb");
    let mut refused = 0;
    for at in places {
        let mut bad = good.clone();
        bad[at + 7] = b't';
        fs::write(&path, &bad).expect("writes");
        match open(&path) {
            // The damaged place was no longer in use.
            Ok(accounts) => assert_eq!(accounts.users(None, 10).expect("reads"), truth),
            Err(error) => {
                assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
}
