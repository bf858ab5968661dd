//! Whether a text says only what a page says already, as far as that can be told by its words.
//!
//! *Invariant:* pure, and strict: a name, a number, a path, a parameter or a line of kubectl that the page does not have is
//! found, at the price of a plain word that looks like one.

/// Marks that make markdown, a path, a placeholder or a value of a word.
const MARKS: &[char] = &['$', '/', '\\', '_', '=', '@', '%', ':', '&', '^'];
/// What prose has no use for: each would be markdown, or the placeholder of a secret.
const MARKUP: &[char] = &['<', '>', '|', '#', '*', '[', ']', '{', '}', '~', '\\', '+'];

/// What is wrong with a text as prose for a page; none where nothing is.
pub(super) fn problem(text: &str, page: &str) -> Option<String> {
    if let Some(mark) = text.chars().find(|mark| MARKUP.contains(mark) || mark.is_control()) {
        return Some(format!("it has `{}`, and only plain sentences fit", mark.escape_debug()));
    }
    let pieces: Vec<&str> = text.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return Some("a backtick is not closed".to_owned());
    }
    let code = pieces.iter().skip(1).step_by(2);
    if let Some(code) = code.copied().find(|code| code.is_empty() || !stands_in(page, code)) {
        return Some(format!("`{code}` does not stand in the runbook"));
    }
    let mut begins = true;
    for (index, piece) in pieces.iter().enumerate() {
        if !index.is_multiple_of(2) {
            begins = false;
            continue;
        }
        for word in piece.split_whitespace() {
            let bare = bare(word);
            if is_fact(bare, begins) && !stands_in(page, bare) {
                return Some(format!("`{bare}` does not stand in the runbook"));
            }
            if bare.eq_ignore_ascii_case("kubectl") {
                return Some("a command is none of the words".to_owned());
            }
            // Where a line begins with it, it would begin a list or underline a heading.
            if word.chars().all(|c| c == '-') || matches!(word, "1." | "1)") {
                return Some(format!("it has `{word}`, and only plain sentences fit"));
            }
            if !bare.is_empty() {
                begins = false;
            }
            if word.ends_with(['.', '!', '?', ':']) {
                begins = true;
            }
        }
    }
    None
}

/// A word without what a sentence puts around it.
fn bare(word: &str) -> &str {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && !MARKS.contains(&c) && c != '-');
    let word = word.trim_end_matches([':', '.']);
    word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word)
}

/// Whether a word says something of its own, and is none of the language.
fn is_fact(word: &str, begins: bool) -> bool {
    if word.chars().all(|c| !c.is_alphanumeric()) {
        return word.contains(MARKS);
    }
    let mut letters = word.chars();
    let first = letters.next().is_some_and(char::is_uppercase);
    word.contains(|c: char| c.is_numeric() || MARKS.contains(&c) || c == '.' || c == '-')
        || letters.any(char::is_uppercase)
        || first && !begins
}

/// Whether words stand in a page as such: not as a part of longer ones, and whatever lines they are broken into.
fn stands_in(page: &str, words: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let (begins, ends) = (words.starts_with(part), words.ends_with(part));
    page.match_indices(words).any(|(at, found)| {
        let before = page.get(..at).unwrap_or_default();
        let after = page.get(at + found.len()..).unwrap_or_default();
        !(begins && before.ends_with(part) || ends && after.starts_with(part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# The Service selects no pods

Seen as:

Service spec.selector: app=wbe
of 3 pods with label app none is selected; `EndpointSlice` stays empty, kube-proxy drops it

kubectl -n $NAMESPACE set selector service $SERVICE $SELECTOR
";

    #[test]
    fn a_fact_that_the_page_does_not_have_is_found() {
        let table = [
            ("The Service has a selector that fits none of the pods, so nobody gets traffic.", ""),
            ("Since `spec.selector` was changed, the EndpointSlice is empty; kube-proxy drops the traffic.", ""),
            ("Look at $SELECTOR: of 3 pods none is selected. Traffic stops at once.", ""),
            ("Traffic to the Service's pods fails.", ""),
            ("Of 4 pods none is selected.", "`4` does not stand in the runbook"),
            ("The pods of checkout-api are not selected.", "`checkout-api` does not stand in the runbook"),
            ("The label is app=web in truth.", "`app=web` does not stand in the runbook"),
            ("It was changed by Argo on Monday.", "`Argo` does not stand in the runbook"),
            ("See www.example.com for more.", "`www.example.com` does not stand in the runbook"),
            ("Delete it with `kubectl delete service`.", "`kubectl delete service` does not stand in the runbook"),
            ("Then kubectl delete it.", "a command is none of the words"),
            ("A CrashLoopBackOff follows.", "`CrashLoopBackOff` does not stand in the runbook"),
            ("Set $OTHER first.", "`$OTHER` does not stand in the runbook"),
            ("It is **broken**.", "it has `*`, and only plain sentences fit"),
            ("A [link](x).", "it has `[`, and only plain sentences fit"),
            ("The value <redacted:ab12> is wrong.", "it has `<`, and only plain sentences fit"),
            ("One line.\n\nAnother.", "it has `\\n`, and only plain sentences fit"),
            ("An `open end.", "a backtick is not closed"),
            ("The wb of it: `app=wb`.", "`app=wb` does not stand in the runbook"),
            ("No traffic - nobody gets any of it.", "it has `-`, and only plain sentences fit"),
            ("Run rm -rf on it.", "`-rf` does not stand in the runbook"),
        ];
        for (text, expected) in table {
            assert_eq!(problem(text, PAGE).unwrap_or_default(), expected, "{text}");
        }
    }
}
