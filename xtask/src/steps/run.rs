//! Runs steps in order and continues after a failure.
//!
//! **Invariant:** the exit code is zero only if no step failed and at least one passed.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;

use super::list::STEPS;
use super::report::{Entry, quick_lane, table, totals};
use super::step::{Lane, Outcome, Step, Stop};
use crate::repository::{Repository, in_ci};

/// Runs the named steps with the steps that they need, or all.
///
/// # Errors
/// A step of that name does not exist.
pub(crate) fn main(repository: &Repository, arguments: &[String]) -> Result<ExitCode, String> {
    if arguments.iter().any(|argument| argument == "--list") {
        for step in STEPS {
            println!("{:13} {}", step.name, step.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = choose(STEPS, arguments)?;
    let in_ci = in_ci();
    let entries = run(&chosen, in_ci, |step| (step.run)(repository));
    print!("\n{}", table(&entries));
    println!("{}", quick_lane(&entries));
    let totals = totals(&entries);
    println!("{totals}");
    Ok(if totals.failed == 0 && totals.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The name that stands for all steps of the quick lane.
const QUICK: &str = "quick";

/// The requested steps and the steps that they need, in the order of the list.
fn choose<'a>(all: &'a [Step], names: &[String]) -> Result<Vec<&'a Step>, String> {
    if names.is_empty() {
        return Ok(all.iter().collect());
    }
    let mut wanted = BTreeSet::new();
    let quick_steps = all.iter().filter(|step| step.lane == Lane::Quick).map(|step| step.name);
    let asked_for = names.iter().map(String::as_str);
    let mut open: Vec<&str> = asked_for.clone().filter(|name| *name != QUICK).collect();
    if asked_for.clone().any(|name| name == QUICK) {
        open.extend(quick_steps);
    }
    while let Some(name) = open.pop() {
        let step = all.iter().find(|step| step.name == name).ok_or_else(|| {
            format!("unknown step `{name}`; `cargo xtask test --list` lists them")
        })?;
        wanted.insert(step.name);
        open.extend(step.needs);
    }
    Ok(all.iter().filter(|step| wanted.contains(step.name)).collect())
}

fn run(
    steps: &[&Step],
    in_ci: bool,
    mut perform: impl FnMut(&Step) -> Result<(), Stop>,
) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for step in steps {
        println!("\n== {}: {}", step.name, step.about);
        let start = Instant::now();
        let fell = |name: &str| {
            entries.iter().any(|entry| entry.name == name && entry.outcome != Outcome::Passed)
        };
        let outcome = match step.needs.iter().find(|need| fell(need)) {
            Some(need) => Outcome::Skipped(format!("needs `{need}`, which did not pass")),
            None => match perform(step) {
                Ok(()) => Outcome::Passed,
                Err(Stop::Missing(reason)) if !in_ci => Outcome::Skipped(reason),
                Err(Stop::Failed(reason) | Stop::Missing(reason)) => Outcome::Failed(reason),
            },
        };
        let entry = Entry { name: step.name, lane: step.lane, duration: start.elapsed(), outcome };
        println!("{}", entry.line());
        entries.push(entry);
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[Step] = &[
        Step { name: "build", about: "", lane: Lane::Quick, needs: &[], run: |_| Ok(()) },
        Step { name: "test", about: "", lane: Lane::Slow, needs: &["build"], run: |_| Ok(()) },
        Step { name: "doc", about: "", lane: Lane::Quick, needs: &[], run: |_| Ok(()) },
    ];

    fn outcomes(in_ci: bool, stop: fn(&str) -> Result<(), Stop>) -> Vec<Outcome> {
        let all: Vec<&Step> = SAMPLE.iter().collect();
        run(&all, in_ci, |step| stop(step.name)).into_iter().map(|entry| entry.outcome).collect()
    }

    #[test]
    fn named_step_brings_what_it_needs_in_order() {
        let chosen = choose(SAMPLE, &["test".to_owned()]).unwrap_or_default();
        assert_eq!(chosen.iter().map(|step| step.name).collect::<Vec<_>>(), ["build", "test"]);
    }

    #[test]
    fn the_quick_lane_is_named_as_a_whole() {
        let chosen = choose(SAMPLE, &["quick".to_owned()]).unwrap_or_default();
        assert_eq!(chosen.iter().map(|step| step.name).collect::<Vec<_>>(), ["build", "doc"]);
    }

    #[test]
    fn quick_steps_need_no_slow_ones() {
        let slow =
            |name: &&str| STEPS.iter().any(|step| step.name == *name && step.lane == Lane::Slow);
        let quick = STEPS.iter().filter(|step| step.lane == Lane::Quick);
        let needs: Vec<_> = quick.flat_map(|step| step.needs).filter(|name| slow(name)).collect();
        assert!(needs.is_empty(), "{needs:?}");
    }

    #[test]
    fn unknown_step_is_refused() {
        assert!(choose(SAMPLE, &["tset".to_owned()]).is_err());
    }

    #[test]
    fn failed_step_blocks_its_dependents_and_nothing_else() {
        let stop = |name: &str| match name {
            "build" => Err(Stop::Failed("broken".to_owned())),
            _ => Ok(()),
        };
        let skipped = Outcome::Skipped("needs `build`, which did not pass".to_owned());
        let expected = [Outcome::Failed("broken".to_owned()), skipped, Outcome::Passed];
        assert_eq!(outcomes(false, stop), expected);
    }

    #[test]
    fn what_is_missing_is_skipped_at_home_and_fails_in_ci() {
        let stop = |name: &str| match name {
            "doc" => Err(Stop::Missing("no browser".to_owned())),
            _ => Ok(()),
        };
        assert_eq!(outcomes(false, stop)[2], Outcome::Skipped("no browser".to_owned()));
        assert_eq!(outcomes(true, stop)[2], Outcome::Failed("no browser".to_owned()));
    }

    #[test]
    fn every_need_in_the_list_stands_before_its_step() {
        for (index, step) in STEPS.iter().enumerate() {
            for need in step.needs {
                assert!(STEPS[..index].iter().any(|before| before.name == *need), "{}", step.name);
            }
        }
    }
}
