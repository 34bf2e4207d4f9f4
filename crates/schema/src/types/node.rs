//! Objects by their global IDs: `Node` of the Relay specification.

use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ID, OutputType, Positioned, Result, ServerResult,
    Value,
    indexmap::{IndexMap, IndexSet},
    parser::types::Field,
    registry::{MetaType, MetaTypeId, Registry},
    resolver_utils::{Fields, resolve_container},
};
use rookery_values::{interface, node_id::NodeId};

use crate::{
    context::{app, session, unless_absent},
    reads::reads,
    types::{
        calls::call::Call,
        errors::fault::Fault,
        events::{
            event::{RoomEvent, one_event},
            typed::TypedEvent,
        },
        rooms::room::Room,
        users::user::User,
    },
};

const DESCRIPTION: &str = "An object that can be fetched again by its global ID.";

/// An object that can be fetched again by its global ID.
pub enum Node {
    /// A room.
    Room(Room),
    /// A room event.
    Event(TypedEvent),
    /// A user.
    User(User),
    /// A call.
    Call(Call),
}

impl OutputType for Node {
    fn type_name() -> Cow<'static, str> {
        "Node".into()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        match self {
            Self::Room(_) => Room::type_name(),
            Self::Event(event) => event.introspection_type_name(),
            Self::User(_) => User::type_name(),
            Self::Call(_) => Call::type_name(),
        }
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Interface, |registry| {
            let mut possible_types = IndexSet::from([Room::type_name().into_owned()]);
            if let MetaType::Interface { possible_types: events, .. } =
                registry.create_fake_output_type::<TypedEvent>()
            {
                possible_types.extend(events);
            }
            possible_types.insert(User::type_name().into_owned());
            possible_types.insert(Call::type_name().into_owned());
            let mut fields = IndexMap::new();
            if let MetaType::Object { fields: mut all, .. } =
                registry.create_fake_output_type::<User>()
                && let Some(mut id) = all.swap_remove("id")
            {
                id.description = Some("The global ID of the object.".to_owned());
                id.directive_invocations.clear();
                fields.insert("id".to_owned(), id);
            }
            Room::create_type_info(registry);
            Call::create_type_info(registry);
            for object in [Room::type_name(), User::type_name(), Call::type_name()] {
                registry.add_implements(&object, "Node");
            }
            interface::<Self>(DESCRIPTION, fields, possible_types)
        })
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        resolve_container(context, self).await
    }
}

impl ContainerType for Node {
    async fn resolve_field(&self, context: &Context<'_>) -> ServerResult<Option<Value>> {
        match self {
            Self::Room(room) => room.resolve_field(context).await,
            Self::Event(event) => event.resolve_field(context).await,
            Self::User(user) => user.resolve_field(context).await,
            Self::Call(call) => call.resolve_field(context).await,
        }
    }

    fn collect_all_fields<'a>(
        &'a self,
        context: &ContextSelectionSet<'a>,
        fields: &mut Fields<'a>,
    ) -> ServerResult<()> {
        match self {
            Self::Room(room) => room.collect_all_fields(context, fields),
            Self::Event(event) => event.collect_all_fields(context, fields),
            Self::User(user) => user.collect_all_fields(context, fields),
            Self::Call(call) => call.collect_all_fields(context, fields),
        }
    }
}

/// Fetches an object, if the viewer may see it.
pub async fn node(context: &Context<'_>, id: &ID) -> Result<Option<Node>> {
    Ok(match NodeId::of_text(id).ok_or_else(|| malformed(id))? {
        NodeId::Room(room) => Room::visible(context, room)?.map(Node::Room),
        NodeId::User(user) => User::existing(context, user)?.map(Node::User),
        NodeId::Event(event) => {
            let viewer = session(context).viewpoint()?;
            let found = one_event(context, &event, &viewer).await?;
            let event = found.and_then(|(_, event)| RoomEvent::of_timeline(&event));
            event.map(|event| Node::Event(event.into()))
        }
        NodeId::Call(invite) => {
            let viewer = session(context).viewer()?;
            reads(context).pause().await?;
            let found = app(context).models.call_by_invite(&invite, viewer).await;
            unless_absent(found)?.flatten().map(|call| Node::Call(call.into()))
        }
    })
}

/// The error for a text that is no global ID.
fn malformed(id: &ID) -> Fault {
    let query = match NodeId::of_matrix_id(id.to_string()) {
        Some(NodeId::Room(_)) => "a room ID: use `room(by: { roomId: ... })`",
        Some(NodeId::Event(_)) => "an event ID: use `event(eventId: ...)`",
        Some(NodeId::User(_)) => "a user ID: use `user(userId: ...)`",
        Some(NodeId::Call(_)) | None => {
            return Fault::bad_input("`id` is not a global ID of this server");
        }
    };
    Fault::bad_input(format!("`id` is not a global ID but {query}"))
}
