//! Adds services to a server.

use std::path::Path;

use serde_json::json;

use crate::{
    client::Client,
    server::{Server, succeed},
};

/// A registration file of our own, in the folder of the data.
pub(crate) fn file(data: &Path, name: &str, claims: &str) -> String {
    let path = data.join(format!("{name}.toml"));
    std::fs::write(&path, format!("name = \"{name}\"\n{claims}")).unwrap();
    path.display().to_string()
}

/// The claims of a service on users and aliases that begin with `_NAME_`.
pub(crate) fn own(name: &str) -> String {
    format!(
        "[[users]]\nregex = '@_{name}_.*:localhost'\nexclusive = true\n
         [[aliases]]\nregex = '#_{name}_.*:localhost'\nexclusive = true\n"
    )
}

/// Adds a service with these claims, and returns a client that acts as its bot.
pub(crate) fn follow_rooms(server: &Server, data: &Path, name: &str, claims: &str) -> Client {
    let token = succeed(data, &["service", "add", &file(data, name, claims)], "");
    Client::with_token(server, name, &token)
}

/// Adds a service with claims of its own, and returns a client that acts as its bot.
pub(crate) fn add(server: &Server, data: &Path, name: &str) -> Client {
    follow_rooms(server, data, name, &own(name))
}

/// Creates a user of a service, and returns a client that acts as that user.
pub(crate) fn ensure(service: &Client, localpart: &str) -> Client {
    let document = "mutation($input: EnsureUserInput!) { ensureUser(input: $input) {
        user { userId } refusal { code message } } }";
    let answer = service.run(document, &json!({ "input": { "localpart": localpart } }));
    let user = &answer["ensureUser"]["user"]["userId"];
    service.acting_as(user.as_str().unwrap_or_else(|| panic!("refused: {answer}")))
}
