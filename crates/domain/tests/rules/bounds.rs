//! Bounds of counts.

use rookery_domain::{
    Account, AccountCommand, AccountEvent, Bound, Filter, KnownEvent, Rejection, RoomCommand,
    same_reaction,
};

use crate::support::{ALICE, Given, public};

fn react(given: &Given, key: &str) -> RoomCommand {
    let event_id = given.events.last().unwrap().event_id.clone();
    RoomCommand::React { event_id, key: key.to_owned() }
}

fn said() -> Given {
    let given = public();
    let text = RoomCommand::SendMessage {
        kind: rookery_domain::MessageKind::Text,
        body: "hello".to_owned(),
        formatted_body: None,
        relation: None,
        mentions: None,
    };
    given.and(ALICE, text)
}

fn known(given: &Given) -> KnownEvent {
    Given::known(given.events.last().unwrap())
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("key {number}")).collect()
}

#[test]
fn an_emoji_is_the_same_reaction_whichever_way_it_is_to_look() {
    assert!(same_reaction("👍", "👍\u{fe0f}") && same_reaction("❤\u{fe0e}", "❤\u{fe0f}"));
    assert!(!same_reaction("👍", "👍🏽") && !same_reaction("👍", "👎"));
    let given = said();
    let known = [KnownEvent { own_reactions: vec!["👍".to_owned()], ..known(&given) }];
    let again = react(&given, "👍\u{fe0f}");
    given.when_knowing(ALICE, again, &known).then_nothing();
}

#[test]
fn a_user_reacts_to_an_event_in_so_many_ways_and_an_event_has_so_many_reactions() {
    let given = said();
    let own = |count| KnownEvent { own_reactions: keys(count), ..known(&given) };
    let max = Bound::OwnReactions.max();
    given.clone().when_knowing(ALICE, react(&given, "x"), &[own(max - 1)]).then_one();
    given
        .clone()
        .when_knowing(ALICE, react(&given, "x"), &[own(max)])
        .then_code("TOO_MANY_REACTIONS");
    let all = |count| KnownEvent { reactions: keys(count), ..known(&given) };
    let max = Bound::Reactions.max();
    given.clone().when_knowing(ALICE, react(&given, "x"), &[all(max - 1)]).then_one();
    given
        .clone()
        .when_knowing(ALICE, react(&given, "x"), &[all(max)])
        .then_code("TOO_MANY_REACTIONS");
    // A reaction that exists already can be joined.
    given.clone().when_knowing(ALICE, react(&given, "key 5\u{fe0f}"), &[all(max)]).then_one();
}

#[test]
fn a_message_has_so_many_edits() {
    let given = said();
    let pdu = given.events.last().unwrap().clone();
    let edited = |edits: usize| KnownEvent { edits, ..known(&given) };
    let relation = Some(rookery_domain::MessageRelation::Edit(pdu.event_id.clone()));
    let edit = RoomCommand::SendMessage {
        kind: rookery_domain::MessageKind::Text,
        body: "hello!".to_owned(),
        formatted_body: None,
        relation,
        mentions: None,
    };
    let max = Bound::Edits.max();
    given.clone().when_knowing(ALICE, &edit, &[edited(max - 1)]).then_one();
    given.clone().when_knowing(ALICE, &edit, &[edited(max)]).then_code("TOO_MANY_EDITS");
}

#[test]
fn a_user_stores_so_many_filters_and_deletes_them() {
    let filter =
        |number: usize| Filter { types: Some(vec![number.to_string()]), ..Filter::default() };
    let create = |number| AccountCommand::CreateFilter { filter: filter(number) };
    let mut account = Account::default();
    for number in 0..Bound::Filters.max() {
        for event in account.decide(&create(number)).unwrap() {
            account.evolve(&event);
        }
    }
    let refused = account.decide(&create(Bound::Filters.max()));
    assert_eq!(refused, Err(Rejection::Bound(Bound::Filters)));
    assert_eq!(Bound::Filters.code(), "TOO_MANY_FILTERS");
    assert_eq!(account.decide(&create(0)), Ok(Vec::new()), "it is there already");
    let filter_id = filter(0).normal().id();
    let delete = AccountCommand::DeleteFilter { filter_id: filter_id.clone() };
    let deleted = AccountEvent::FilterDeleted { filter_id };
    assert_eq!(account.decide(&delete), Ok(vec![deleted.clone()]));
    account.evolve(&deleted);
    assert_eq!(account.decide(&delete), Ok(Vec::new()));
    assert_eq!(account.decide(&create(Bound::Filters.max())).unwrap().len(), 1);
}
