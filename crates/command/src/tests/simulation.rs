//! The whole write side over logs that fail, hang, lose answers, answer late and fill up.
//!
//! Everything follows from a seed. Users act through one or two write sides on one log, in virtual
//! time, and keep journals of their requests and answers. Write sides are dropped in the middle and
//! reopened. When the faults end, the journals are compared with the log.
//!
//! A seed that found a fault goes into `simulation/seeds.txt` and is run in every later test.

mod check;
mod client;
pub(super) mod read_side;
mod template;
mod world;

use std::{collections::BTreeSet, time::Instant};

use rookery_log::Rounds;

use self::world::{Chaos, run};

/// Seeds that found a fault once.
const SEEDS: &str = include_str!("simulation/seeds.txt");

/// Rounds of a plain test run.
const ROUNDS: u64 = 400;

fn must_hold(seed: u64) {
    if let Err(violation) = run(seed, Chaos::of(seed)) {
        panic!(
            "seed {seed}: {violation}\nrepeat it with ROOKERY_TORTURE_SEED={seed} \
             ROOKERY_TORTURE_MINUTES=0, and add it to simulation/seeds.txt"
        );
    }
}

#[test]
fn journals_and_log_agree_whatever_the_log_does() {
    let (began, mut seeds) = (Instant::now(), 0_u32);
    for seed in Rounds::of(ROUNDS, 0x0_0c7_0b3) {
        must_hold(seed);
        seeds += 1;
    }
    println!("{:.0} seeds a minute", f64::from(seeds) * 60.0 / began.elapsed().as_secs_f64());
}

#[test]
fn seeds_that_found_something_once_hold() {
    let lines = SEEDS.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    for line in lines {
        must_hold(line.trim().parse().unwrap());
    }
}

#[test]
fn a_seed_does_the_same_every_time() {
    for seed in 0..8 {
        let one = run(seed, Chaos::of(seed)).unwrap();
        let two = run(seed, Chaos::of(seed)).unwrap();
        assert_eq!(one, two, "seed {seed}");
    }
}

/// The negative control: the check finds a log that breaks its promise.
#[test]
fn a_log_that_acknowledges_what_it_does_not_write_is_found_out() {
    let found: BTreeSet<_> = (0..20)
        .filter(|seed| run(*seed, Chaos { lies: true, ..Chaos::of(*seed) }).is_err())
        .collect();
    assert!(found.len() > 10, "only in {found:?}");
}
