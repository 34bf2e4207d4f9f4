#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use serde_json::json;

use super::*;

/// The key of the appendix of the specification.
const SEED: &str = "ed25519 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA0";

fn key() -> SigningKey {
    SigningKey::from_line(SEED).unwrap()
}

fn server(name: &str) -> OwnedServerName {
    name.try_into().unwrap()
}

fn content() -> CanonicalJsonValue {
    json!({ "pdus": [], "n": 1, "text": "\u{fc}\u{65e5}" }).try_into().unwrap()
}

const PUT: &str =
    "ZT/RinGAyx7lQ4CUheEEaheNlFFby/uwKiJi4rU+0HGjjaT8C8Lu8XJY4vyGMqYvYKs9CyDJpI+F7hkXAAusDw";
const GET: &str =
    "wgn+O/NvBg9ZXh/5qF1gCLHb6CHgzVzXtIaSu69N3bBVj6pjrWjDcIRahdk91CQgCsWy+wL0yPJOJfzodUbFAQ";

/// Signs and verifies a request with these parts.
fn with<T>(
    method: &str,
    content: Option<&CanonicalJsonValue>,
    use_it: impl FnOnce(Signed<'_>) -> T,
) -> T {
    let (origin, destination) = (server("domain"), server("two.example:8448"));
    let uri = "/_matrix/federation/v1/send/1?x=%20y";
    use_it(Signed { method, uri, origin: &origin, destination: &destination, content })
}

/// The signatures were made by another implementation, `signedjson` of Python.
#[test]
fn signatures_equal_those_of_another_implementation() {
    let put = with("PUT", Some(&content()), |signed| sign_request(&signed, &key()).unwrap());
    assert_eq!((put.signature.as_str(), put.key.as_str()), (PUT, "ed25519:1"));
    let get = with("GET", None, |signed| sign_request(&signed, &key()).unwrap());
    assert_eq!(get.signature, GET);
}

#[test]
fn every_signed_part_counts() {
    let (key, content) = (key(), content());
    let public = key.public_key();
    let header = with("PUT", Some(&content), |signed| sign_request(&signed, &key).unwrap());
    let verify = |signed: Signed<'_>| verify_request(&signed, &header, public);
    assert_eq!(with("PUT", Some(&content), verify), Ok(()));
    assert!(with("POST", Some(&content), verify).is_err());
    assert!(with("PUT", None, verify).is_err());
    let other = json!({ "pdus": [], "n": 2, "text": "\u{fc}\u{65e5}" }).try_into().unwrap();
    assert!(with("PUT", Some(&other), verify).is_err());
    let path =
        |signed: Signed<'_>| verify(Signed { uri: "/_matrix/federation/v1/send/1?x=y", ..signed });
    assert!(with("PUT", Some(&content), path).is_err());
    let elsewhere = server("three.example");
    let destination = |signed: Signed<'_>| verify(Signed { destination: &elsewhere, ..signed });
    assert!(with("PUT", Some(&content), destination).is_err());
    let forged = SigningKey::from_seed([7; 32], "1").unwrap().public_key();
    assert!(with("PUT", Some(&content), |it| verify_request(&it, &header, forged)).is_err());
}

#[test]
fn a_request_without_a_destination_is_verified_without_it() {
    let key = key();
    let header = with("GET", None, |signed| {
        let mut object = signed.object();
        object.remove("destination");
        key.sign_object(signed.origin, &mut object).unwrap();
        let signature =
            object["signatures"].as_object().unwrap()["domain"].as_object().unwrap()["ed25519:1"]
                .as_str()
                .unwrap()
                .to_owned();
        let origin = signed.origin.to_owned();
        XMatrix { origin, destination: None, key: "ed25519:1".to_owned(), signature }
    });
    assert_eq!(with("GET", None, |it| verify_request(&it, &header, key.public_key())), Ok(()));
}

#[test]
fn a_body_is_verified_as_it_came_if_it_is_canonical() {
    let (key, content) = (key(), content());
    let public = key.public_key();
    let header = with("PUT", Some(&content), |signed| sign_request(&signed, &key).unwrap());
    let body = serde_json::to_string(&content).unwrap();
    let verify = |body: &str| with("PUT", None, |it| verify_as_sent(&it, body, &header, public));
    assert_eq!(verify(&body), Ok(()));
    assert!(verify(&format!(" {body}")).is_err());
    assert!(verify(&body.replace(":1,", ":2,")).is_err());
    // Parts of the request cannot be moved into the body.
    let longer = format!("{body},\"destination\":\"two.example:8448\"");
    assert!(verify(&longer).is_err());
}
