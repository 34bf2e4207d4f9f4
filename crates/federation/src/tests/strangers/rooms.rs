//! Rooms that let some servers not take part.

use rookery_domain::RoomCommand;
use serde_json::{Value, json};

use super::{
    super::{pair::texts, world::now},
    forge::Forge,
};
use crate::paths::percent;

async fn set_acl(forge: &Forge, content: Value) {
    let content = serde_json::from_value(content).unwrap();
    let set = RoomCommand::SetState {
        event_type: "m.room.server_acl".to_owned(),
        state_key: String::new(),
        content,
    };
    forge.here.server.act("ann", &forge.room, &set, now()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_a_room_excludes_neither_writes_nor_reads_there() {
    let forge = Forge::open().await;
    set_acl(&forge, json!({ "allow": ["*"], "deny": ["localhost"] })).await;
    let (id, event) = forge.event(json!({}));
    let outcomes = forge.send(&event).await;
    let error = outcomes[id.as_str()]["error"].as_str().unwrap();
    assert!(error.contains("does not let your server take part"), "{error}");
    let (room, join) = (percent(forge.room.as_str()), percent(forge.join.as_str()));
    let user = percent(forge.peer.user().as_str());
    for path in [
        format!("/_matrix/federation/v1/event_auth/{room}/{join}"),
        format!("/_matrix/federation/v1/state/{room}?event_id={join}"),
        format!("/_matrix/federation/v1/state_ids/{room}?event_id={join}"),
        format!("/_matrix/federation/v1/backfill/{room}?v={join}&limit=10"),
        format!("/_matrix/federation/v1/make_join/{room}/{user}?ver=12"),
        format!("/_matrix/federation/v1/make_leave/{room}/{user}"),
        format!("/_matrix/federation/v1/make_knock/{room}/{user}?ver=12"),
    ] {
        let (status, body) = forge.peer.ask(&forge.here, "GET", &path, None).await;
        assert_eq!(
            (status, body["errcode"].as_str()),
            (403, Some("M_FORBIDDEN")),
            "{path}: {body}"
        );
    }
    assert_eq!(texts(&forge.here, &forge.room).await, Vec::<String>::new());
    // Let in again, it sends the same event.
    set_acl(&forge, json!({ "allow": ["*"] })).await;
    assert_eq!(forge.send(&event).await, json!({ id.as_str(): {} }));
    assert_eq!(texts(&forge.here, &forge.room).await, ["hello"]);
}
