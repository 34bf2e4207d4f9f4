//! The `rookery` program.

fn main() -> std::process::ExitCode {
    rookery_server::program::main()
}
