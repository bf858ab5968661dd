//! A program that may have a token: `gh`, `git`.
//!
//! *Invariant:* it is run without a shell, in a time, and asks nobody. Nothing secret is in its arguments; what it prints
//! goes to whoever asked and nowhere else.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::runbook::repo::POINTERS;

/// How long it may take: a helper may unlock a key ring.
const LIMIT: Duration = Duration::from_secs(20);
/// The most that is read of what it prints.
const MOST: u64 = 64 << 10;

/// A program, with its arguments and what it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    name: &'static str,
    args: Vec<String>,
    input: String,
}

impl Program {
    pub(super) fn new(name: &'static str, args: &[&str], input: &str) -> Program {
        Program { name, args: args.iter().map(|arg| (*arg).to_owned()).collect(), input: input.to_owned() }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        self.name
    }

    /// What it is given to read.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// As it would be typed.
    pub fn shown(&self) -> String {
        format!("{} {}", self.name, self.args.join(" "))
    }
}

/// What a program prints; `None` where it is not there, fails, or takes too long. It blocks, and is for no async task.
pub fn run(program: &Program) -> Option<String> {
    within(program, LIMIT)
}

fn within(program: &Program, limit: Duration) -> Option<String> {
    let mut command = Command::new(program.name);
    command.args(&program.args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    for name in POINTERS {
        command.env_remove(name);
    }
    command
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GCM_INTERACTIVE", "never")
        .env("GH_PROMPT_DISABLED", "1")
        // A window that asks for a password.
        .env_remove("SSH_ASKPASS");
    let mut child = command.spawn().ok()?;
    if let Some(mut stdin) = child.stdin.take() {
        let input = program.input.clone();
        // Where it does not read, it does not need to.
        thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    }
    let stdout = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stdout.take(MOST).read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    let printed = receiver.recv_timeout(limit);
    if printed.is_err() {
        // It may be gone already.
        let _ = child.kill();
    }
    let status = child.wait().ok()?;
    let printed = printed.ok()?;
    if status.success() { String::from_utf8(printed).ok() } else { None }
}
