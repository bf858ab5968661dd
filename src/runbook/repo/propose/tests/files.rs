//! Which files are written, and how.

use super::*;

#[test]
fn line_ends_stay_what_they_are() {
    // Attributes, the user's core.autocrlf, what the repository has, and what it has afterwards.
    let table = [
        ("", "false", "a\nb\n", "a\nB\nc\n"),
        ("", "true", "a\nb\n", "a\nB\nc\n"),
        ("", "input", "a\nb\n", "a\nB\nc\n"),
        ("", "false", "a\r\nb\r\n", "a\r\nB\r\nc\r\n"),
        ("", "true", "a\r\nb\r\n", "a\r\nB\r\nc\r\n"),
        ("*.md text eol=crlf\n", "false", "a\nb\n", "a\nB\nc\n"),
        ("*.md text eol=crlf\n", "true", "a\nb\n", "a\nB\nc\n"),
        ("*.md -text\n", "true", "a\r\nb\r\n", "a\r\nB\r\nc\r\n"),
    ];
    for (attributes, autocrlf, before, after) in table {
        let team = Team::new();
        team.write(".gitattributes", attributes);
        team.others_push("main");
        let blob = write_blob(&team, "runbooks/a/one.md", before);
        team.more_config(&format!("[core]\n\tautocrlf = {autocrlf}\n\tsafecrlf = true\n"));
        let edit = Edit { base_blob: Some(blob), ..edit("runbooks/a/one.md", "a\nB\nc\n") };
        let wish = wish(&[edit]);
        team.propose(&wish);
        let text = team.git("remote.git", &["cat-file", "blob", &format!("{BRANCH}:runbooks/a/one.md")]);
        assert_eq!(format!("{text}\n").replace("\r\n", "\n").matches('\n').count(), 3);
        let crs = if after.contains('\r') { 3 } else { 0 };
        let bytes = Git::new(team.path("remote.git"), NOW).run(&["show", &format!("{BRANCH}:runbooks/a/one.md")]);
        assert_eq!(String::from_utf8(bytes.unwrap()).unwrap(), after, "{attributes} {autocrlf} {crs}");
        assert!(team.propose(&wish).unchanged, "{attributes} {autocrlf}");
    }
}

/// Someone commits exactly these bytes to main.
fn write_blob(team: &Team, path: &str, text: &str) -> String {
    team.write("bytes", text);
    let blob = team.git("other", &["hash-object", "-w", "--no-filters", "bytes"]);
    std::fs::remove_file(team.path("other/bytes")).unwrap();
    team.git("other", &["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")]);
    team.git("other", &["commit", "-qm", "bytes"]);
    team.git("other", &["push", "-q", "../remote.git", "HEAD:main"]);
    blob
}

#[test]
fn filters_leave_a_text_or_are_refused() {
    let pointer = "printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:0\\nsize 6\\n'";
    // The filter by .gitattributes, its `clean` in the user's configuration, and what comes of it.
    let table = [
        ("lfs", None, Ok(Some("`runbooks/a/two.md` is for Git LFS by .gitattributes; it is committed as plain text"))),
        ("lfs", Some(pointer), Err("what it makes of the text is no runbook")),
        ("git-crypt", None, Err("it is not set up here")),
        ("git-crypt", Some("printf '\\0GITCRYPT\\0'; cat >/dev/null"), Err("what it makes of the text is no runbook")),
        ("tidy", Some("sed 's/ *$//'"), Ok(None)),
    ];
    for (filter, clean, expected) in table {
        let team = Team::new();
        team.write(".gitattributes", &format!("*.md filter={filter} diff={filter}\n"));
        team.others_push("main");
        if let Some(clean) = clean {
            let clean = clean.replace('\\', "\\\\");
            team.more_config(&format!("[filter \"{filter}\"]\n\tclean = \"{clean}\"\n"));
        }
        match (propose(&team.wanted(), &new_one(), NOW), expected) {
            (Ok(proposed), Ok(note)) => {
                assert_eq!(proposed.notes, note.into_iter().collect::<Vec<_>>());
                assert_eq!(team.shown(BRANCH, "runbooks/a/two.md"), "# Two");
            }
            (Err(error), Err(words)) => {
                assert!(error.to_string().contains(words), "{filter}: {error}");
                assert!(error.hint().unwrap().contains("runbooks/a/*.md !filter"), "{:?}", error.hint());
                assert!(!team.remote_has(BRANCH));
            }
            (other, _) => panic!("{filter} {clean:?}: {other:?}"),
        }
    }
}

#[test]
fn nothing_is_written_through_what_is_no_folder() {
    let team = Team::new();
    let outside = team.path("outside");
    std::fs::create_dir_all(&outside).unwrap();
    let link = team.git("other", &["hash-object", "-w", "--stdin"]);
    let commit = team.git("other", &["rev-parse", "HEAD"]);
    for (mode, object, path) in
        [("120000", &link, "linked"), ("120000", &link, "runbooks/link.md"), ("160000", &commit, "module")]
    {
        team.git("other", &["update-index", "--add", "--cacheinfo", &format!("{mode},{object},{path}")]);
    }
    team.git("other", &["commit", "-qm", "links"]);
    team.git("other", &["push", "-q", "../remote.git", "HEAD:main"]);
    let table = [
        ("linked/x.md", "`linked` is a symbolic link"),
        ("runbooks/link.md", "it is a symbolic link"),
        ("module/x.md", "`module` is a submodule"),
        ("README.md/x.md", "`README.md` is a file"),
        ("runbooks/a", "it is a folder"),
        ("../x.md", "begin with a dot"),
        (".github/workflows/x.yml", "begin with a dot"),
        ("/x.md", "from the root"),
    ];
    for (path, words) in table {
        let error = team.fails(&wish(&[edit(path, "x\n")]));
        assert!(error.to_string().contains(words), "{path}: {error}");
    }
    let error = team.fails(&wish(&[edit("x/a.md", "x\n"), edit("X/A.md", "x\n")]));
    assert!(error.to_string().contains("named twice"), "{error}");
    assert_eq!(std::fs::read_dir(outside).unwrap().count(), 0);
    // Beside them there is room, and they stay.
    team.propose(&wish(&[edit("runbooks/b/x.md", "x\n")]));
    assert_eq!(team.git("remote.git", &["diff", "--name-only", "main", BRANCH]), "runbooks/b/x.md");
}

#[test]
fn all_other_content_stays_as_it_is() {
    let team = Team::new();
    team.write(".gitignore", "two.md\nruns/\n");
    team.write("runbooks/ärger, \"x\".md", "# Name\n");
    team.write("*.md", "# A star\n");
    team.others_push("main");
    // A person who likes sparse checkouts, and whose git is told to ignore and to split.
    team.more_config(
        "[core]\n\tsparseCheckout = true\n\tsparseCheckoutCone = true\n\tfileMode = true\n\tsplitIndex = true\n\t\
         untrackedCache = true\n[index]\n\tsparse = true\n[diff]\n\trenames = copies\n[add]\n\tignoreErrors = true\n",
    );
    let edits = [edit("runbooks/a/two.md", "# Two\n"), edit("tools/run.sh", "#!/bin/sh\nexit\n")];
    team.propose(&wish(&edits));
    let changed = team.git("remote.git", &["diff", "--raw", "--no-renames", "--abbrev=4", "main", BRANCH]);
    let modes: Vec<String> = changed
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            format!("{} {} {} {}", words[0], words[1], words[4], words[5])
        })
        .collect();
    assert_eq!(modes, [":000000 100644 A runbooks/a/two.md", ":100755 100755 M tools/run.sh"]);
    // A star is a name.
    team.propose(&Wish { branch: "react/name".to_owned(), ..wish(&[edit("runbooks/[a].md", "# Odd\n")]) });
    assert_eq!(team.git("remote.git", &["diff", "--name-only", "main", "react/name"]), "runbooks/[a].md");
}

#[test]
fn sources_of_every_shape_are_proposed_to() {
    let team = Team::new();
    let url = format!("file://{}", team.path("remote.git").display());
    team.git("", &["clone", "-q", "--depth", "1", &url, "shallow"]);
    team.git("", &["clone", "-q", &url, "sparse"]);
    team.git("sparse", &["sparse-checkout", "set", "tools"]);
    team.git("", &["clone", "-q", "--no-checkout", "--filter=blob:none", &url, "partial"]);
    for source in ["shallow", "sparse", "sparse/tools", "remote.git"] {
        let wanted = team.wanted_at(source);
        let wish = Wish { branch: format!("react/{}", source.replace('/', "-")), ..new_one() };
        let proposed = propose(&wanted, &wish, NOW).unwrap();
        assert_eq!((proposed.base.as_str(), &proposed.pushed), ("main", &Pushed::Yes), "{source}");
        let told = proposed.notes.iter().any(|note| note.contains("push origin react/"));
        assert_eq!(told, source != "remote.git", "{source}: {:?}", proposed.notes);
        assert_eq!(propose(&wanted, &wish, NOW).unwrap().pushed, Pushed::UpToDate, "{source}");
    }
    // Nobody's checkout moved.
    assert_eq!(team.git("sparse", &["status", "--porcelain", "--branch"]), "## main...origin/main");
}
