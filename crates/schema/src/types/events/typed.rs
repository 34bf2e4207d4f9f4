//! The types of events: an object for each, and `RoomEvent`, the interface of all.
//!
//! **Invariant:** the fields of the interface are those of `EventFields`, which every object has.
//! There is no second list of them.
//! **Invariant:** an event whose form is not that of its type is an `OtherEvent`.

use std::{any::type_name, borrow::Cow, sync::Arc};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult,
    UnionType, Value,
    indexmap::{IndexMap, IndexSet},
    parser::types::Field,
    registry::{MetaType, MetaTypeId, Registry},
    resolver_utils::Fields,
};
use rookery_domain::{OwnedUserId, TimelineEventType};

use super::{
    content::EventContent,
    event::RoomEvent,
    fields::EventFields,
    message::{MessageFields, ReactionFields, RedactionFields},
    state::{
        AliasFields, AvatarFields, CreateFields, HistoryVisibilityFields, JoinRulesFields,
        MemberFields, PowerLevelsFields, RoomNameFields, TombstoneFields, TopicFields,
    },
};

use crate::types::{
    calls::{event::CallFields, kinds::CallStep},
    values::{eager::resolve_object, interface},
};

/// The name of the interface of all events.
const INTERFACE: &str = "RoomEvent";

const DESCRIPTION: &str = "An event of a room: a message, or a change of the room's state.";

/// Defines the objects, and the enum of all of them.
///
/// An object has the fields of `EventFields` and its own, as a `MergedObject` would. It resolves
/// them without the futures and tasks that a `MergedObject` puts around each field.
macro_rules! typed_events {
    ($($(#[doc = $doc:literal])* $name:ident($($own:ty)?);)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone)]
            pub struct $name(EventFields $(, $own)?);

            impl OutputType for $name {
                fn type_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn create_type_info(registry: &mut Registry) -> String {
                    registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
                        let own = [$(registry.create_fake_output_type::<$own>())?];
                        let common = registry.create_fake_output_type::<EventFields>();
                        event_object::<Self>(concat!($($doc, "\n"),*), own, common)
                    })
                }

                async fn resolve(
                    &self,
                    context: &ContextSelectionSet<'_>,
                    _field: &Positioned<Field>,
                ) -> ServerResult<Value> {
                    resolve_object(context, self).await
                }
            }

            impl ContainerType for $name {
                async fn resolve_field(&self, context: &Context<'_>) -> ServerResult<Option<Value>> {
                    let found = self.0.resolve_field(context).await;
                    $(
                        let own: &$own = &self.1;
                        let found = match found {
                            Ok(None) => own.resolve_field(context).await,
                            found => found,
                        };
                    )?
                    found
                }
            }

            impl ObjectType for $name {}
        )*

        /// An event with the fields of its type.
        #[derive(Clone)]
        pub enum TypedEvent {
            $($(#[doc = $doc])* $name($name),)*
        }

        impl OutputType for TypedEvent {
            fn type_name() -> Cow<'static, str> {
                INTERFACE.into()
            }

            fn introspection_type_name(&self) -> Cow<'static, str> {
                match self {
                    $(Self::$name(_) => <$name as OutputType>::type_name(),)*
                }
            }

            fn create_type_info(registry: &mut Registry) -> String {
                registry.create_output_type::<Self, _>(MetaTypeId::Interface, |registry| {
                    // Before the objects, which take their fields from it.
                    let common = registry.create_fake_output_type::<EventFields>();
                    let objects = [$(
                        {
                            <$name as OutputType>::create_type_info(registry);
                            <$name as OutputType>::type_name().into_owned()
                        },
                    )*];
                    event_interface(registry, common, objects.into_iter().collect())
                })
            }

            /// Resolves the object, since the interface would only add futures around its fields.
            async fn resolve(
                &self,
                context: &ContextSelectionSet<'_>,
                field: &Positioned<Field>,
            ) -> ServerResult<Value> {
                match self {
                    $(Self::$name(event) => event.resolve(context, field).await,)*
                }
            }
        }

        impl ContainerType for TypedEvent {
            // Boxed: fifteen futures in one would make each field of each event as large as the largest.
            async fn resolve_field(&self, context: &Context<'_>) -> ServerResult<Option<Value>> {
                match self {
                    $(Self::$name(event) => Box::pin(event.resolve_field(context)).await,)*
                }
            }

            fn collect_all_fields<'a>(
                &'a self,
                context: &ContextSelectionSet<'a>,
                fields: &mut Fields<'a>,
            ) -> ServerResult<()> {
                match self {
                    $(Self::$name(event) => event.collect_all_fields(context, fields),)*
                }
            }
        }
    };
}

typed_events! {
    /// A message.
    MessageEvent(MessageFields);
    /// A reaction to an event.
    ReactionEvent(ReactionFields);
    /// A redaction of an event.
    RedactionEvent(RedactionFields);
    /// A user's membership in the room changed, or their name or avatar there.
    MemberEvent(MemberFields);
    /// The room has a new name.
    RoomNameEvent(RoomNameFields);
    /// The room has a new topic.
    TopicEvent(TopicFields);
    /// The room has a new avatar.
    AvatarEvent(AvatarFields);
    /// The room has new aliases.
    AliasEvent(AliasFields);
    /// Users may join the room in another way.
    JoinRulesEvent(JoinRulesFields);
    /// Other users may read later events.
    HistoryVisibilityEvent(HistoryVisibilityFields);
    /// The power levels of the room changed.
    PowerLevelsEvent(PowerLevelsFields);
    /// The room was created.
    CreateEvent(CreateFields);
    /// Another room replaces this one.
    TombstoneEvent(TombstoneFields);
    /// A step of a call.
    CallEvent(CallFields);
    /// An event of another type, or one whose form is not that of its type: see `type` and
    /// `content`.
    OtherEvent();
}

/// The object `T`, with the fields of the common object and its own.
fn event_object<T: OutputType>(
    documentation: &str,
    own: impl IntoIterator<Item = MetaType>,
    mut object: MetaType,
) -> MetaType {
    if let MetaType::Object { name, description, fields, rust_typename, .. } = &mut object {
        *name = T::type_name().into_owned();
        let lines = documentation.lines().map(str::trim);
        *description = Some(lines.collect::<Vec<_>>().join("\n").trim().to_owned());
        *rust_typename = Some(type_name::<T>());
        for own in own {
            if let MetaType::Object { fields: own, .. } = own {
                fields.extend(own);
            }
        }
    }
    object
}

/// The interface of `objects`, with the fields of `common`.
fn event_interface(
    registry: &mut Registry,
    common: MetaType,
    objects: IndexSet<String>,
) -> MetaType {
    let mut fields = match common {
        MetaType::Object { fields, .. } => fields,
        _ => IndexMap::default(),
    };
    for field in fields.values_mut() {
        field.directive_invocations.clear();
    }
    registry.add_implements(INTERFACE, "Node");
    for object in &objects {
        registry.add_implements(object, INTERFACE);
        registry.add_implements(object, "Node");
    }
    interface::<TypedEvent>(DESCRIPTION, fields, objects)
}

impl From<RoomEvent> for TypedEvent {
    fn from(event: RoomEvent) -> Self {
        use TimelineEventType as Kind;
        let pdu = Arc::clone(&event.pdu);
        let (common, content) = (EventFields(event), EventContent::of(&pdu));
        match (&pdu.kind, pdu.state_key.as_deref()) {
            (Kind::RoomMessage, None) => {
                Self::MessageEvent(MessageEvent(common, MessageFields(content)))
            }
            (Kind::Reaction, None) => {
                Self::ReactionEvent(ReactionEvent(common, ReactionFields(content)))
            }
            (Kind::RoomRedaction, None) => {
                Self::RedactionEvent(RedactionEvent(common, RedactionFields(content)))
            }
            (Kind::RoomMember, Some(user)) => match OwnedUserId::try_from(user) {
                Ok(user) => Self::MemberEvent(MemberEvent(common, MemberFields { content, user })),
                Err(_) => Self::OtherEvent(OtherEvent(common)),
            },
            (kind, Some("")) => Self::setting(kind, common, content),
            (kind, None) => match CallStep::of(kind) {
                Some(step) => Self::CallEvent(CallEvent(common, CallFields { content, step })),
                None => Self::OtherEvent(OtherEvent(common)),
            },
            _ => Self::OtherEvent(OtherEvent(common)),
        }
    }
}

impl TypedEvent {
    /// State with an empty state key.
    fn setting(kind: &TimelineEventType, common: EventFields, content: EventContent) -> Self {
        use TimelineEventType as Kind;
        match kind {
            Kind::RoomName => Self::RoomNameEvent(RoomNameEvent(common, RoomNameFields(content))),
            Kind::RoomTopic => Self::TopicEvent(TopicEvent(common, TopicFields(content))),
            Kind::RoomAvatar => Self::AvatarEvent(AvatarEvent(common, AvatarFields(content))),
            Kind::RoomCanonicalAlias => Self::AliasEvent(AliasEvent(common, AliasFields(content))),
            Kind::RoomJoinRules => {
                Self::JoinRulesEvent(JoinRulesEvent(common, JoinRulesFields(content)))
            }
            Kind::RoomHistoryVisibility => {
                let own = HistoryVisibilityFields(content);
                Self::HistoryVisibilityEvent(HistoryVisibilityEvent(common, own))
            }
            Kind::RoomPowerLevels => {
                Self::PowerLevelsEvent(PowerLevelsEvent(common, PowerLevelsFields(content)))
            }
            Kind::RoomCreate => Self::CreateEvent(CreateEvent(common, CreateFields(content))),
            Kind::RoomTombstone => {
                Self::TombstoneEvent(TombstoneEvent(common, TombstoneFields(content)))
            }
            _ => Self::OtherEvent(OtherEvent(common)),
        }
    }
}

/// An event that is not typed yet has the same GraphQL type.
impl OutputType for RoomEvent {
    fn type_name() -> Cow<'static, str> {
        TypedEvent::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        TypedEvent::create_type_info(registry)
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        // Boxed: the field of another event that has this one would be as large otherwise.
        Box::pin(async move { TypedEvent::from(self.clone()).resolve(context, field).await }).await
    }
}

/// An event as a member of a union, which has objects and no interfaces.
#[derive(Clone)]
pub struct EventItem(pub TypedEvent);

impl OutputType for EventItem {
    fn type_name() -> Cow<'static, str> {
        "EventItem".into()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Union, |registry| {
            let possible_types = match registry.create_fake_output_type::<TypedEvent>() {
                MetaType::Interface { possible_types, .. } => possible_types,
                _ => IndexSet::new(),
            };
            MetaType::Union {
                name: Self::type_name().into_owned(),
                description: Some(DESCRIPTION.to_owned()),
                possible_types,
                visible: None,
                inaccessible: false,
                tags: Vec::new(),
                rust_typename: Some(type_name::<Self>()),
                directive_invocations: Vec::new(),
            }
        })
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        self.0.resolve(context, field).await
    }
}

impl ContainerType for EventItem {
    async fn resolve_field(&self, context: &Context<'_>) -> ServerResult<Option<Value>> {
        self.0.resolve_field(context).await
    }

    fn collect_all_fields<'a>(
        &'a self,
        context: &ContextSelectionSet<'a>,
        fields: &mut Fields<'a>,
    ) -> ServerResult<()> {
        self.0.collect_all_fields(context, fields)
    }
}

impl UnionType for EventItem {}
