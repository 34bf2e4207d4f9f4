//! Account data: what is stored once, what is refused, and its bounds.

use rookery_domain::{
    Account, AccountCommand, AccountEvent, Bound, DataKey, JsonObject,
    limits::ACCOUNT_DATA_BYTES_MAX,
};
use serde_json::{Value, json};

fn key(room: Option<&str>, kind: &str) -> DataKey {
    let room_id = room.map(|room| room.try_into().unwrap());
    DataKey { room_id, kind: kind.to_owned() }
}

fn object(content: Value) -> JsonObject {
    match content {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

fn set(kind: &str, content: Value) -> AccountCommand {
    AccountCommand::SetData { key: key(None, kind), content: object(content) }
}

fn delete(kind: &str) -> AccountCommand {
    AccountCommand::DeleteData { key: key(None, kind) }
}

/// Carries out the command, and returns how many events it made or the code of its refusal.
fn carry_out(account: &mut Account, command: &AccountCommand) -> Result<usize, &'static str> {
    let events = account.decide(command).map_err(|rejection| rejection.code())?;
    for event in &events {
        account.evolve(event);
    }
    Ok(events.len())
}

#[test]
fn the_same_content_is_stored_once_and_deleted_once() {
    let mut account = Account::default();
    assert_eq!(carry_out(&mut account, &delete("a")), Ok(0));
    assert_eq!(carry_out(&mut account, &set("a", json!({ "x": 1, "y": [true] }))), Ok(1));
    assert_eq!(carry_out(&mut account, &set("a", json!({ "y": [true], "x": 1 }))), Ok(0));
    assert_eq!(carry_out(&mut account, &set("a", json!({ "x": 2 }))), Ok(1));
    assert_eq!(carry_out(&mut account, &delete("a")), Ok(1));
    assert_eq!(carry_out(&mut account, &delete("a")), Ok(0));
    assert_eq!(carry_out(&mut account, &set("a", json!({ "x": 2 }))), Ok(1));
}

#[test]
fn account_data_of_each_room_is_data_of_its_own() {
    let mut account = Account::default();
    let content = object(json!({ "x": 1 }));
    for room in [None, Some("!a:rook.example"), Some("!b:rook.example")] {
        let key = key(room, "com.example");
        let command = AccountCommand::SetData { key: key.clone(), content: content.clone() };
        let DataKey { room_id, kind } = key;
        let changed = AccountEvent::DataChanged { room_id, kind, content: content.clone() };
        assert_eq!(account.decide(&command), Ok(vec![changed.clone()]));
        account.evolve(&changed);
    }
    assert_eq!(carry_out(&mut account, &delete("com.example")), Ok(1));
    assert_eq!(account.data_stored(), 2, "that of the rooms stays");
}

#[test]
fn account_data_has_a_type_and_content_that_the_log_can_keep() {
    let mut account = Account::default();
    let nested = (0..65).fold(json!({}), |inside, _| json!({ "a": inside }));
    let long = "x".repeat(ACCOUNT_DATA_BYTES_MAX);
    for (kind, content, code) in [
        ("", json!({}), "INVALID_CONTENT"),
        ("a", json!({ "half": 0.5 }), "INVALID_CONTENT"),
        ("a", nested, "INVALID_CONTENT"),
        ("a", json!({ "a": long }), "TOO_LARGE"),
        ("m.ignored_user_list", json!({}), "RESERVED_TYPE"),
        ("m.direct", json!({}), "RESERVED_TYPE"),
    ] {
        assert_eq!(carry_out(&mut account, &set(kind, content)), Err(code), "{kind}");
    }
    assert_eq!(carry_out(&mut account, &set(&"a".repeat(256), json!({}))), Err("TOO_LARGE"));
    assert_eq!(carry_out(&mut account, &set(&"a".repeat(255), json!({}))), Ok(1));
}

#[test]
fn a_user_has_so_many_entries_of_account_data() {
    let mut account = Account::default();
    for number in 0..Bound::AccountData.max() {
        assert_eq!(carry_out(&mut account, &set(&number.to_string(), json!({}))), Ok(1));
    }
    let one_more = set("more", json!({}));
    assert_eq!(carry_out(&mut account, &one_more), Err("TOO_MUCH_ACCOUNT_DATA"));
    assert_eq!(carry_out(&mut account, &set("7", json!({ "x": 1 }))), Ok(1), "one of them");
    assert_eq!(carry_out(&mut account, &delete("7")), Ok(1));
    assert_eq!(carry_out(&mut account, &one_more), Ok(1));
}

#[test]
fn a_user_has_so_many_bytes_of_account_data() {
    // The type and the JSON around the text have ten bytes.
    let of_bytes = |kind: &str, bytes: usize| set(kind, json!({ "a": "x".repeat(bytes - 10) }));
    let mut account = Account::default();
    let (each, max) = (1 << 15, Bound::AccountDataBytes.max());
    for number in 0..max / each {
        let kind = format!("{number:02}");
        assert_eq!(carry_out(&mut account, &of_bytes(&kind, each)), Ok(1));
    }
    assert_eq!(carry_out(&mut account, &set("x", json!({}))), Err("TOO_MUCH_ACCOUNT_DATA"));
    let larger = of_bytes("07", each + 1);
    assert_eq!(carry_out(&mut account, &larger), Err("TOO_MUCH_ACCOUNT_DATA"));
    assert_eq!(carry_out(&mut account, &of_bytes("08", each - 1)), Ok(1));
    assert_eq!(carry_out(&mut account, &larger), Ok(1), "the room that the other one made");
}
