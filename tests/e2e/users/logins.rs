//! Password guessing: its cost for others at the same address and elsewhere.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::Client,
    server::{Server, eventually},
};

/// Logs in through a proxy that forwards for `from`; returns the code of the refusal.
fn log_in(server: &Server, from: &str, name: &str, password: &str) -> Value {
    let document = "mutation($input: LogInInput!) { logIn(input: $input) {
        token refusal { code } } }";
    let input = json!({ "username": name, "password": password });
    let body = json!({ "query": document, "variables": { "input": input } });
    let answer = ureq::post(format!("http://{}/graphql", server.address()))
        .header("x-forwarded-for", from)
        .send_json(&body);
    let answer: Value = answer.unwrap().body_mut().read_json().unwrap();
    answer["data"]["logIn"]["refusal"]["code"].clone()
}

#[test]
fn a_stranger_behind_a_proxy_that_is_not_named_locks_nobody_out_and_the_log_names_it() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--limits-passwords-at-once", "4"]);
    Client::register(&server, "ann");
    let guess = |n: usize| log_in(&server, "203.0.113.7", &format!("nobody{}", n / 9), "wrong one");
    let codes: Vec<Value> = thread::scope(|scope| {
        let guessers: Vec<_> = (0..4)
            .map(|lot| scope.spawn(move || (0..30).map(|n| guess(lot * 30 + n)).collect()))
            .collect();
        guessers.into_iter().flat_map(|guesser| -> Vec<Value> { guesser.join().unwrap() }).collect()
    });
    assert!(codes.iter().any(|code| code == "RATE_LIMITED"), "{codes:?}");
    assert_eq!(log_in(&server, "198.51.100.20", "ann", "correct horse"), Value::Null);
    let told = || server.logged("trusted_proxies = [\"127.0.0.1\"]");
    eventually("the log names the proxy", || !told().is_empty());
    let told = told();
    assert_eq!(told.len(), 1, "once a minute: {told:?}");
}

/// The answer to a login with a place in the queue. A login without a place is refused at once; a long wait comes from a
/// machine that takes seconds for a password.
fn unless_slow(log_in: impl Fn() -> Value) -> Value {
    for _ in 0..20 {
        let began = Instant::now();
        let code = log_in();
        if code != "BUSY" || began.elapsed() < Duration::from_secs(4) {
            return code;
        }
    }
    panic!("no password is hashed")
}

#[test]
fn guesses_from_one_address_keep_no_other_address_waiting() {
    let data = tempdir().unwrap();
    let server = Server::start_with(
        data.path(),
        &["--trusted-proxies", "127.0.0.1", "--limits-passwords-waiting", "8"],
    );
    Client::register(&server, "ann");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let guessers: Vec<_> = (0..24)
            .map(|n| {
                let (server, done) = (&server, &done);
                scope.spawn(move || {
                    let mut busy = 0;
                    while !done.load(Ordering::Relaxed) {
                        let name = format!("nobody{n}");
                        let code = log_in(server, "203.0.113.7", &name, "wrong one");
                        busy += usize::from(code == "BUSY");
                    }
                    busy
                })
            })
            .collect();
        let codes: Vec<Value> = (0..6)
            .map(|_| unless_slow(|| log_in(&server, "198.51.100.20", "ann", "correct horse")))
            .collect();
        done.store(true, Ordering::Relaxed);
        let busy: usize = guessers.into_iter().map(|guesser| guesser.join().unwrap()).sum();
        assert!(busy > 0, "the guesses filled the line");
        assert_eq!(codes, vec![Value::Null; 6]);
    });
}
