//! Rooms that a model has parked.

use crate::{
    Viewer,
    tests::testing::{Scene, room, settle, user},
};

#[tokio::test]
async fn nothing_is_shown_while_it_is_not_known_who_is_in_the_room() {
    let mut scene = Scene::new();
    let reader = scene.open().await;
    scene.create("a", "alice").await;
    scene.member("a", "bob", "join").await;
    scene.message("a", "alice").await;
    scene.garbage("a").await;
    scene.member("a", "bob", "ban").await;
    scene.message("a", "alice").await;
    settle(&reader).await;
    let view = reader.view();
    let sight = view.room(&room("a")).unwrap().sight(&Viewer::User(user("bob")));
    let seen: Vec<_> = (1..=10).filter(|sequence| sight.sees(*sequence)).collect();
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7], "the ban is not known, so nothing after");
}
