//! Consumers: programs of a user, and how far each has come.

use async_graphql::{ComplexObject, Context, OneofObject, Result, SimpleObject};
use rookery_delivery::{
    BatchPlace, ConsumerFault, ConsumerKey, ConsumerOwner, ConsumerPlace, ListedConsumer,
    ParkedFate,
};
use rookery_domain::{EventId, OwnedEventId, OwnedUserId, UserId};
use rookery_log::TokenKind;

use super::user::User;
use crate::{
    context::{App, app, page_size, session},
    reads::reads,
    types::{
        errors::fault::Fault,
        events::event::{RoomEvent, one_event},
        values::{
            connection::{Page, connection, key},
            scalars::{DateTime, EventIdScalar, Long, PositionScalar},
        },
    },
};

/// Consumers on a page, by default.
pub const PAGE_DEFAULT: usize = 20;

/// Longest name of a consumer, in bytes.
pub const CONSUMER_NAME_BYTES_MAX: usize = 64;

/// Separates owner and name in the key of a page. Neither contains it.
const SEPARATOR: char = ' ';

connection!(ParkedEventConnection, ParkedEventEdge, ParkedEvent, "A page of parked events.");
connection!(ConsumerConnection, ConsumerEdge, Consumer, "A page of consumers.");

/// A place at which a consumer begins.
#[derive(OneofObject)]
pub enum PlaceInput {
    /// The beginning of the log. The value has to be true.
    Beginning(bool),
    /// After this position.
    Position(PositionScalar),
    /// The first event that the server received at this moment or later.
    Time(DateTime),
}

impl PlaceInput {
    /// The place in the log.
    pub fn place(self, app: &App) -> Result<ConsumerPlace, Fault> {
        match self {
            Self::Beginning(true) => Ok(ConsumerPlace::Beginning),
            Self::Beginning(false) => {
                Err(Fault::bad_input("`beginning` is false: use true, or `position`, or `time`"))
            }
            Self::Position(position) => app.position(&position).map(ConsumerPlace::After),
            Self::Time(time) => Ok(ConsumerPlace::Time(time.0)),
        }
    }
}

/// The ID of a batch. It follows from the consumer and the place, so a batch has the same one whenever
/// it comes.
pub fn batch_id(app: &App, incarnation: u64, place: &BatchPlace) -> String {
    let mut plain = [0; 24];
    plain[..8].copy_from_slice(&incarnation.to_be_bytes());
    match place {
        BatchPlace::After(begin) => plain[8..16].copy_from_slice(&begin.0.to_be_bytes()),
        // An event ID is a sign and a hash: its first letters tell it apart.
        BatchPlace::Retry(event) => {
            let letters = event.as_bytes().iter().skip(1);
            plain[8..].iter_mut().zip(letters).for_each(|(byte, letter)| *byte = *letter);
        }
    }
    app.token_key.seal(TokenKind::Batch, app.log.epoch(), plain).to_string()
}

/// The key of a consumer of `user`.
///
/// # Errors
/// [`Fault`] with code `BAD_USER_INPUT` if the name is malformed.
pub fn consumer_key(user: &UserId, name: &str) -> Result<ConsumerKey, Fault> {
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
    if name.is_empty() || name.len() > CONSUMER_NAME_BYTES_MAX || !name.chars().all(is_allowed) {
        return Err(Fault::bad_input(format!(
            "`name` is not a name of a consumer: use 1 to {CONSUMER_NAME_BYTES_MAX} letters, digits, \
             `.`, `_` and `-`"
        )));
    }
    Ok(ConsumerKey { owner: ConsumerOwner::User(user.to_owned()), name: name.to_owned() })
}

/// A consumer: a program that gets what its owner may see, in batches, and acknowledges them.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Consumer {
    /// Its name.
    name: String,
    /// The user whose events it gets.
    owner: User,
    /// Everything up to here was acknowledged.
    position: PositionScalar,
    /// When the oldest batch that is not acknowledged was first sent. Null if there is none.
    oldest_unacknowledged_at: Option<DateTime>,
    /// How often that batch was sent. 0 if there is none. From 10 on its program needs attention.
    attempts: i32,
    /// When its program last acknowledged a batch. Null if it never did.
    acknowledged_at: Option<DateTime>,
    /// When it was made.
    created_at: DateTime,
    /// Whether a connection consumes now.
    connected: bool,
    #[graphql(skip)]
    at: rookery_log::Position,
    #[graphql(skip)]
    key: ConsumerKey,
}

/// An event that a consumer has set aside.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct ParkedEvent {
    /// The ID of the event.
    event_id: EventIdScalar,
    /// The reason that the program gave.
    reason: String,
    /// When it was set aside.
    parked_at: DateTime,
    /// Whether it comes again, after `retryParked`.
    is_retried: bool,
}

/// An event that a consumer has set aside.
#[ComplexObject]
impl ParkedEvent {
    /// The event. Null if you may not see it.
    async fn event(&self, context: &Context<'_>) -> Result<Option<RoomEvent>> {
        let viewer = session(context).viewpoint()?;
        let found = one_event(context, &self.event_id.0, &viewer).await?;
        Ok(found.and_then(|(_, event)| RoomEvent::of_timeline(&event)))
    }
}

impl Consumer {
    /// A consumer in a list.
    pub fn of(app: &App, listed: &ListedConsumer) -> Self {
        let ConsumerOwner::User(owner) = &listed.key.owner;
        let record = &listed.record;
        Self {
            name: listed.key.name.clone(),
            owner: User::new(owner.clone()),
            position: app.token(record.position),
            oldest_unacknowledged_at: record.batches.first().map(|it| DateTime(it.first_sent)),
            attempts: i32::try_from(record.attempts()).unwrap_or(i32::MAX),
            acknowledged_at: record.acknowledged.map(DateTime),
            created_at: DateTime(record.created),
            connected: listed.connected,
            at: record.position,
            key: listed.key.clone(),
        }
    }
}

/// A consumer: a program that gets what its owner may see, in batches, and acknowledges them.
#[ComplexObject]
impl Consumer {
    /// How many commits the log of the server has after `position`, of all rooms. Null unless you
    /// administer the server: the number tells how busy it is.
    async fn behind(&self, context: &Context<'_>) -> Option<Long> {
        session(context).admin().ok()?;
        let end = app(context).models.view().position();
        Some(Long::of_count(end.0.saturating_sub(self.at.0)))
    }

    /// How many events are set aside.
    async fn parked_count(&self, context: &Context<'_>) -> Result<i32> {
        let parked = self.parked_after(context, None, usize::MAX)?;
        Ok(i32::try_from(parked.len()).unwrap_or(i32::MAX))
    }

    /// The events that are set aside, by ID.
    async fn parked(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<ParkedEventConnection> {
        let limit = page_size("first", first, PAGE_DEFAULT)?;
        let after = after.as_deref().map(key).transpose()?;
        let after = after.map(OwnedEventId::try_from).transpose();
        let after = after.map_err(|_| Fault::bad_input("`after` is not a cursor of this list"))?;
        let parked = self.parked_after(context, after.as_deref(), limit + 1)?;
        let shown = |(event, parked): (OwnedEventId, rookery_delivery::ParkedEvent)| ParkedEvent {
            event_id: EventIdScalar(event),
            reason: parked.reason,
            parked_at: DateTime(parked.since),
            is_retried: parked.fate == ParkedFate::Retried,
        };
        let parked = parked.into_iter().map(shown).collect();
        let key = |parked: &ParkedEvent| parked.event_id.0.to_string();
        Ok(ParkedEventConnection(Page::read(parked, limit, after.is_some(), key)))
    }
}

impl Consumer {
    fn parked_after(
        &self,
        context: &Context<'_>,
        after: Option<&EventId>,
        limit: usize,
    ) -> Result<Vec<(OwnedEventId, rookery_delivery::ParkedEvent)>, Fault> {
        let parked = app(context).consumers.parked(&self.key, after, limit);
        let parked = parked.map_err(|fault| consumers_unavailable(&fault))?;
        reads(context).look_at_rows(parked.len())?;
        Ok(parked)
    }
}

/// A page of the consumers of `user`, or of all users.
pub async fn page(
    context: &Context<'_>,
    user: Option<OwnedUserId>,
    (first, after): (Option<i32>, Option<String>),
) -> Result<ConsumerConnection> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let (app, reads) = (app(context), reads(context));
    reads.pause().await?;
    let after = after.as_deref().map(place_of).transpose()?;
    let owner = user.map(ConsumerOwner::User);
    let listed = app.consumers.list(owner.as_ref(), after.as_ref(), limit + 1);
    let listed = listed.map_err(|fault| consumers_unavailable(&fault))?;
    reads.look_at_rows(listed.len())?;
    let keyed = |listed: &ListedConsumer| {
        let ConsumerOwner::User(owner) = &listed.key.owner;
        format!("{owner}{SEPARATOR}{}", listed.key.name)
    };
    let page = Page::read(listed, limit, after.is_some(), keyed);
    Ok(ConsumerConnection(page.map(|listed| Consumer::of(app, &listed))))
}

/// The consumer that a cursor names.
fn place_of(after: &str) -> Result<ConsumerKey, Fault> {
    let not_a_cursor = || Fault::bad_input("`after` is not a cursor of this list");
    let text = key(after)?;
    let (owner, name) = text.split_once(SEPARATOR).ok_or_else(not_a_cursor)?;
    let owner = OwnedUserId::try_from(owner).map_err(|_| not_a_cursor())?;
    Ok(ConsumerKey { owner: ConsumerOwner::User(owner), name: name.to_owned() })
}

/// The records of consumers cannot be read or stored.
pub fn consumers_unavailable(fault: &ConsumerFault) -> Fault {
    Fault::unavailable(&fault.reason)
}
