//! Account data, in the form for clients.

use async_graphql::{ComplexObject, Context, Result, SimpleObject};
use rookery_domain::{JsonObject, RoomId};
use rookery_view::{DataEntry, WantedData};
use serde_json::value::to_raw_value;

use crate::{
    context::{app, page_size, session},
    reads::reads,
    types::{
        errors::fault::Fault,
        rooms::room::Room,
        values::{
            connection::{Page, connection, key},
            text::OwnedJsonText,
        },
    },
};

/// Account data on a page, by default.
pub const PAGE_DEFAULT: usize = 20;

/// Content that your clients have stored. Only you can see it.
#[derive(Clone, SimpleObject)]
pub struct AccountData {
    /// The type.
    #[graphql(name = "type")]
    kind: String,
    /// The content.
    content: OwnedJsonText,
}

impl AccountData {
    /// The account data of this type with this content.
    pub fn new(kind: String, content: &JsonObject) -> Result<Self, Fault> {
        let content = to_raw_value(content).map_err(|error| Fault::internal(&error.to_string()))?;
        Ok(Self { kind, content: OwnedJsonText(content) })
    }

    fn of(entry: &DataEntry) -> Option<Result<Self, Fault>> {
        Some(Self::new(entry.kind.clone(), entry.content()?))
    }
}

connection!(AccountDataConnection, AccountDataEdge, AccountData, "A page of your account data.");

/// The requested page of account data.
pub struct DataArguments {
    /// Only this type.
    pub kind: Option<String>,
    /// How many.
    pub first: Option<i32>,
    /// The cursor after which to continue.
    pub after: Option<String>,
}

/// A page of the viewer's account data about `room`, or about no room.
pub async fn page(
    context: &Context<'_>,
    room: Option<&RoomId>,
    arguments: DataArguments,
) -> Result<AccountDataConnection> {
    let DataArguments { kind, first, after } = arguments;
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let after = after.as_deref().map(key).transpose()?;
    let (kind, after) = (kind.as_deref(), after.as_deref());
    let found = read(context, WantedData { room, kind, after, limit: limit + 1 }).await?;
    let key = |data: &AccountData| data.kind.clone();
    Ok(AccountDataConnection(Page::read(found, limit, after.is_some(), key)))
}

async fn read(context: &Context<'_>, wanted: WantedData<'_>) -> Result<Vec<AccountData>> {
    let viewer = session(context).viewer()?;
    let reads = reads(context);
    let found = app(context).models.account_data(viewer, wanted, &reads).await;
    let found = reads.found(found)?.unwrap_or_default();
    Ok(found.iter().filter_map(AccountData::of).collect::<Result<_, _>>()?)
}

/// Your account data changed, on this device or on another one.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct AccountDataChanged {
    /// The type.
    #[graphql(name = "type")]
    pub kind: String,
}

#[ComplexObject]
impl AccountDataChanged {
    /// The account data of this type now. Null if it is deleted.
    async fn account_data(&self, context: &Context<'_>) -> Result<Option<AccountData>> {
        one(context, None, &self.kind).await
    }
}

/// Your account data about a room changed, on this device or on another one.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct RoomAccountDataChanged {
    /// The room.
    pub room: Room,
    /// The type.
    #[graphql(name = "type")]
    pub kind: String,
}

#[ComplexObject]
impl RoomAccountDataChanged {
    /// The account data of this type about the room now. Null if it is deleted.
    async fn account_data(&self, context: &Context<'_>) -> Result<Option<AccountData>> {
        one(context, Some(self.room.matrix_id()), &self.kind).await
    }
}

async fn one(
    context: &Context<'_>,
    room: Option<&RoomId>,
    kind: &str,
) -> Result<Option<AccountData>> {
    let wanted = WantedData { room, kind: Some(kind), after: None, limit: 1 };
    Ok(read(context, wanted).await?.pop())
}
