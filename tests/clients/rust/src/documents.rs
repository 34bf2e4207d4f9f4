//! The generated types of the documents, and the choice among them by name.

use crate::{Call, Failure, answer};

// The scalars of the schema; the documents need not use all of them.
type Cursor = String;
type DateTime = String;
type EventID = String;
type JSON = serde_json::Value;
type Long = u64;
type Position = String;
type RoomAlias = String;
type RoomID = String;
type ServerName = String;
type SyncCursor = String;
type URI = String;
type UserID = String;

include!(concat!(env!("OUT_DIR"), "/documents.rs"));

/// Executes a call with the types of its document.
pub(crate) async fn dispatch(url: &str, call: &Call) -> Result<(), Failure> {
    match call.head().1 {
        "Register" => answer::<Register>(url, call).await,
        "LogIn" => answer::<LogIn>(url, call).await,
        "CreateRoom" => answer::<CreateRoom>(url, call).await,
        "JoinRoom" => answer::<JoinRoom>(url, call).await,
        "SendMessage" => answer::<SendMessage>(url, call).await,
        "LogOut" => answer::<LogOut>(url, call).await,
        "Home" => answer::<Home>(url, call).await,
        "Older" => answer::<Older>(url, call).await,
        "Stream" => answer::<Stream>(url, call).await,
        name => Err(format!("no document is called {name}").into()),
    }
}
