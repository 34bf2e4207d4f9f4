//! Runs rigs one after the other, each for its share of the time.
//!
//! **Invariant:** every rig runs at least once, and the exit code is zero only if none failed.
//! **Invariant:** a failure is reported with the command that repeats it.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::list::RIGS;
use super::request::Request;
use super::rig::Rig;
use crate::binaries::Binaries;
use crate::repository::Repository;

/// The outcome of a rig.
struct Report<'a> {
    rig: &'a Rig,
    runs: u64,
    /// The seed of the failed run, and its error.
    failure: Option<(u64, String)>,
    took: Duration,
}

/// Runs the rigs that the arguments name, or all.
///
/// # Errors
/// An argument is wrong.
pub(crate) fn main(repository: &Repository, arguments: &[String]) -> Result<ExitCode, String> {
    if arguments.iter().any(|argument| argument == "--list") {
        for rig in RIGS {
            println!("{:13} {}", rig.name, rig.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let request = Request::read(RIGS, arguments, fresh_seed())?;
    println!("seed {}, {} rigs, {}", request.seed, request.rigs.len(), minutes(request.time));
    // The time for compiling does not count.
    let binaries = Binaries::compile(repository, &["--exclude=xtask", "--lib", "--tests"])?;
    let mut left = request.time;
    let mut reports = Vec::new();
    for (index, rig) in request.rigs.iter().enumerate() {
        let open = u32::try_from(request.rigs.len() - index).unwrap_or(u32::MAX);
        let prepared = rig.prepare(repository, &binaries);
        let report = torture(rig, request.seed, left / open, prepared, |binary, seed, left| {
            rig.run(repository, binary, seed, left)
        });
        left = left.saturating_sub(report.took);
        println!("{}", line(&report));
        reports.push(report);
    }
    println!("\nseed {}", request.seed);
    for report in &reports {
        println!("{}", line(report));
    }
    for repeat in reports.iter().filter_map(repeat) {
        println!("repeat with: {repeat}");
    }
    let failed = reports.iter().any(|report| report.failure.is_some());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Runs one rig until its `share` of the time is over, or until it fails.
fn torture<T: Copy>(
    rig: &Rig,
    seed: u64,
    share: Duration,
    prepared: Result<T, String>,
    mut run: impl FnMut(T, u64, Duration) -> Result<(), String>,
) -> Report<'_> {
    let start = Instant::now();
    let mut report = Report { rig, runs: 0, failure: None, took: Duration::ZERO };
    let tests = match prepared {
        Ok(tests) => tests,
        Err(reason) => {
            report.failure = Some((seed, reason));
            return report;
        }
    };
    let mut seed = seed;
    while report.failure.is_none() && (report.runs == 0 || start.elapsed() < share) {
        println!("\n== {}: {}\nseed {seed}", rig.name, rig.about);
        let left = share.saturating_sub(start.elapsed());
        report.failure = run(tests, seed, left).err().map(|reason| (seed, reason));
        report.runs += 1;
        seed = seed.wrapping_add(1);
    }
    report.took = start.elapsed();
    report
}

fn line(report: &Report<'_>) -> String {
    let Report { rig, runs, failure, took } = report;
    let (word, reason) = match failure {
        None => ("passed", String::new()),
        Some((seed, reason)) => ("FAILED", format!("seed {seed}: {reason}")),
    };
    let line =
        format!("{:13} {word:8} {runs:4} runs {:7.1} s  {reason}", rig.name, took.as_secs_f64());
    line.trim_end().to_owned()
}

/// The command that repeats a failed rig with the seed of its failure.
fn repeat(report: &Report<'_>) -> Option<String> {
    let (seed, _) = report.failure.as_ref()?;
    let minutes = report.took.as_secs_f64() / 60.0;
    let name = report.rig.name;
    Some(format!("cargo xtask torture --minutes {minutes:.1} --seed {seed} {name}"))
}

fn minutes(time: Duration) -> String {
    format!("{:.1} minutes", time.as_secs_f64() / 60.0)
}

/// Short enough for typing.
fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos()) ^ now.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tortured(
        share: Duration,
        prepared: Result<(), String>,
        mut run: impl FnMut(u64, Duration) -> Result<(), String>,
    ) -> Report<'static> {
        torture(&RIGS[0], 5, share, prepared, |(), seed, left| run(seed, left))
    }

    #[test]
    fn a_rig_without_time_runs_once_with_the_seed_that_was_given() {
        let mut seeds = Vec::new();
        let report = tortured(Duration::ZERO, Ok(()), |seed, _| {
            seeds.push(seed);
            Ok(())
        });
        assert_eq!((seeds, report.runs), (vec![5], 1));
        assert!(repeat(&report).is_none());
    }

    #[test]
    fn a_rig_stops_at_its_first_failure_and_says_how_to_repeat_it() {
        let report = tortured(Duration::from_hours(1), Ok(()), |seed, _| {
            if seed == 7 { Err("lost".to_owned()) } else { Ok(()) }
        });
        assert_eq!(report.runs, 3);
        assert!(line(&report).contains("FAILED") && line(&report).contains("seed 7: lost"));
        let repeat = repeat(&report).unwrap_or_default();
        assert_eq!(repeat, format!("cargo xtask torture --minutes 0.0 --seed 7 {}", RIGS[0].name));
    }

    #[test]
    fn a_rig_that_cannot_begin_has_failed_and_is_not_run() {
        let missing = Err("no test of that name".to_owned());
        let report = tortured(Duration::ZERO, missing, |_, _| unreachable!("it is not run"));
        assert_eq!(report.runs, 0);
        assert!(report.failure.is_some());
    }
}
