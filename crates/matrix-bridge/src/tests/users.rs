//! Profiles, account data, typing and presence.

use serde_json::{Value, json};

use super::home::{Home, NAME};

#[tokio::test]
async fn a_user_of_the_bridge_has_a_name_and_an_avatar() {
    let home = Home::open().await;
    home.register("irc_bob").await.ok();
    let path = |rest: &str| format!("profile/@irc_bob:{NAME}{rest}");
    let none = home.call_as("irc_bob", "GET", &path("/displayname"), Value::Null).await;
    assert_eq!(none.error(), (404, "M_NOT_FOUND"));
    let name = json!({ "displayname": "bob" });
    home.call_as("irc_bob", "PUT", &path("/displayname"), name.clone()).await.ok();
    let avatar = json!({ "avatar_url": "mxc://one.example/bob" });
    home.call_as("irc_bob", "PUT", &path("/avatar_url"), avatar.clone()).await.ok();
    let both = home.call_as("irc_bob", "GET", &path(""), Value::Null).await.ok();
    assert_eq!(both, json!({ "displayname": "bob", "avatar_url": "mxc://one.example/bob" }));
    let got = home.call_as("irc_bob", "GET", &path("/displayname"), Value::Null).await.ok();
    assert_eq!(got, name);
    let removed = json!({ "avatar_url": "" });
    home.call_as("irc_bob", "PUT", &path("/avatar_url"), removed).await.ok();
    let got = home.call_as("irc_bob", "GET", &path("/avatar_url"), Value::Null).await.ok();
    assert_eq!(got, json!({}));
    let foreign = home.call("PUT", &path("/displayname"), name).await;
    assert_eq!(foreign.error(), (403, "M_FORBIDDEN"));
    let other = home.call_as("irc_bob", "GET", &path("/pronouns"), Value::Null).await;
    assert_eq!(other.error(), (404, "M_UNRECOGNIZED"));
    home.close().await;
}

#[tokio::test]
async fn a_bridge_keeps_its_settings_in_account_data() {
    let home = Home::open().await;
    let room = home.room(json!({})).await;
    let own = format!("user/@bridge:{NAME}/account_data/irc");
    let of_room = format!("user/@bridge:{NAME}/rooms/{room}/account_data/irc");
    for (path, content) in [(&own, json!({ "a": [1] })), (&of_room, json!({ "b": null }))] {
        let missing = home.call("GET", path, Value::Null).await;
        assert_eq!(missing.error(), (404, "M_NOT_FOUND"));
        home.call("PUT", path, content.clone()).await.ok();
        assert_eq!(home.call("GET", path, Value::Null).await.ok(), content);
    }
    let foreign = format!("user/@ann:{NAME}/account_data/irc");
    assert_eq!(home.call("GET", &foreign, Value::Null).await.error(), (403, "M_FORBIDDEN"));
    home.close().await;
}

#[tokio::test]
async fn typing_and_presence_are_those_of_the_acting_user() {
    let home = Home::open().await;
    home.register("irc_bob").await.ok();
    let room = home.room(json!({})).await;
    let typing = |name: &str| format!("rooms/{room}/typing/@{name}:{NAME}");
    let on = json!({ "typing": true, "timeout": 5_000 });
    home.call("PUT", &typing("bridge"), on.clone()).await.ok();
    home.call("PUT", &typing("bridge"), json!({ "typing": false })).await.ok();
    let outside = home.call_as("irc_bob", "PUT", &typing("irc_bob"), on.clone()).await;
    assert_eq!(outside.error(), (403, "M_FORBIDDEN"));
    assert_eq!(home.call("PUT", &typing("irc_bob"), on).await.error(), (403, "M_FORBIDDEN"));
    let presence = |name: &str| format!("presence/@{name}:{NAME}/status");
    let online = json!({ "presence": "online", "status_msg": "in 3 networks" });
    home.call("PUT", &presence("bridge"), online).await.ok();
    let shown = home.call("GET", &presence("bridge"), Value::Null).await.ok();
    assert_eq!(
        (&shown["presence"], &shown["status_msg"]),
        (&json!("online"), &json!("in 3 networks"))
    );
    let stranger = home.call("GET", &presence("irc_bob"), Value::Null).await;
    assert_eq!(stranger.error(), (403, "M_FORBIDDEN"));
    let wrong = home.call("PUT", &presence("bridge"), json!({ "presence": "merry" })).await;
    assert_eq!(wrong.error(), (400, "M_INVALID_PARAM"));
    home.close().await;
}
