//! Receipts as the members of a room see them.

use rookery_domain::{AccountEvent, Fact};
use rookery_log::{StreamId, StreamKind};
use rookery_projection::ReadMark;

use crate::tests::testing::{Scene, room, user};

async fn read(scene: &Scene, who: &str, sequence: u64, private: bool) {
    let event = AccountEvent::ReceiptMoved {
        room_id: room("tea"),
        event_id: format!("$event{sequence}").as_str().try_into().unwrap(),
        sequence,
        private,
    };
    let stream = StreamId::new(StreamKind::User, user(who).as_str());
    scene.append(stream, vec![Fact::Account(event).store([1; 16])]).await;
}

#[tokio::test]
async fn marks_never_go_backwards_and_private_ones_are_no_ones_business() {
    let mut scene = Scene::new();
    scene.create("tea", "alice").await;
    for _ in 0..6 {
        scene.message("tea", "alice").await;
    }
    scene.member("tea", "bob", "join").await;
    read(&scene, "bob", 8, false).await;
    read(&scene, "bob", 6, false).await;
    read(&scene, "bob", 10, true).await;
    let reader = scene.open().await;
    let view = reader.view();
    let tea = view.room(&room("tea")).unwrap();
    let marks = tea.read_marks(&user("bob")).unwrap();
    let number = |mark: &Option<ReadMark>| mark.as_ref().map(|mark| mark.sequence);
    assert_eq!((number(&marks.public), number(&marks.private)), (Some(8), Some(10)));
    let public: Vec<_> =
        tea.public_marks().map(|(user, mark)| (user.to_owned(), mark.sequence)).collect();
    assert_eq!(public, [(user("bob"), 8)]);
    assert_eq!(
        tea.unread(&user("bob")).messages,
        0,
        "what was said before the join does not count"
    );
}

#[tokio::test]
async fn the_marks_of_who_has_left_are_shown_no_more() {
    let mut scene = Scene::new();
    scene.create("tea", "alice").await;
    scene.member("tea", "bob", "join").await;
    read(&scene, "bob", 6, false).await;
    scene.member("tea", "bob", "leave").await;
    let reader = scene.open().await;
    let view = reader.view();
    assert_eq!(view.room(&room("tea")).unwrap().public_marks().count(), 0);
}
