//! Profiles: the name and the avatar of each user.

use rookery_domain::{AccountEvent, Fact, Profile};
use rookery_log::StreamKind;

use crate::Committed;
use crate::models::{Fold, StreamKey, Unfit};

impl Fold for Profile {
    const NAME: &'static str = "profiles";
    const VERSION: u32 = 1;
    const KIND: StreamKind = StreamKind::User;
    type Shared = ();

    fn apply(&mut self, _: StreamKey, committed: &Committed, (): &mut ()) -> Result<(), Unfit> {
        for fact in committed.facts.iter().flatten() {
            if let Fact::Account(AccountEvent::ProfileChanged { displayname, avatar_url }) = fact {
                self.displayname.clone_from(displayname);
                self.avatar_url.clone_from(avatar_url);
            }
        }
        Ok(())
    }
}
