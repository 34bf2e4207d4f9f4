//! The `rookery` program.

/// Faster than the allocator of the system, and returns memory after large answers (decision 50).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    rookery_server::program::main()
}
