//! The listener receives the end of each session, for every reason.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{Accounts, Login, Millis, Password, SessionListener, testing::*};

#[derive(Default)]
struct Heard(Mutex<Vec<(String, String)>>);

impl SessionListener for Heard {
    fn ended(&self, user_id: &str, device_id: &str) {
        self.0.lock().push((user_id.into(), device_id.into()));
    }
}

impl Heard {
    fn of(accounts: &Accounts) -> Arc<Self> {
        let heard = Arc::new(Self::default());
        accounts.listen(heard.clone());
        heard
    }

    fn take(&self) -> Vec<(String, String)> {
        let mut heard = std::mem::take(&mut *self.0.lock());
        heard.sort_unstable();
        heard
    }
}

fn ada(device: &str) -> (String, String) {
    ("@ada:example.org".into(), device.into())
}

#[tokio::test]
async fn each_way_of_ending_a_session_is_heard_before_it_answers() {
    let (_folder, accounts) = accounts();
    let heard = Heard::of(&accounts);
    let first = accounts.registered("ada").await;
    // A session that was never used is not in memory.
    accounts.remove_device("ada", &first.device_id).await.expect("removes");
    assert_eq!(heard.take(), [ada(&first.device_id)]);
    let second = accounts.logged_in("ada").await;
    assert!(accounts.who(&second, NOW).is_some(), "one that is in memory");
    let again = Login { device_id: Some(second.device_id.clone()), ..credentials("ada", PASSWORD) };
    accounts.login(again, NOW).await.expect("logs in");
    assert_eq!(heard.take(), [ada(&second.device_id)], "the device has another token");
    accounts.logout_all("ada").await.expect("logs out");
    assert_eq!(heard.take(), [ada(&second.device_id)]);
    let third = accounts.logged_in("ada").await;
    accounts.set_password("ada", Password::new(PASSWORD), true).await.expect("sets");
    assert_eq!(heard.take(), [ada(&third.device_id)]);
    let fourth = accounts.logged_in("ada").await;
    let adopted = vec![("ada".to_owned(), fourth.device_id.clone())];
    accounts.adopt(Vec::new(), adopted, NOW).await.expect("adopts");
    assert_eq!(heard.take(), [ada(&fourth.device_id)]);
    let fifth = accounts.logged_in("ada").await;
    accounts.deactivate("ada", NOW).await.expect("deactivates");
    assert_eq!(heard.take(), [ada(&fifth.device_id)]);
}

#[tokio::test]
async fn the_end_of_a_token_that_expires_is_heard() {
    let (_folder, accounts) = accounts_with(expiring(1_000));
    let heard = Heard::of(&accounts);
    let session = accounts.registered("ada").await;
    accounts.maintain(later(999)).await.expect("maintains");
    assert_eq!(heard.take(), []);
    accounts.maintain(Millis(NOW.0 + 1_000)).await.expect("maintains");
    assert_eq!(heard.take(), [ada(&session.device_id)]);
}
