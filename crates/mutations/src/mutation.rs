//! All mutations.

use async_graphql::MergedObject;

use crate::{accounts, calls, ephemeral, members, messages, outgoing_webhooks, rooms, webhooks};

/// The commands of clients.
#[derive(Default, MergedObject)]
pub struct Mutation(
    accounts::AccountMutation,
    accounts::own::OwnAccountMutation,
    accounts::of_services::ServiceMutation,
    accounts::preferences::PreferencesMutation,
    accounts::account_data::AccountDataMutation,
    accounts::profile::ProfileMutation,
    ephemeral::EphemeralMutation,
    accounts::filters::FilterMutation,
    rooms::RoomMutation,
    members::MemberMutation,
    messages::MessageMutation,
    rooms::upgrade::UpgradeMutation,
    messages::redaction::RedactionMutation,
    calls::CallMutation,
    webhooks::WebhookMutation,
    outgoing_webhooks::OutgoingWebhookMutation,
    accounts::consumers::ConsumerMutation,
    accounts::operating::OperatingMutation,
);
