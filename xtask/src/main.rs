//! Checks and benchmarks of the repository; `cargo xtask help` lists them.
//!
//! **Invariant:** all checks of CI are here, so that a developer can run the same with one command.

mod bench;
mod binaries;
mod check;
mod newcomer;
mod process;
mod repository;
mod server;
mod steps;
mod tools;
mod torture;

use std::process::ExitCode;

use repository::Repository;

const HELP: &str = "\
Usage: cargo xtask COMMAND

Commands:
  test [STEP...]       runs all checks, or the named ones with the steps that they need
  test --list          lists the steps
  bench [WORKLOAD...]  measures in a release build; prints one JSON line per measurement
  torture [--minutes N] [--seed S] [RIG...]
                       runs the randomised tests for longer, all or the named rigs
  torture --list       lists the rigs
  tools                installs the tools of the tests (target/tools, tests/node_modules, Debian packages)
  help                 prints this

Examples:
  cargo xtask test
  cargo xtask test fmt clippy
  cargo xtask bench append
  cargo xtask torture --minutes 60 --seed 7
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let outcome = match command {
        "test" => Repository::open().and_then(|repository| steps::main(&repository, rest)),
        "bench" => Repository::open().and_then(|repository| bench::main(&repository, rest)),
        "torture" => Repository::open().and_then(|repository| torture::main(&repository, rest)),
        "tools" => Repository::open().map(|repository| tools::install_all(&repository)),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        unknown => Err(format!("unknown command `{unknown}`; `cargo xtask help` lists them")),
    };
    match outcome {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}
