//! Programs on the PATH that kubectl takes for us.
//!
//! Kubectl looks for the longest name first: `kubectl react diagnose` runs `kubectl-react-diagnose` where there is one.

use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::check::Check;
use crate::act;
use crate::cli::Cli;

/// What begins so is taken for a part of us.
const PREFIX: &str = "kubectl-react-";

/// Whether a program shadows one of our subcommands, or us.
pub(super) fn check() -> Check {
    let programs = programs(std::env::var_os("PATH").as_deref());
    let subcommands: Vec<String> =
        Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let ourselves = std::env::current_exe().and_then(|path| path.canonicalize()).ok();
    told(&programs, &subcommands, ourselves.as_deref())
}

/// The programs on the PATH that are called like us, the first folder first.
fn programs(path: Option<&std::ffi::OsStr>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in std::env::split_paths(path.unwrap_or_default()) {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let mut here: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| name(path).is_some_and(|name| name == "kubectl-react" || name.starts_with(PREFIX)))
            .filter(|path| act::runs(path))
            .collect();
        here.sort();
        found.extend(here);
    }
    found.dedup();
    found
}

/// The name without what Windows puts behind it.
fn name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    Some(name.strip_suffix(".exe").unwrap_or(name).to_owned())
}

fn told(programs: &[PathBuf], subcommands: &[String], ourselves: Option<&Path>) -> Check {
    let mut shadows = Vec::new();
    let mut others = 0;
    for program in programs {
        let name = name(program).unwrap_or_default();
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        let words: Vec<String> = rest.split('-').map(|word| word.replace('_', "-")).collect();
        if words.first().is_some_and(|word| subcommands.contains(word)) {
            shadows.push(format!("`kubectl react {}` runs {}", words.join(" "), program.display()));
        } else {
            others += 1;
        }
    }
    if !shadows.is_empty() {
        return Check::failed("plugin", shadows.join("; ")).hint("take it off the PATH, or give it another name");
    }
    let first = programs.iter().find(|program| name(program).is_some_and(|name| name == "kubectl-react"));
    let same = |path: &Path| path.canonicalize().is_ok_and(|path| Some(path.as_path()) == ourselves);
    let others = match others {
        0 => String::new(),
        1 => "; 1 other program is called like a part of it, and hides nothing".to_owned(),
        many => format!("; {many} other programs are called like parts of it, and hide nothing"),
    };
    match first {
        None => {
            Check::note("plugin", format!("`kubectl react` finds nothing: kubectl-react is not on the PATH{others}"))
                .hint("install it with `kubectl krew install react`, or put its folder on the PATH")
        }
        Some(first) if same(first) => Check::ok("plugin", format!("{}{others}", first.display())),
        Some(first) => Check::warning(
            "plugin",
            format!("`kubectl react` runs {}, which is not the program that runs now{others}", first.display()),
        )
        .hint("`kubectl plugin list` shows which one is found first"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_name_hides_a_subcommand() {
        let subcommands = ["diagnose".to_owned(), "incidents".to_owned()];
        let table = [
            (vec!["/b/kubectl-react-diagnose"], "`kubectl react diagnose` runs /b/kubectl-react-diagnose"),
            (
                vec!["/b/kubectl-react-incidents-list"],
                "`kubectl react incidents list` runs /b/kubectl-react-incidents-list",
            ),
            (
                vec!["/b/kubectl-react-native"],
                "`kubectl react` finds nothing: kubectl-react is not on the PATH; 1 other program is called like a part of it, and hides nothing",
            ),
            (
                vec!["/no/kubectl-react"],
                "`kubectl react` runs /no/kubectl-react, which is not the program that runs now",
            ),
        ];
        for (programs, expected) in table {
            let programs: Vec<PathBuf> = programs.into_iter().map(PathBuf::from).collect();
            assert_eq!(told(&programs, &subcommands, None).said, expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn programs_are_found_in_the_order_of_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        for (place, name, mode) in
            [(&b, "kubectl-react", 0o755), (&a, "kubectl-react-x", 0o755), (&a, "kubectl-react-y", 0o644)]
        {
            std::fs::create_dir_all(place).unwrap();
            std::fs::write(place.join(name), "").unwrap();
            std::fs::set_permissions(place.join(name), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        }
        let path = std::env::join_paths([&a, &b, &folder.path().join("none")]).unwrap();
        let ours = b.join("kubectl-react");
        let found = programs(Some(&path));
        assert_eq!(found, [a.join("kubectl-react-x"), ours.clone()]);
        let here = ours.canonicalize().unwrap();
        assert!(told(&found, &[], Some(&here)).said.starts_with(ours.to_str().unwrap()));
    }
}
