//! Whatever shape the team's checkout has: one commit with one file, and nobody's work is touched.

use std::fs;

use super::team::Team;
use crate::forge::servers::GITHUB;

/// What a checkout is like: its name, commands of git in it, and files that are written then, uncommitted.
type Shape = (&'static str, &'static [&'static [&'static str]], &'static [(&'static str, &'static str)]);

const SHAPES: &[Shape] = &[
    ("as it is cloned", &[], &[]),
    ("detached", &[&["switch", "-q", "--detach", "HEAD"]], &[]),
    ("sparse", &[&["sparse-checkout", "set", "docs"]], &[]),
    (
        "on a branch of its own",
        &[&["switch", "-q", "-c", "draft"]],
        &[("README.md", "# Not yet\n"), ("new.txt", "x\n")],
    ),
    ("with other line ends", &[&["config", "core.autocrlf", "true"]], &[]),
    ("with hooks", &[&["config", "core.hooksPath", "hooks"]], &[("hooks/pre-commit", "#!/bin/sh\nexit 1\n")]),
];

#[test]
fn a_checkout_of_any_shape_is_recorded_to_and_left_alone() {
    for (name, prepare, files) in SHAPES {
        let mut team = Team::new(GITHUB);
        // What else a repository has: images in Git LFS, code, a folder of documents.
        team.has(".gitattributes", "*.png filter=lfs diff=lfs merge=lfs -text\n*.bat text eol=crlf\n");
        team.has("docs/guide.md", "# Guide\n");
        team.has("run.bat", "echo\r\n");
        for args in *prepare {
            team.git(&[&["-C", "clone"], *args].concat());
        }
        for (file, text) in *files {
            let path = team.path("clone").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            super::executable(&path);
        }
        let state = |team: &Team| {
            let status = team.git(&["-C", "clone", "status", "--porcelain", "--branch"]);
            (status, team.git(&["-C", "clone", "rev-parse", "HEAD"]))
        };
        let before = state(&team);
        team.env.push(("KUBECTL_REACT_FORGE_KIND", "none".to_owned()));
        let source = team.path("clone");
        team.source = source.to_str().unwrap().to_owned();
        if *name == "detached" {
            let (success, said) = team.record(&["--yes"]);
            assert!(!success && said.contains("hint: name the branch with `runbooks.branch`"), "{said}");
            team.env.push(("KUBECTL_REACT_RUNBOOKS_BRANCH", "main".to_owned()));
        }
        team.recorded(&["--yes"]);
        let (status, head) = state(&team);
        assert_eq!((&status, &head), (&before.0, &before.1), "{name}");
        let branches = team.git(&["-C", "clone", "for-each-ref", "--format=%(refname:short)", "refs/heads/react"]);
        assert_eq!(branches.lines().count(), 1, "{name}: {branches}");
        let changed = team.git(&["-C", "clone", "diff", "--name-only", "origin/main", &branches]);
        assert_eq!(changed, "runbooks/network/service-selects-nothing.md", "{name}");
        let commit = team.git(&["-C", "clone", "rev-parse", &branches]);
        team.recorded(&["--yes"]);
        assert_eq!(team.git(&["-C", "clone", "rev-parse", &branches]), commit, "{name}: there is another commit");
        team.is_clean();
    }
}

#[test]
fn runbooks_below_another_folder_are_recorded_there() {
    let mut team = Team::new(GITHUB);
    team.has("ops/runbooks/README.md", "# Ours\n");
    team.has("src/main.rs", "fn main() {}\n");
    team.env.push(("KUBECTL_REACT_FORGE_KIND", "none".to_owned()));
    team.env.push(("KUBECTL_REACT_RUNBOOKS_PATH", "ops/runbooks".to_owned()));
    team.recorded(&["--yes"]);
    let branch = team.is_once();
    let changed = team.git(&["-C", "team.git", "diff", "--name-only", "main", &branch]);
    assert_eq!(changed, "ops/runbooks/network/service-selects-nothing.md");
}

#[test]
fn without_a_folder_to_keep_a_clone_in_there_is_another() {
    let mut team = Team::new(GITHUB);
    team.env.push(("KUBECTL_REACT_FORGE_KIND", "none".to_owned()));
    let temporary = team.path("tmp");
    fs::create_dir(&temporary).unwrap();
    team.env.push(("TMPDIR", temporary.to_str().unwrap().to_owned()));
    // A file where the folder would be: nobody may write there, not even root.
    fs::write(team.path("cache"), "").unwrap();
    team.recorded(&["--yes"]);
    team.recorded(&["--yes"]);
    team.is_once();
    assert!(temporary.join("kubectl-react").is_dir());
    // One that others can write to is none to believe.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(temporary.join("kubectl-react"), fs::Permissions::from_mode(0o777)).unwrap();
        team.recorded(&["--yes"]);
        assert_eq!(fs::read_dir(&temporary).unwrap().count(), 2);
    }
}
