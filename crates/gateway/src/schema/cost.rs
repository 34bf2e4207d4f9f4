//! The costs of this schema's fields: the rules that its text does not contain.
//!
//! **Invariant:** each list with page arguments has its default here; a test compares.

use rookery_domain::limits::FILTER_ENTRIES_MAX;
use rookery_graphql_documents::{CostRules, GuardedFields};
use rookery_schema::{
    context::PAGE_MAX,
    types::{
        admin,
        calls::pages as calls,
        events::relations,
        outgoing_webhooks,
        rooms::{members, pages, timeline, typing},
        sync::ROOMS_DEFAULT,
        users::{account_data, consumers, viewer},
        webhooks,
    },
};
use rookery_view::{INVITES_MAX, TIMELINE_DEFAULT};

/// A write waits for the disk, and delays other writes.
const MUTATION_WEIGHT: usize = 10;

/// Hashing a password takes 19 MiB and as long as thousands of fields.
const PASSWORD_WEIGHT: usize = 1_000;

/// Events, updates and gaps of a chunk of the stream. There may be more of them, within the limits
/// of an answer.
const CHUNK_ASSUMED: usize = 100;

/// Services that follow a room. Operators add services.
const FOLLOWERS_ASSUMED: usize = 5;

/// Candidates of a signal. There may be more of them, as in a chunk.
const CANDIDATES_ASSUMED: usize = 5;

/// Processes and read models. Each release has the same ones for all servers.
const PROCESSES_ASSUMED: usize = 5;
const MODELS_ASSUMED: usize = 20;

/// Signing an event takes as long as tens of fields.
const SIGNED_WEIGHT: usize = 10;

/// A search reads the text of all listed rooms, one search at a time.
const DIRECTORY_WEIGHT: usize = 100;

/// Fields that hash a password. A request may have one of them, so that each guess of a password is
/// paid for.
pub const GUARDED_FIELDS: GuardedFields = GuardedFields {
    names: &["logIn", "register", "changePassword", "deactivateAccount"],
    max: 1,
    code: "TOO_MANY_LOGINS",
    message: "One request may check or set one password; send one request for each.",
};

pub(super) const RULES: CostRules = CostRules {
    page_arguments: &["first", "last", "limit"],
    page_max: PAGE_MAX,
    page_defaults: &[
        ("Query.events", PAGE_MAX),
        ("Query.initialSync", ROOMS_DEFAULT),
        ("Query.publicRooms", pages::PAGE_DEFAULT),
        ("Query.users", pages::PAGE_DEFAULT),
        ("InitialSync.closed", PAGE_MAX),
        ("Mentions.users", PAGE_MAX),
        ("PowerLevels.events", PAGE_MAX),
        ("PowerLevels.users", PAGE_MAX),
        ("Room.aliases", PAGE_MAX),
        ("Room.calls", calls::PAGE_DEFAULT),
        ("Room.incomingWebhooks", webhooks::PAGE_DEFAULT),
        ("Room.members", members::PAGE_DEFAULT),
        ("Room.receipts", PAGE_MAX),
        ("Room.servers", pages::PAGE_DEFAULT),
        ("Room.state", PAGE_MAX),
        ("Room.timeline", timeline::PAGE_DEFAULT),
        ("Room.typing", typing::TYPING_DEFAULT),
        ("RoomEvent.reactions", relations::PAGE_DEFAULT),
        ("RoomUpdate.stateChanges", PAGE_MAX),
        ("RoomUpdate.timeline", TIMELINE_DEFAULT),
        ("Thread.messages", relations::THREAD_DEFAULT),
        ("TypingChanged.users", typing::TYPING_DEFAULT),
        ("Viewer.devices", PAGE_MAX),
        ("Viewer.rooms", pages::PAGE_DEFAULT),
        ("Viewer.favouriteRooms", pages::PAGE_DEFAULT),
        ("Viewer.accountData", account_data::PAGE_DEFAULT),
        ("Viewer.ignoredUsers", PAGE_MAX),
        ("Room.accountData", account_data::PAGE_DEFAULT),
        ("Viewer.filters", viewer::FILTERS_DEFAULT),
        ("Viewer.consumers", consumers::PAGE_DEFAULT),
        ("Admin.accounts", admin::PAGE_DEFAULT),
        ("Admin.consumers", consumers::PAGE_DEFAULT),
        ("Admin.rooms", admin::PAGE_DEFAULT),
        ("Viewer.outgoingWebhooks", outgoing_webhooks::PAGE_DEFAULT),
        ("Admin.outgoingWebhooks", outgoing_webhooks::PAGE_DEFAULT),
        ("Consumer.parked", consumers::PAGE_DEFAULT),
        ("Reaction.users", PAGE_MAX),
        ("CreateRoomPayload.messages", TIMELINE_DEFAULT),
        ("JoinRoomPayload.messages", TIMELINE_DEFAULT),
        ("RoomOpened.messages", TIMELINE_DEFAULT),
    ],
    inherited_argument: "timelineLimit",
    inheritors: &["Room.timeline", "RoomUpdate.timeline"],
    both_sides_argument: "around",
    list_lengths: &[
        ("AliasEvent.alternative", PAGE_MAX),
        ("CallSignal.candidates", CANDIDATES_ASSUMED),
        ("ChangePasswordPayload.deviceIds", PAGE_MAX),
        ("ConsumerChunk.events", CHUNK_ASSUMED),
        ("ConsumerChunk.skipped", CHUNK_ASSUMED),
        ("DeactivateAccountPayload.rooms", PAGE_MAX),
        ("EventChunk.counts", CHUNK_ASSUMED),
        ("EventChunk.ephemeral", CHUNK_ASSUMED),
        ("EventChunk.events", CHUNK_ASSUMED),
        ("EventChunk.skipped", CHUNK_ASSUMED),
        ("Filter.ephemeral", 3),
        ("Filter.notEphemeral", 3),
        ("Filter.notPresenceOf", FILTER_ENTRIES_MAX),
        ("Filter.notRooms", FILTER_ENTRIES_MAX),
        ("Filter.notSenders", FILTER_ENTRIES_MAX),
        ("Filter.notTypes", FILTER_ENTRIES_MAX),
        ("Filter.presenceOf", FILTER_ENTRIES_MAX),
        ("Filter.rooms", FILTER_ENTRIES_MAX),
        ("Filter.senders", FILTER_ENTRIES_MAX),
        ("Filter.types", FILTER_ENTRIES_MAX),
        ("IceServer.urls", 4),
        ("InitialSync.invites", INVITES_MAX),
        ("JoinRulesEvent.allowedRooms", PAGE_MAX),
        ("Mentions.userIds", PAGE_MAX),
        ("Query.iceServers", 1),
        ("ServerStatus.parkedStreams", admin::status::PARKED_MAX),
        ("ServerStatus.processes", PROCESSES_ASSUMED),
        ("ServerStatus.readModels", MODELS_ASSUMED),
        ("Room.followedBy", FOLLOWERS_ASSUMED),
        ("Query.nodes", PAGE_MAX),
    ],
    type_weights: &[("Mutation", MUTATION_WEIGHT)],
    field_weights: &[
        ("Query.publicRooms", DIRECTORY_WEIGHT),
        ("Mutation.changePassword", 2 * PASSWORD_WEIGHT),
        ("Mutation.deactivateAccount", PASSWORD_WEIGHT),
        ("Mutation.logIn", PASSWORD_WEIGHT),
        ("Mutation.register", PASSWORD_WEIGHT),
        ("RoomEvent.pdu", SIGNED_WEIGHT),
    ],
};

#[cfg(test)]
mod tests {
    use async_graphql::Variables;
    use serde_json::json;

    use super::*;
    use crate::schema::{self, costs};

    const DOCUMENT: &str = include_str!("../../../../docs/limits.md");

    #[test]
    fn every_list_that_has_pages_has_a_default() {
        assert_eq!(costs().without_default(), [""; 0]);
    }

    #[test]
    fn every_list_has_a_length() {
        assert_eq!(costs().without_length(), [""; 0]);
    }

    /// The blocks of the page in this language, in their order.
    fn blocks(language: &str) -> Vec<&'static str> {
        let parts = DOCUMENT.split("\n```").skip(1).step_by(2);
        let parts = parts.filter_map(|part| part.strip_prefix(language)?.strip_prefix('\n'));
        parts.collect()
    }

    #[test]
    fn every_worked_example_costs_what_the_page_says() {
        let (model, types, examples) = (costs(), schema::types(), blocks("graphql"));
        assert!(examples.len() >= 5, "{}", examples.len());
        for example in examples {
            let said = example.lines().rev().find_map(|line| line.trim().strip_prefix("# cost: "));
            let said = said.expect("an example ends with its cost");
            let (_, said) = said.rsplit_once("= ").unwrap_or(("", said));
            let variables = Variables::from_json(json!({}));
            let cost = model.cost(&types, example, variables).expect("it has one operation");
            assert_eq!(said.replace(',', ""), cost.to_string(), "{example}");
        }
    }

    #[test]
    fn every_number_of_the_rules_stands_on_the_page() {
        for (field, size) in RULES.page_defaults {
            assert!(DOCUMENT.contains(&format!("| `{field}` | {size} |")), "{field}: {size}");
        }
        for (field, length) in RULES.list_lengths {
            assert!(DOCUMENT.contains(&format!("| `{field}` | {length} |")), "{field}: {length}");
        }
        for number in [MUTATION_WEIGHT, PASSWORD_WEIGHT, SIGNED_WEIGHT, DIRECTORY_WEIGHT] {
            assert!(DOCUMENT.contains(&format!("**{number}**")), "{number}");
        }
    }
}
