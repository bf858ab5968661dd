//! The program: starts the library's command line.

use std::process::ExitCode;

/// A large cluster is some millions of small pieces of text, read by several threads: musl's allocator,
/// which the release is linked with, is slow at that, and glibc's keeps what each thread gave back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // One TLS provider for all clients; that another is there already is no fault.
    let _ = rustls::crypto::ring::default_provider().install_default();
    kubectl_react::cli::run(std::env::args_os())
}
