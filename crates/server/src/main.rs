//! The `rookery` program.

/// It takes less time than the allocator of the system, and gives memory back after large answers (decision 50).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    rookery_server::program::main()
}
