//! Links within the repository, and the anchors that they lead to.

use std::collections::{BTreeMap, BTreeSet};

use super::{File, Group, MOST, Tree};
use crate::near::nearest;
use crate::runbook::markdown::Outline;
use crate::runbook::problem::{Gravity, Problem, Rule};

pub(super) const GROUP: Group = Group { rules: &[&LINK_DEAD], check };

const LINK_DEAD: Rule = Rule {
    id: "link-dead",
    severity: Gravity::Error,
    summary: "a link leads to a file or a heading that does not exist",
    doc: "Relative links are followed within the repository and `#…` to headings as GitHub names them: lower case, words \
          joined by `-`. A link out of the repository must have a scheme. In drafts this is a warning.",
};

fn check(tree: &Tree<'_>, file: &File<'_>, problems: &mut Vec<Problem>) {
    let path = &file.parsed.place.path;
    let weight = file.weight();
    let mut known: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let before = problems.len();
    for link in &file.parsed.outline.links {
        if problems.len() - before >= MOST {
            break;
        }
        let mut say = |message: String, hint: Option<String>| {
            let problem = file.problem(&LINK_DEAD, link.line, message).at(link.column).weighing(weight);
            problems.push(Problem { hint, ..problem });
        };
        if has_scheme(&link.target) || link.target.is_empty() {
            continue;
        }
        let (target, anchor) =
            link.target.split_once('#').map_or((link.target.as_str(), None), |(to, at)| (to, Some(at)));
        let target = decoded(target.split('?').next().unwrap_or_default());
        let Some(to) = (if target.is_empty() { Some(path.clone()) } else { resolve(path, &target) }) else {
            say(format!("`{}` leads out of the repository", link.target), None);
            continue;
        };
        let Some(to) = tree.files.get(to.as_str()) else {
            if !(tree.options.exists)(&to) {
                let stem = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
                let same = tree.files.keys().find(|known| stem(known) == stem(&to));
                let hint = same.map(|same| format!("there is `{}`", relative(path, same)));
                say(format!("there is no file `{to}`"), hint);
            }
            continue;
        };
        let Some(anchor) = anchor.filter(|anchor| !anchor.is_empty() && *anchor != "top") else { continue };
        let anchors = known.entry(&to.place.path).or_insert_with(|| anchors(&to.outline));
        let anchor = decoded(anchor);
        if !anchors.contains(&anchor) {
            let hint =
                nearest(&anchor, anchors.iter().map(String::as_str)).map(|near| format!("did you mean `#{near}`?"));
            let place = if to.place.path == *path { "here".to_owned() } else { format!("in `{}`", to.place.path) };
            say(format!("there is no heading `#{anchor}` {place}"), hint);
        }
    }
}

/// `https:`, `mailto:`, and `//host` too.
fn has_scheme(target: &str) -> bool {
    if target.starts_with("//") {
        return true;
    }
    let Some((scheme, _)) = target.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// The path in the repository that a link in the file `from` means; nothing where it leads out of it.
fn resolve(from: &str, target: &str) -> Option<String> {
    let absolute = target.starts_with('/');
    let mut parts: Vec<&str> = if absolute { Vec::new() } else { from.split('/').collect() };
    if !absolute {
        parts.pop();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part if part.contains('\\') => return None,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// How a file says the way to another.
fn relative(from: &str, to: &str) -> String {
    let mut from: Vec<&str> = from.split('/').collect();
    let mut to: Vec<&str> = to.split('/').collect();
    from.pop();
    while !from.is_empty() && to.len() > 1 && from.first() == to.first() {
        from.remove(0);
        to.remove(0);
    }
    "../".repeat(from.len()) + &to.join("/")
}

/// With `%20` and the like read.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.extend(u8::try_from(high * 16 + low));
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The anchors of a document: of its headings, as GitHub makes them, and of its HTML.
fn anchors(outline: &Outline) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = outline.anchors.clone();
    for heading in &outline.headings {
        let slug = slug(&heading.text);
        let count = seen.entry(slug.clone()).or_default();
        anchors.insert(if *count == 0 { slug } else { format!("{slug}-{count}") });
        *count += 1;
    }
    anchors
}

/// The anchor that GitHub gives a heading.
fn slug(heading: &str) -> String {
    let mut slug = String::new();
    for c in heading.trim().chars() {
        match c {
            ' ' => slug.push('-'),
            '-' | '_' => slug.push(c),
            c if c.is_alphanumeric() => slug.extend(c.to_lowercase()),
            _ => {}
        }
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_githubs() {
        for (heading, expected) in [
            ("Escalation", "escalation"),
            ("What's `kubectl get` for?", "whats-kubectl-get-for"),
            ("A - b", "a---b"),
            ("Über uns_x", "über-uns_x"),
            ("1. First", "1-first"),
        ] {
            assert_eq!(slug(heading), expected);
        }
    }

    #[test]
    fn paths_stay_in_the_repository() {
        for (target, expected) in [
            ("b.md", Some("runbooks/a/b.md")),
            ("../b/c.md", Some("runbooks/b/c.md")),
            ("../../README.md", Some("README.md")),
            ("../../../etc/passwd", None),
            ("/docs/x.md", Some("docs/x.md")),
            ("..\\..\\x", None),
            ("./", Some("runbooks/a")),
        ] {
            assert_eq!(resolve("runbooks/a/x.md", target).as_deref(), expected, "{target}");
        }
        assert_eq!(relative("runbooks/a/x.md", "runbooks/b/y.md"), "../b/y.md");
        assert_eq!(relative("runbooks/a/x.md", "runbooks/a/y.md"), "y.md");
        assert_eq!(decoded("a%20b%zz%"), "a b%zz%");
    }
}
