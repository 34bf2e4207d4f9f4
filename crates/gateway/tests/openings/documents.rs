//! Answers are the same, byte for byte, with and without a cached document.

use async_graphql::parser::{
    parse_query,
    types::{BaseType, ExecutableDocument, Type},
};
use serde_json::{Map, Value, json};

use crate::home::Home;

/// The operations on the pages, separated by lines that start with `# ---`.
const EXAMPLES: &str = include_str!("../../../web/pages/examples.graphql");

const GUIDE: &str = include_str!("../../../../docs/graphql.md");

const INVALID: &str = "
{ nothing }
---
{ room }
---
{ room(by: { roomId: 1 }) { name } }
---
{ viewer { userId ...Missing } }
---
query($room: RoomId!) { room(roomId: $room) { name(how: \"loud\") } }
---
query($unused: Int) { server { name } }
---
{ server { name name: version } }
---
{ server { ...on Room { name } } }
---
{ server { name @include(if: \"yes\") } }
---
mutation { sendMessage(input: {}) { refusal } }
---
mutation($input: SendMessageInput!) { sendMessage(input: $input) { nothing } }
---
subscription { eventStream(filter: { wrong: true }) { position } }
---
{ rooms: publicRooms(first: -1) { nodes { roomId } } }
---
{ publicRooms(first: 100000) { nodes { roomId } } }
";

/// The kinds of variables of a request.
const FLAVOURS: [&str; 5] = ["plausible", "other", "wrong", "null", "absent"];

fn documents() -> Vec<&'static str> {
    let mut documents: Vec<_> = EXAMPLES.split("\n# ---\n").collect();
    documents.extend(INVALID.split("---\n"));
    documents
        .extend(GUIDE.split("```graphql\n").skip(1).filter_map(|rest| rest.split("```").next()));
    documents
}

fn plausible(of: &Type, other: bool) -> Value {
    match &of.base {
        BaseType::List(inner) if other => json!([plausible(inner, other), plausible(inner, other)]),
        BaseType::List(inner) => json!([plausible(inner, other)]),
        BaseType::Named(name) => match (name.as_str(), other) {
            ("Int", _) => json!(3 + i32::from(other)),
            ("Boolean", _) => json!(other),
            ("UserId", _) => json!("@ann:one.example"),
            ("RoomId", _) => json!("!room:one.example"),
            (_, false) => json!("$text:one.example"),
            (_, true) => json!({ "text": "other" }),
        },
    }
}

fn variables(document: &ExecutableDocument, flavour: &str) -> Value {
    let (_, operation) = document.operations.iter().next().unwrap();
    let mut given = Map::new();
    for definition in &operation.node.variable_definitions {
        let of = &definition.node.var_type.node;
        let value = match flavour {
            "plausible" => plausible(of, false),
            "other" => plausible(of, true),
            "wrong" => json!({ "wrong": [1.5] }),
            "null" => Value::Null,
            _ => continue,
        };
        given.insert(definition.node.name.node.to_string(), value);
    }
    Value::Object(given)
}

#[tokio::test]
async fn known_documents_are_answered_as_unknown_ones_are() {
    let home = Home::open().await;
    let ann = home.register("ann").await;
    home.act(&ann, "createRoom", json!({ "name": "The Tower" })).await;
    let (mut compared, mut failed) = (0, 0);
    for text in documents() {
        let Ok(document) = parse_query(text) else { panic!("not GraphQL: {text}") };
        let mutates = text.contains("mutation");
        for flavour in FLAVOURS {
            // A request without a login changes nothing, unless it logs in.
            if mutates && ["register", "logIn"].iter().any(|field| text.contains(field)) {
                continue;
            }
            let device = Some(&ann).filter(|_| !mutates);
            let variables = variables(&document, flavour);
            let Ok(answers) = home.answers(device, text, &variables).await else { continue };
            let [unknown, first, again] = answers;
            assert_eq!(first, unknown, "at first, {flavour}: {text}");
            assert_eq!(again, unknown, "again, {flavour}: {text}");
            compared += 1;
            failed += usize::from(unknown.is_some_and(|answer| answer.contains("\"errors\"")));
        }
    }
    let known = home.documents_known();
    assert!(compared > 150 && failed > 80 && known > 30, "{compared}, {failed}, {known}");
    home.close().await;
}
