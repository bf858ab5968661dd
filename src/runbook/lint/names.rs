//! What a runbook is called: its name, its title, and what took its place.

use crate::model::runbook::Status;

use super::{File, Group, Tree};
use crate::near::nearest;
use crate::runbook::derive::stem;
use crate::runbook::problem::{Gravity, Problem, Rule};

pub(super) const GROUP: Group = Group {
    rules: &[&NAME_NOT_STEM, &NAME_TAKEN, &NOT_OURS, &SCHEMA_MISSING, &SUCCESSOR_MISSING, &TITLE_NOT_HEADING],
    check,
};

const NAME_NOT_STEM: Rule = Rule {
    id: "name-not-stem",
    severity: Gravity::Error,
    summary: "`name` is not the file's name",
    doc: "Who reads a name in an answer looks for the file, and the other way round: `oom-killed` is in `oom-killed.md`.",
};

const NAME_TAKEN: Rule = Rule {
    id: "name-taken",
    severity: Gravity::Error,
    summary: "two runbooks have one name",
    doc: "A name stands for one runbook in the whole tree, whatever its folder: `runbooks show NAME` and `supersededBy` \
          know it by nothing else.",
};

const NOT_OURS: Rule = Rule {
    id: "not-ours",
    severity: Gravity::Note,
    summary: "a file has no front matter of ours",
    doc: "It is found by its words and, where its name is an alert's, by that alert; it counts as a draft, and nothing of it \
          is run. `kubectl react runbooks import` gives files of a collection their front matter.",
};

const SCHEMA_MISSING: Rule = Rule {
    id: "schema-missing",
    severity: Gravity::Error,
    summary: "front matter looks like ours and lacks `schema: runbook/v1`",
    doc: "Without `schema: runbook/v1` a file counts as one of someone else's: its `match` and `automation` say nothing.",
};

const SUCCESSOR_MISSING: Rule = Rule {
    id: "successor-missing",
    severity: Gravity::Error,
    summary: "a deprecated runbook does not lead to the one that took its place",
    doc: "`status: deprecated` needs `supersededBy`, the name of a runbook that exists and is not deprecated itself for \
          ever: who finds the old one is led to the new one.",
};

const TITLE_NOT_HEADING: Rule = Rule {
    id: "title-not-heading",
    severity: Gravity::Error,
    summary: "the first heading is not the title",
    doc: "The heading of level 1 repeats `title`: the page that a forge shows and the line that `diagnose` prints are the same.",
};

/// Keys that nobody else's front matter has.
const OURS: &[&str] = &["automation", "match", "rootCause", "appliesTo", "supersededBy"];

fn check(tree: &Tree<'_>, file: &File<'_>, problems: &mut Vec<Problem>) {
    let front = &file.runbook.front;
    let path = &file.parsed.place.path;
    if let Some(first) = tree.named.get(front.name.as_str()).and_then(|named| named.first())
        && first.place.path != *path
    {
        let message = format!("the name `{}` is that of `{}` too", front.name, first.place.path);
        let weight = if file.runbook.derived { Gravity::Warning } else { Gravity::Error };
        problems.push(file.problem(&NAME_TAKEN, file.parsed.line_of("name"), message).weighing(weight));
    }
    if file.runbook.derived {
        let ours = OURS.iter().filter(|key| file.parsed.has_key(key)).min_by_key(|key| file.parsed.line_of(key));
        problems.push(match ours {
            Some(key) => file
                .problem(&SCHEMA_MISSING, file.parsed.line_of(key), format!("there is `{key}` and no `schema`"))
                .hint("begin the front matter with `schema: runbook/v1`"),
            None => file
                .problem(&NOT_OURS, 1, "there is no front matter of ours: this is a draft")
                .hint("`kubectl react runbooks import` writes one"),
        });
        return;
    }
    if front.name != stem(path) {
        let message = format!("`name` is `{}`, and the file is `{}.md`", front.name, stem(path));
        problems.push(file.problem(&NAME_NOT_STEM, file.parsed.line_of("name"), message));
    }
    title(file, problems);
    successor(tree, file, problems);
}

fn title(file: &File<'_>, problems: &mut Vec<Problem>) {
    let plain = |text: &str| text.replace(['`', '*'], "");
    let title = &file.runbook.front.title;
    let first = file.parsed.outline.headings.iter().find(|heading| heading.level == 1);
    let problem = match first {
        None => file.problem(&TITLE_NOT_HEADING, file.parsed.line_of("title"), "there is no heading of level 1"),
        Some(first) if plain(&first.text) != plain(title) => file.problem(
            &TITLE_NOT_HEADING,
            first.line,
            format!("the heading is `{}`, and `title` is `{title}`", first.text),
        ),
        Some(_) => return,
    };
    problems.push(problem.weighing(file.weight()).hint(format!("write `# {title}`")));
}

fn successor(tree: &Tree<'_>, file: &File<'_>, problems: &mut Vec<Problem>) {
    let front = &file.runbook.front;
    let line = file.parsed.line_of(if front.superseded_by.is_some() { "supersededBy" } else { "status" });
    let mut say = |message: String, hint: Option<String>| {
        let problem = file.problem(&SUCCESSOR_MISSING, line, message);
        problems.push(Problem { hint, ..problem });
    };
    match (&front.superseded_by, front.status) {
        (None, Status::Deprecated) => {
            say(
                "it is deprecated, and nothing says what took its place".to_owned(),
                Some("name it in `supersededBy`".to_owned()),
            );
        }
        (Some(name), _) if !tree.named.contains_key(name.as_str()) && !tree.options.others.contains(&name.as_str()) => {
            let known = tree.named.keys().chain(tree.options.others).copied();
            let hint = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
            say(format!("there is no runbook `{name}`"), hint);
        }
        (Some(_), Status::Draft | Status::Active) => {
            say(
                "something took its place, and it is not deprecated".to_owned(),
                Some("set `status: deprecated`".to_owned()),
            );
        }
        (Some(_), Status::Deprecated) if circles(tree, &front.name) => {
            say("the way to what took its place leads in a circle".to_owned(), None);
        }
        _ => {}
    }
}

/// Whether following `supersededBy` never ends.
fn circles(tree: &Tree<'_>, name: &str) -> bool {
    let mut name = name;
    for _ in 0..=tree.named.len() {
        let next = tree
            .named
            .get(name)
            .and_then(|named| named.first())
            .and_then(|runbook| runbook.front.superseded_by.as_deref());
        match next {
            Some(next) => name = next,
            None => return false,
        }
    }
    true
}
