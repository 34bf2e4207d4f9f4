//! Events of several servers: for any result of state resolution, and any time at which clients
//! read, the models and all followers reach the state of the events themselves.

mod follow;
mod story;

use proptest::{collection::vec, prelude::*};
use rookery_domain::Membership;
use rookery_log::Position;
use rookery_view::{Anchor, Viewer, Wanted};

use self::{
    follow::Client,
    story::{Story, USERS, act},
};
use crate::tests::testing::{room, settle, user};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn models_have_the_state_that_the_events_come_to(acts in vec(act(), 1..40)) {
        block_on(async {
            let mut story = Story::begin().await;
            let models = story.scene.open().await;
            for act in &acts {
                story.play(act).await;
                settle(&models).await;
                story.check_models(&models);
            }
            story.check_timeline(&models).await;
            assert_eq!(models.models().verify(|_| {}).await.unwrap(), []);
            let live = models.models().digest().await.unwrap();
            models.models().save().await.unwrap();
            drop(models);
            assert_eq!(story.scene.open().await.models().digest().await.unwrap(), live);
        });
    }

    #[test]
    fn whoever_follows_ends_with_the_state_of_the_room(
        acts in vec((act(), 0usize..8), 1..60),
    ) {
        block_on(async {
            let mut story = Story::begin().await;
            let models = story.scene.open().await;
            let mut clients: Vec<_> = USERS.iter().map(|name| Client::new(name)).collect();
            let mut restless: Vec<_> = USERS.iter().map(|name| Client::new(name)).collect();
            for (act, who) in &acts {
                story.play(act).await;
                settle(&models).await;
                // One client reads now and then, after a cut; the others wait.
                if let Some(client) = restless.get_mut(*who) {
                    client.resume(&models);
                    client.catch_up(&models, &story).await;
                    client.check_end(&story);
                }
            }
            for client in restless.iter_mut().chain(&mut clients) {
                client.catch_up(&models, &story).await;
                client.check_end(&story);
            }
            for (one, other) in restless.iter().zip(&clients) {
                assert_eq!(one.told, other.told, "cuts change nothing");
            }
        });
    }
}

#[tokio::test]
async fn soft_failed_and_rejected_events_are_shown_nowhere() {
    let mut story = Story::begin().await;
    story.scene.message("a", "alice").await;
    let hidden = story.scene.hidden("a").await;
    let models = story.scene.open().await;
    let alice = Viewer::User(user("alice"));
    let before = models.view().room(&room("a")).unwrap().summary().last_message;
    for event in &hidden {
        for viewer in [&alice, &Viewer::Server] {
            assert!(models.reader().event(event, viewer).await.unwrap().is_none(), "by its ID");
            assert!(
                models.reader().around(&room("a"), viewer, event, 3, None).await.is_err(),
                "as a permalink"
            );
            let wanted = Wanted { anchor: Anchor::End, limit: 100, filter: None, until: None };
            let page = models.reader().timeline(&room("a"), viewer, wanted).await.unwrap();
            assert!(page.events.iter().all(|found| found.event().pdu.event_id != **event));
        }
    }
    let view = models.view();
    let found = view.room(&room("a")).unwrap();
    let last = found.row(before.unwrap()).unwrap().unwrap();
    assert!(!last.flags.is_hidden(), "the last message is another one");
    assert_eq!(found.summary().name.as_deref(), Some("a"), "and so is the name");
    assert_eq!(found.joined_count(), 1);
    assert_eq!(view.membership(&room("a"), &user("dan")), Membership::None);
    for (_, _, key) in found.state_all() {
        assert!(!found.row(key).unwrap().unwrap().flags.is_hidden());
    }
    drop(view);
    let mut client = Client::new("alice");
    client.catch_up(&models, &story).await;
    let told: Vec<_> = client.told.iter().filter(|told| told.contains("Hidden")).collect();
    assert_eq!(told.len(), hidden.len(), "told as numbers that are skipped: {:?}", client.told);
    for event in &hidden {
        assert!(client.told.iter().all(|told| !told.contains(event.as_str())));
    }
}

#[tokio::test]
async fn event_of_a_commit_that_names_what_the_log_does_not_have_parks_its_room() {
    use rookery_domain::{EventStatus, Holder, SlotChange};
    let mut story = Story::begin().await;
    let event = story.scene.event("a", "bob", "m.room.message", None, &serde_json::json!({}), 0);
    let change = SlotChange {
        kind: "m.room.name".into(),
        state_key: String::new(),
        holder: Some(Holder {
            event_id: "$elsewhere".try_into().unwrap(),
            position: Some(1),
            index: 0,
        }),
    };
    let position = story.scene.receive("a", event, EventStatus::Accepted, Some(vec![change])).await;
    let models = story.scene.open().await;
    let view = models.view();
    let parked = view.parked();
    assert_eq!(parked[0].position, position);
    assert!(parked[0].reason.contains("$elsewhere"), "{}", parked[0].reason);
    assert_ne!(view.position(), Position::ORIGIN);
}
