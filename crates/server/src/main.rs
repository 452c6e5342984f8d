//! The `bulla` command.

/// What one thread allocates another often frees here, for which the C library's allocator takes locks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    bulla_server::main()
}
