//! The program: starts the library's command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    // One TLS provider for all clients; that another is there already is no fault.
    let _ = rustls::crypto::ring::default_provider().install_default();
    kubectl_react::cli::run(std::env::args_os())
}
