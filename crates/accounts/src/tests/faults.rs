//! A disk that fails, fills up and recovers.

use std::{
    fs::File,
    io,
    ops::Bound,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use redb::{BackendError, Builder, Database, DatabaseError, StorageBackend, backends::FileBackend};
use tempfile::TempDir;

use crate::{
    Accounts, LoginError, MaybeUnavailable as _, RegisterError, Unavailable,
    file::disk::{Disk, Room},
    testing::*,
};

/// The faults of the disk.
#[derive(Clone, Debug, Default)]
struct Faults(Arc<Switches>);

#[derive(Debug)]
struct Switches {
    writes_fail: AtomicBool,
    read_only: AtomicBool,
    free_bytes: AtomicU64,
    /// How many syncs succeed before one fails and the disk works again.
    syncs_before_fault: AtomicI64,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            writes_fail: false.into(),
            read_only: false.into(),
            free_bytes: u64::MAX.into(),
            syncs_before_fault: i64::MAX.into(),
        }
    }
}

fn failed() -> io::Error {
    io::Error::other("the disk fails")
}

impl Disk for Faults {
    fn room(&self, _folder: &Path) -> io::Result<Room> {
        Ok(Room {
            free_bytes: self.0.free_bytes.load(Ordering::SeqCst),
            read_only: self.0.read_only.load(Ordering::SeqCst),
        })
    }

    fn open(&self, builder: &Builder, path: &Path, _make: bool) -> Result<Database, DatabaseError> {
        let file = File::options().read(true).write(true).open(path)?;
        let file = FileBackend::new(file)?;
        builder.create_with_backend(FaultyFile { file, faults: self.clone() })
    }
}

/// A file on a faulty disk.
#[derive(Debug)]
struct FaultyFile {
    file: FileBackend,
    faults: Faults,
}

impl StorageBackend for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        match self.faults.0.syncs_before_fault.fetch_sub(1, Ordering::SeqCst) {
            0 => Err(failed()),
            _ => self.file.sync_data(),
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.faults.0.writes_fail.load(Ordering::SeqCst) {
            return Err(failed());
        }
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }
}

fn on_faulty_disk() -> (TempDir, Faults, Accounts) {
    let (folder, faults) = (tempfile::tempdir().expect("a folder"), Faults::default());
    let path = folder.path().join("accounts.redb");
    let accounts = Accounts::open_on(&path, "example.org", options(), Box::new(faults.clone()));
    (folder, faults, accounts.expect("opens"))
}

/// Waits until the file is open, with a time limit.
fn until_writable(accounts: &Accounts) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while accounts.check_writable().is_err() {
        assert!(Instant::now() < deadline, "the accounts do not come back");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn fault(error: &LoginError) -> &Unavailable {
    error.unavailable().unwrap_or_else(|| panic!("not a fault: {error:?}"))
}

#[tokio::test]
async fn a_disk_that_fails_and_recovers_costs_no_restart() {
    let (_folder, faults, accounts) = on_faulty_disk();
    let ada = accounts.registered("ada").await;
    faults.0.writes_fail.store(true, Ordering::SeqCst);
    let refused = accounts.try_login("ada", PASSWORD).await.expect_err("the disk fails");
    fault(&refused);
    faults.0.writes_fail.store(false, Ordering::SeqCst);
    until_writable(&accounts);
    assert!(accounts.try_login("ada", PASSWORD).await.is_ok());
    assert!(accounts.try_register("bob").await.is_ok());
    assert!(accounts.who(&ada, NOW).is_some());
    accounts.remove_device("ada", &ada.device_id).await.expect("logs out");
}

#[tokio::test]
async fn while_the_file_is_closed_nothing_is_executed_or_counted_as_a_wrong_password() {
    let (_folder, faults, accounts) = on_faulty_disk();
    accounts.registered("ada").await;
    faults.0.writes_fail.store(true, Ordering::SeqCst);
    for _ in 0..50 {
        let refused = accounts.try_login("ada", PASSWORD).await.expect_err("the disk fails");
        fault(&refused);
    }
    let refused = accounts.try_login("ada", PASSWORD).await.expect_err("the disk fails");
    assert!(!fault(&refused).outcome_unknown, "{refused:?}");
    let refused = accounts.try_register("bob").await;
    assert!(matches!(refused, Err(RegisterError::Unavailable(_))), "{refused:?}");
    faults.0.writes_fail.store(false, Ordering::SeqCst);
    until_writable(&accounts);
    assert!(!accounts.exists("bob").expect("reads"));
    assert_eq!(accounts.devices("ada").expect("reads").len(), 1);
    assert!(accounts.try_login("ada", PASSWORD).await.is_ok(), "no attempt was counted");
}

#[tokio::test]
async fn a_full_or_read_only_disk_refuses_changes_and_reads_go_on() {
    let (_folder, faults, accounts) = on_faulty_disk();
    let ada = accounts.registered("ada").await;
    for full in [true, false] {
        let (free, read_only) = (&faults.0.free_bytes, &faults.0.read_only);
        free.store(if full { 4_096 } else { u64::MAX }, Ordering::SeqCst);
        read_only.store(!full, Ordering::SeqCst);
        // A write would fail here.
        faults.0.writes_fail.store(true, Ordering::SeqCst);
        for _ in 0..20 {
            let refused = accounts.try_login("ada", PASSWORD).await.expect_err("refused");
            assert!(!fault(&refused).outcome_unknown);
        }
        assert!(accounts.check_writable().is_err());
        assert!(accounts.who(&ada, NOW).is_some());
        assert!(accounts.exists("ada").expect("reads go on"));
        faults.0.writes_fail.store(false, Ordering::SeqCst);
        free.store(u64::MAX, Ordering::SeqCst);
        read_only.store(false, Ordering::SeqCst);
        assert!(accounts.try_login("ada", PASSWORD).await.is_ok(), "at once");
    }
}

#[tokio::test]
async fn memory_says_what_the_file_says_wherever_a_change_was_broken_off() {
    let mut unknown = 0;
    for syncs in 0..6 {
        let (_folder, faults, accounts) = on_faulty_disk();
        let ada = accounts.registered("ada").await;
        let who = accounts.who(&ada, NOW).expect("is in");
        faults.0.syncs_before_fault.store(syncs, Ordering::SeqCst);
        let removed = accounts.remove_device("ada", &ada.device_id).await;
        faults.0.syncs_before_fault.store(i64::MAX, Ordering::SeqCst);
        until_writable(&accounts);
        let stored = !accounts.devices("ada").expect("reads").is_empty();
        assert_eq!(accounts.who(&ada, NOW).is_some(), stored, "after {syncs} syncs");
        assert_eq!(who.revocation().is_none(), stored, "after {syncs} syncs");
        match removed {
            Ok(()) => assert!(!stored),
            Err(error) => {
                let fault = error.unavailable().expect("a fault");
                assert!(stored || fault.outcome_unknown, "{fault:?}");
                unknown += usize::from(fault.outcome_unknown);
            }
        }
    }
    assert!(unknown > 0, "no sync of a commit failed");
}

#[tokio::test]
async fn a_file_that_is_gone_is_not_made_again() {
    let (folder, faults, accounts) = on_faulty_disk();
    let path = folder.path().join("accounts.redb");
    accounts.registered("ada").await;
    faults.0.writes_fail.store(true, Ordering::SeqCst);
    std::fs::rename(&path, folder.path().join("aside")).expect("moves");
    accounts.try_login("ada", PASSWORD).await.expect_err("the disk fails");
    faults.0.writes_fail.store(false, Ordering::SeqCst);
    accounts.maintain(NOW).await.expect_err("there is no file");
    let refused = accounts.try_register("ada").await.expect_err("nobody takes the name");
    assert!(matches!(refused, RegisterError::Unavailable(_)), "{refused:?}");
    assert!(!path.exists());
    std::fs::rename(folder.path().join("aside"), &path).expect("moves");
    until_writable(&accounts);
    let refused = accounts.try_register("ada").await.expect_err("the name is taken");
    assert_eq!(refused, RegisterError::Taken);
}
