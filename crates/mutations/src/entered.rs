//! The result of entering a room, by joining it or by creating it.
//!
//! **Invariant:** the answer is of one position, that of the join. Later events are on the stream.

use std::sync::Arc;

use async_graphql::{Context, Enum, Result};
use rookery_command::{HandleError, Outcome};
use rookery_domain::Filter;
use rookery_schema::types::rooms::{
    pages::SCREEN_DEFAULT,
    room::Room,
    timeline::{self, TimelineArguments, TimelineConnection},
};
use rookery_view::Moment;

use super::acted::{Acted, shows};

/// How this device receives the snapshot of a room that it enters. Your other devices always get it
/// on their streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub(crate) enum Deliver {
    /// With the answer only: this device's stream has neither `RoomOpened` nor the events of the
    /// join.
    Response,
    /// On the stream only: the answer has no `messages`.
    Stream,
    /// In both ways.
    #[default]
    Both,
}

impl Deliver {
    /// The stored form.
    pub(crate) fn stored(self) -> Option<rookery_domain::Deliver> {
        match self {
            Self::Response => Some(rookery_domain::Deliver::Response),
            Self::Stream => Some(rookery_domain::Deliver::Stream),
            Self::Both => None,
        }
    }
}

/// The snapshot that a device wants.
#[derive(Clone, Default)]
pub(crate) struct Wish {
    pub(crate) deliver: Deliver,
    pub(crate) filter: Option<Arc<Filter>>,
}

/// The result of entering a room.
pub(crate) struct Entered {
    pub(crate) acted: Acted,
    /// The room as it was then, if the answer has its messages.
    pub(crate) opened: Option<Room>,
}

impl Entered {
    /// Turns the outcome of a command into the fields of a payload.
    pub(crate) async fn of(
        context: &Context<'_>,
        result: Result<Outcome, HandleError>,
        wish: Wish,
    ) -> Result<Self> {
        let went_in = result.as_ref().ok().filter(|it| it.remote.is_none());
        let went_in = went_in.and_then(|it| Some((it.room_id.clone()?, it.position)));
        let mut acted = Acted::of(context, result).await?;
        let Some((room_id, position)) = went_in else { return Ok(Self { acted, opened: None }) };
        let is_shown = acted.room.is_some() || shows(context, "messages", position).await;
        let limit = Some(SCREEN_DEFAULT);
        let room = Room::as_it_was(room_id, Moment::new(position, wish.filter, limit));
        let opened = Some(room.clone()).filter(|_| is_shown && wish.deliver != Deliver::Stream);
        acted.room = acted.room.map(|_| room);
        Ok(Self { acted, opened })
    }
}

impl From<Acted> for Entered {
    fn from(acted: Acted) -> Self {
        Self { acted, opened: None }
    }
}

/// The messages of an answer.
pub(crate) async fn messages(
    context: &Context<'_>,
    opened: Option<&Room>,
    last: Option<i32>,
) -> Result<Option<TimelineConnection>> {
    let Some(room) = opened else { return Ok(None) };
    timeline::page(context, room, TimelineArguments::last(last)).await.map(Some)
}

/// Defines the payload of one mutation that goes into a room.
macro_rules! entered_payload {
    ($name:ident, $doc:literal $(, $(#[$pending_doc:meta])* $pending:ident: bool)?) => {
        #[doc = $doc]
        #[derive(async_graphql::SimpleObject)]
        #[graphql(complex)]
        pub(crate) struct $name {
            /// The event that it made, the last one if there are several. Null if you were in the
            /// room already, or if it was refused.
            pub(crate) event: Option<rookery_schema::types::events::event::RoomEvent>,
            /// The room as of `position`. Null if it was refused, or if the server takes longer
            /// than a second to show the effect.
            pub(crate) room: Option<rookery_schema::types::rooms::room::Room>,
            /// The position of the answer; later events are on the stream. Null if it was refused.
            pub(crate) position: Option<rookery_schema::types::values::scalars::PositionScalar>,
            /// Why it was refused. Null if it was not.
            pub(crate) refusal: Option<rookery_schema::types::errors::refusal::Refusal>,
            $($(#[$pending_doc])* pub(crate) $pending: bool,)?
            #[graphql(skip)]
            opened: Option<rookery_schema::types::rooms::room::Room>,
        }

        #[async_graphql::ComplexObject]
        impl $name {
            /// The latest events of the room up to `position` that the filter accepts. Null if they
            /// are delivered only on the stream, or if it was refused.
            async fn messages(
                &self,
                context: &async_graphql::Context<'_>,
                #[graphql(desc = "How many, from 1 to 100; 20 by default.")] last: Option<i32>,
            ) -> async_graphql::Result<
                Option<rookery_schema::types::rooms::timeline::TimelineConnection>,
            > {
                crate::entered::messages(context, self.opened.as_ref(), last).await
            }
        }

        impl From<crate::entered::Entered> for $name {
            fn from(entered: crate::entered::Entered) -> Self {
                let crate::entered::Entered { acted, opened } = entered;
                let crate::acted::Acted { event, room, position, refusal, is_pending } = acted;
                // `createRoom` asks nobody.
                let _ = is_pending;
                Self { event, room, position, refusal, $($pending: is_pending,)? opened }
            }
        }
    };
}
pub(crate) use entered_payload;
