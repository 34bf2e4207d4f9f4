//! Faults: their messages are hidden, and are found in the log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use crate::clients::http::Request;
use crate::toy::{Toy, toy};

/// The log lines of this thread; the toy server runs on it too.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The ID of the fault of a query, and its line in the log.
async fn logged(toy: &Toy, log: &Log, query: &str) -> (String, String) {
    for _ in 0..1_000 {
        let answer = Request::query(query).send(toy.address).await;
        assert_eq!(answer.code(), "INTERNAL");
        assert!(!answer.body.contains("secret"), "{answer:?}");
        let id = answer.json()["errors"][0]["extensions"]["faultId"].as_str().unwrap().to_owned();
        let written = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        if let Some(line) = written.lines().find(|line| line.contains(&format!("fault_id={id}"))) {
            return (id, line.to_owned());
        }
        // Another thread may have written this line before this subscriber existed, and may
        // register later that no subscriber wants it (`tracing_core::callsite`). This call repeats
        // the registration.
        tracing::callsite::rebuild_interest_cache();
    }
    panic!("the log has no line of a fault of {query}");
}

#[tokio::test]
async fn a_fault_has_an_id_that_the_log_has() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
    // With a second subscriber, tracing asks all of them whether they want a line, and not only the
    // one of the thread that writes it first. Other tests panic too.
    let _other = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
    let _guard = tracing::subscriber::set_default(subscriber);
    let toy = toy().await;
    let mut ids = Vec::new();
    for query in ["{ faults }", "{ breaks }", "{ panics }"] {
        let (id, line) = logged(&toy, &log, query).await;
        assert!(line.contains("resolver"), "{line}");
        ids.push(id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}
