//! Budgets, alone and with others.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::timeout;

use super::*;

const LIMITS: AnswerLimits =
    AnswerLimits { bytes_max: 1 << 20, all_bytes_max: 16 << 20, work_max: 100 };

fn caller(user: &str) -> CallerKey {
    let hash = user.bytes().fold(0, |hash, byte| hash * 257 + u64::from(byte));
    CallerKey { hash, is_user: true, is_program: false }
}

fn budget(answers: &Arc<Answers>, user: &str) -> Budget {
    Budget::among(answers, caller(user))
}

/// A budget that has room for a long answer.
async fn long(answers: &Arc<Answers>, user: &str) -> Budget {
    let budget = budget(answers, user);
    budget.take(FREE_BYTES + 1).await.expect("room");
    budget
}

#[tokio::test]
async fn what_is_used_up_stays_used_up_until_the_next_answer() {
    let budget = budget(&Answers::new(LIMITS), "ada");
    assert_eq!(budget.take(1 << 20).await, Ok(()));
    let exhausted = Exhausted::Bytes { max: 1 << 20 };
    assert_eq!(budget.take(1).await, Err(exhausted));
    assert_eq!(budget.take(0).await, Err(exhausted));
    assert_eq!(budget.look_at(101), Err(exhausted), "the first reason counts");
    assert_eq!(budget.pause().await, Err(exhausted));
    budget.renew();
    assert_eq!(budget.exhausted(), None);
    assert_eq!(budget.take(1).await, Ok(()));
    assert_eq!(budget.look_at(101), Err(Exhausted::Work { max: 100 }));
}

#[tokio::test]
async fn events_may_be_longer_than_the_answer_that_is_made_of_them_and_not_much() {
    let budget = budget(&Answers::new(LIMITS), "ada");
    assert_eq!(budget.keep(2 << 20).await, Ok(()));
    assert_eq!(budget.keep(1).await, Err(Exhausted::Events { max: 2 << 20 }));
}

#[tokio::test]
async fn a_long_answer_has_room_until_it_is_made_and_then_counts_until_it_is_read() {
    let answers = Answers::new(LIMITS);
    let short = budget(&answers, "ada");
    short.take(FREE_BYTES).await.expect("needs no room");
    assert_eq!(answers.free_bytes(), 16 << 20);
    let budget = long(&answers, "ada").await;
    assert_eq!((answers.free_bytes(), answers.callers()), (15 << 20, 1));
    let held = budget.held(100 << 10);
    assert_eq!((answers.free_bytes(), answers.callers()), (16 << 20, 0));
    assert_eq!(answers.unread_bytes(), 100 << 10);
    drop(budget);
    assert_eq!(answers.unread_bytes(), 100 << 10);
    drop(held);
    assert_eq!(answers.unread_bytes(), 0);
}

#[tokio::test]
async fn an_answer_that_nobody_takes_gives_back_its_room_once_it_is_made() {
    let answers = Answers::new(LIMITS);
    for pauses in [false, true] {
        let budget = budget(&answers, "ada");
        budget.expect_cost(LIGHT_COST);
        let inner = budget.clone();
        let making = run(budget.clone(), Stops::WhenExhausted, async move {
            inner.take(FREE_BYTES + 1).await.expect("there is room");
            while pauses && !inner.is_heavy() {
                inner.pause().await.expect("nothing is used up");
            }
        });
        making.await.expect("nothing is used up");
        assert_eq!(answers.free_bytes(), 16 << 20);
        assert_eq!(answers.unread_bytes(), FREE_BYTES + 1);
        drop(budget);
        assert_eq!(answers.unread_bytes(), 0);
    }
}

#[tokio::test]
async fn an_execution_that_uses_up_its_budget_gives_back_its_room_at_once() {
    let answers = Answers::new(LIMITS);
    for cost in [1, HEAVY_COST] {
        let budget = budget(&answers, "ada");
        budget.expect_cost(cost);
        let inner = budget.clone();
        let making = run(budget.clone(), Stops::WhenExhausted, async move {
            inner.take(FREE_BYTES + 1).await.expect("there is room");
            assert!(inner.look_at(101).is_err());
            std::future::pending::<()>().await;
        });
        assert_eq!(making.await, Err(Exhausted::Work { max: 100 }));
        assert_eq!(
            answers.free_bytes(),
            16 << 20,
            "the budget is still there, with a refusal that nobody reads"
        );
        drop(budget);
    }
}

#[tokio::test]
async fn steps_of_a_subscription_wait_for_nothing_and_count_until_they_are_read() {
    let answers = Answers::new(LIMITS);
    let made = [long(&answers, "eve").await, long(&answers, "eve").await];
    let step = budget(&answers, "eve").like(true);
    assert_eq!(step.take(FREE_BYTES + 1).now_or_never(), Some(Ok(())));
    let held = step.unread(step.taken_bytes());
    assert_eq!(answers.unread_bytes(), FREE_BYTES + 1);
    drop((made, held));
    assert_eq!(answers.unread_bytes(), 0);
}

#[tokio::test]
async fn a_caller_who_asks_for_much_keeps_no_other_one_waiting() {
    let answers = Answers::new(LIMITS);
    // A share is an eighth: two answers.
    let made = [long(&answers, "eve").await, long(&answers, "eve").await];
    let next = budget(&answers, "eve");
    assert_eq!(next.take(FREE_BYTES + 1).now_or_never(), None, "Eve waits for herself");
    assert_eq!(long(&answers, "ada").now_or_never().map(|_| ()), Some(()));
    drop(made);
    assert_eq!(next.take(1).await, Ok(()));
}

#[tokio::test]
async fn answers_wait_for_room_among_all() {
    let answers = Answers::new(LIMITS);
    let mut made = Vec::new();
    for user in 0..16 {
        made.push(long(&answers, &user.to_string()).await);
    }
    let last = budget(&answers, "last");
    assert_eq!(last.take(FREE_BYTES + 1).now_or_never(), None);
    assert_eq!(last.take(0).now_or_never(), None, "what it has taken still needs room");
    made.pop();
    assert_eq!(last.take(1).await, Ok(()));
}

/// Never waits.
async fn compute(budget: Budget) -> Exhausted {
    loop {
        if let Err(exhausted) = budget.pause().await {
            return exhausted;
        }
    }
}

#[tokio::test]
async fn a_deadline_ends_what_never_waits_and_others_run_meanwhile() {
    let answers = Answers::new(LIMITS);
    let turns = Arc::new(AtomicUsize::new(0));
    let other = {
        let turns = Arc::clone(&turns);
        tokio::spawn(async move {
            loop {
                turns.fetch_add(1, Relaxed);
                tokio::task::yield_now().await;
            }
        })
    };
    for pauses_with_a_lane in [true, false] {
        let before = turns.load(Relaxed);
        let budget = budget(&answers, "eve");
        budget.expect_cost(LIGHT_COST);
        let computing = compute(budget.clone());
        let deadline = Duration::from_millis(100);
        let ended = if pauses_with_a_lane {
            timeout(deadline, run(budget, Stops::WhenExhausted, computing)).await.is_err()
        } else {
            timeout(deadline, budget.paced(computing)).await.is_err()
        };
        assert!(ended);
        let turns = turns.load(Relaxed) - before;
        assert!(turns > 1, "{turns} turns");
    }
    other.abort();
}

#[tokio::test]
async fn a_query_ends_when_its_budget_is_used_up_and_a_mutation_at_its_end() {
    let answers = Answers::new(LIMITS);
    for stops in [Stops::WhenExhausted, Stops::AtItsEnd] {
        let budget = budget(&answers, "ada");
        let inner = budget.clone();
        let execution = async move {
            let _ = inner.take(2 << 20).await;
            tokio::task::yield_now().await;
            "done"
        };
        let expected = match stops {
            Stops::WhenExhausted => Err(Exhausted::Bytes { max: 1 << 20 }),
            Stops::AtItsEnd => Ok("done"),
        };
        assert_eq!(run(budget, stops, execution).await, expected);
    }
}

/// Steps enough to be heavy, if each takes the processor for a slice: the time of a light execution and half of it.
fn heavy_steps() -> usize {
    usize::try_from(LIGHT.as_nanos() / SLICE.as_nanos()).expect("a small number") * 3 / 2
}

/// The name of the thread of each step.
async fn threads_of(steps: usize, budget: Budget) -> Vec<String> {
    threads_while(steps, budget, || {
        let began = ThreadTime::now();
        while began.elapsed() <= SLICE {
            std::hint::spin_loop();
        }
    })
    .await
}

/// The name of the thread of each step, which is one call of `work`.
async fn threads_while(steps: usize, budget: Budget, work: fn()) -> Vec<String> {
    let mut threads = Vec::new();
    for _ in 0..steps {
        threads.push(std::thread::current().name().unwrap_or_default().to_owned());
        work();
        budget.pause().await.expect("nothing is taken");
    }
    threads
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn heavy_executions_take_turns_in_the_lanes() {
    let answers = Answers::new(LIMITS);
    let steps = heavy_steps();
    let executions = (0..8).map(|user| {
        let budget = budget(&answers, &user.to_string());
        budget.expect_cost(LIGHT_COST - user % 2);
        tokio::spawn(run(budget.clone(), Stops::WhenExhausted, threads_of(steps, budget)))
    });
    for (user, execution) in executions.collect::<Vec<_>>().into_iter().enumerate() {
        let threads = execution.await.expect("no panic").expect("nothing is used up");
        assert_ne!(threads[0], "rookery-heavy");
        // An execution that costs little stays on the runtime.
        assert_eq!(threads[steps - 1] == "rookery-heavy", user % 2 == 0);
    }
}

/// As on a machine where other programs have the processors.
#[tokio::test]
async fn an_execution_whose_thread_does_not_run_is_not_heavy() {
    let budget = budget(&Answers::new(LIMITS), "ada");
    budget.expect_cost(LIGHT_COST);
    let waiting = threads_while(heavy_steps(), budget.clone(), || std::thread::sleep(SLICE));
    let threads = run(budget, Stops::WhenExhausted, waiting).await.expect("nothing is used up");
    assert_ne!(threads[heavy_steps() - 1], "rookery-heavy");
}

#[tokio::test]
async fn an_execution_of_a_high_cost_is_in_a_lane_from_its_first_step() {
    let answers = Answers::new(LIMITS);
    for (cost, is_heavy) in [(HEAVY_COST - 1, false), (HEAVY_COST, true)] {
        let budget = budget(&answers, "ada");
        budget.expect_cost(cost);
        let threads = run(budget.clone(), Stops::WhenExhausted, threads_of(1, budget.clone()));
        assert_eq!(threads.await.expect("nothing is used up")[0] == "rookery-heavy", is_heavy);
        let step = || std::thread::current().name() == Some("rookery-heavy");
        let steps = futures_util::stream::repeat_with(step);
        assert_eq!(run_stream(&budget, steps).next().await, Some(is_heavy));
    }
}

#[tokio::test]
async fn a_long_step_of_a_subscription_goes_on_in_a_lane_and_the_next_one_begins_outside() {
    let answers = Answers::new(LIMITS);
    let budget = budget(&answers, "ada");
    let name = || std::thread::current().name().unwrap_or_default().to_owned();
    for is_long in [false, true, false] {
        budget.renew();
        let inner = budget.clone();
        let step = async move {
            let before = name();
            if is_long {
                inner.go_to_lane().await;
            } else {
                tokio::task::yield_now().await;
            }
            (before, name())
        };
        let (before, after) = budget.clone().step(step).await;
        assert_ne!(before, "rookery-heavy");
        assert_eq!(after == "rookery-heavy", is_long);
    }
}

#[tokio::test]
async fn what_is_attached_ends_with_the_answer() {
    let budget = budget(&Answers::new(LIMITS), "ada");
    let memory = budget.attached::<AtomicUsize>();
    memory.store(7, Relaxed);
    assert_eq!(budget.clone().attached::<AtomicUsize>().load(Relaxed), 7);
    budget.renew();
    assert_eq!(budget.attached::<AtomicUsize>().load(Relaxed), 0);
}
