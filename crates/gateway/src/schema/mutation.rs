//! Commands: one mutation for each, with one input and one payload.

mod accounts;
mod acted;
mod calls;
mod entered;
mod ephemeral;
mod filters;
mod members;
mod messages;
mod power;
mod profile;
mod rooms;
mod webhooks;

use async_graphql::MergedObject;

pub(crate) use self::entered::SCREEN_DEFAULT;

/// The commands of clients.
#[derive(Default, MergedObject)]
pub struct Mutation(
    accounts::AccountMutation,
    accounts::own::OwnAccountMutation,
    accounts::of_services::ServiceMutation,
    accounts::preferences::PreferencesMutation,
    accounts::account_data::AccountDataMutation,
    profile::ProfileMutation,
    ephemeral::EphemeralMutation,
    filters::FilterMutation,
    rooms::RoomMutation,
    members::MemberMutation,
    messages::MessageMutation,
    rooms::upgrade::UpgradeMutation,
    messages::redaction::RedactionMutation,
    calls::CallMutation,
    webhooks::WebhookMutation,
    accounts::consumers::ConsumerMutation,
);
