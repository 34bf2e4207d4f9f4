#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::future::pending;

use tokio::task::yield_now;

use super::*;

/// Records which work ran, in order.
#[derive(Clone, Default)]
struct Ran(Arc<Mutex<Vec<String>>>);

impl Ran {
    fn work(&self, name: &str) -> impl Future<Output = ()> + Send + 'static {
        let (ran, name) = (self.clone(), name.to_owned());
        async move { ran.0.lock().push(name) }
    }

    fn names(&self) -> String {
        self.0.lock().join(" ")
    }
}

/// Work that ends when the sender allows it.
fn held() -> (oneshot::Sender<()>, impl Future<Output = ()> + Send + 'static) {
    let (go, gone) = oneshot::channel();
    (go, async move { drop(gone.await) })
}

#[tokio::test]
async fn keys_take_turns_however_much_one_of_them_wants() {
    let (turns, ran) = (Turns::new(1), Ran::default());
    let (go, holding) = held();
    let first = turns.run("eve", holding);
    let eve: Vec<_> = (1..=3).map(|n| turns.run("eve", ran.work(&format!("eve{n}")))).collect();
    let bob: Vec<_> = (1..=2).map(|n| turns.run("bob", ran.work(&format!("bob{n}")))).collect();
    let carol = turns.run("carol", ran.work("carol"));
    go.send(()).unwrap();
    first.await;
    for turn in eve.into_iter().chain(bob).chain([carol]) {
        turn.await;
    }
    assert_eq!(ran.names(), "bob1 carol eve1 bob2 eve2 eve3");
}

#[tokio::test]
async fn one_key_has_one_turn_at_a_time_and_leaves_the_others_to_the_rest() {
    let (turns, ran) = (Turns::new(2), Ran::default());
    let (_go, holding) = held();
    let _first = turns.run("eve", holding);
    let mut second = Box::pin(turns.run("eve", ran.work("eve")));
    turns.run("bob", ran.work("bob")).await;
    assert!((&mut second).now_or_never().is_none());
    assert_eq!(ran.names(), "bob");
}

#[tokio::test]
async fn a_handle_that_is_not_polled_holds_no_turn() {
    let (turns, ran) = (Turns::new(1), Ran::default());
    let eve: Vec<_> = (0..5).map(|_| turns.run("eve", ran.work("eve"))).collect();
    turns.run("bob", ran.work("bob")).await;
    // By now the lane may have run more for eve.
    assert!(ran.names().starts_with("eve bob"), "{}", ran.names());
    for turn in eve {
        turn.await;
    }
}

#[tokio::test]
async fn work_that_is_given_up_makes_room_whether_it_waits_or_runs() {
    let (turns, ran) = (Turns::new(1), Ran::default());
    let (held, dropped) = oneshot::channel::<()>();
    let running = turns.run("eve", async move {
        let _held = held;
        pending::<()>().await;
    });
    yield_now().await;
    let waiting = turns.run("bob", ran.work("bob"));
    drop(waiting);
    drop(running);
    assert!(dropped.await.is_err());
    turns.run("carol", ran.work("carol")).await;
    assert_eq!(ran.names(), "carol");
    while turns.shared.state.lock().workers > 0 {
        yield_now().await;
    }
    assert!(turns.shared.state.lock().keys.is_empty());
}

#[tokio::test]
async fn a_panic_goes_to_its_caller_and_the_next_has_its_turn() {
    let (turns, ran) = (Turns::new(1), Ran::default());
    let panics = turns.run("eve", async { panic!("on purpose") });
    let next = turns.run("bob", ran.work("bob"));
    assert!(AssertUnwindSafe(panics).catch_unwind().await.is_err());
    next.await;
    assert_eq!(ran.names(), "bob");
}
