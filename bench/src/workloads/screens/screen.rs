//! The screens of a client, and their durations.

use std::time::Instant;

use serde_json::{Value, json};

use crate::{Error, http::Connection, stats::Samples};

/// The home screen: a page of rooms with the content of a room list.
pub(in crate::workloads) const HOME: &str = "{ initialSync(first: 20) { position next rooms {
    roomId name memberCount
    lastMessage { eventId text sentAt sender { userId displayName } } } } }";

/// A page of a conversation.
pub(in crate::workloads) const PAGE: &str = "query($room: RoomID!, $last: Int!, $before: Cursor) {
    room(by: { roomId: $room }) { timeline(last: $last, before: $before) {
        nodes { eventId type text sentAt sequence sender { userId displayName } previousContent }
        pageInfo { startCursor hasPreviousPage } } } }";

/// Requests all of these in turn, `count` times in all, one at a time.
pub(in crate::workloads) async fn ask_in_turn(
    connection: &mut Connection,
    requests: &[Vec<u8>],
    count: usize,
) -> Result<Samples, Error> {
    let mut samples = Samples::default();
    for request in requests.iter().cycle().take(count) {
        let begun = Instant::now();
        let answer = connection.ask(request).await?;
        samples.push(begun.elapsed());
        if memchr::memmem::find(answer, br#""errors""#).is_some() {
            return Err(String::from_utf8_lossy(answer).into());
        }
    }
    Ok(samples)
}

/// The variables of [`PAGE`].
pub(in crate::workloads) fn page(room: &str, last: usize, before: &Value) -> Value {
    json!({ "room": room, "last": last, "before": before })
}

/// Scrolls back over `events` events in pages of up to 100; returns the cursor there.
pub(in crate::workloads) async fn scroll(
    connection: &mut Connection,
    token: &str,
    room: &str,
    mut before: Value,
    mut events: usize,
) -> Result<Value, Error> {
    while events > 0 {
        let last = events.min(100);
        let answer = connection.run(token, PAGE, &page(room, last, &before)).await?;
        let timeline = &answer["room"]["timeline"];
        let found = timeline["nodes"].as_array().map_or(0, Vec::len);
        if found < last {
            return Err(format!("a page has {found} events instead of {last}").into());
        }
        before = timeline["pageInfo"]["startCursor"].clone();
        events -= last;
    }
    Ok(before)
}
