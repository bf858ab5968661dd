//! What an observation proves: what the cluster said, without the words that the model itself put into its call.
//!
//! A literal of a jsonpath, a header of a column and a name that was asked for come back in the answer. They say what
//! was asked, not what is. Each of them is barred: a quote can't hold it, nor reach over it, and no name is read in it.
//! A call whose own words can't be told from the answer proves nothing: a query that makes labels, a template that is
//! not read here, a line that was cut before it ended. `explain` prints documentation, which proves nothing about a
//! cluster. What a query computes is not looked through: the value of `up * 0 + 137` counts.
//!
//! Of a call that failed only what the API said counts, never our own words on a line that can't be read.
//!
//! *Invariant:* pure; decided from the recorded action and text alone, so a replay decides the same.

use crate::kubectl::{self, Command};
use crate::model::Step;

use super::names;

/// Stands for each letter that is the model's own.
pub(super) const BAR: char = '\u{fffc}';

/// How a list without a line says so; the namespace in it is as it was asked for.
const EMPTY: &[&str] = &["No resources found", "No events found"];

/// What an API says of a call that failed; a quote that has it may name what was asked for.
const SAID: &[&str] = &["not found", "forbidden", "no resource type", "is waiting to start"];

/// What we say of a call ourselves.
const OURS: &[&str] = &["can't be read", "is not supported", "not in this snapshot", "the line is for the context"];

/// Functions of Prometheus' language that make labels.
const LABELLING: &[&str] = &["label_replace", "label_join", "count_values", "absent"];

/// Words between values that say nothing.
const BETWEEN: &[&str] = &["and", "at", "by", "from", "in", "of", "on", "to"];

/// What one step proves.
#[derive(Debug)]
pub(super) struct Proof {
    /// The step; 0 is the start.
    pub(super) number: usize,
    /// What was asked, as it is shown.
    pub(super) action: String,
    /// The same, where it is a line of kubectl.
    pub(super) line: Option<Command>,
    /// Whether it failed.
    pub(super) failed: bool,
    /// The text, with what is the model's own barred.
    pub(super) text: String,
    /// Lines of the API about what was asked for; of a call that failed.
    said: Vec<String>,
}

impl Proof {
    /// Step 0.
    pub(super) fn start(evidence: &str) -> Proof {
        let (action, text) = (String::new(), evidence.to_owned());
        Proof { number: 0, action, line: None, failed: false, text, said: Vec::new() }
    }

    /// What a step proves, if anything; `origin` made the call whose answer it shows.
    pub(super) fn of(step: &Step, origin: &Step) -> Option<Proof> {
        if step.observation.withheld {
            return None;
        }
        let (number, action, text) = (step.number, origin.action.clone(), &step.observation.text);
        let line = line(&origin.action);
        if step.observation.failed {
            let line = line.filter(|line| matches!(line, Command::Read(_)))?;
            let (text, said) = refused(text, &origin.action, &line);
            return Some(Proof { number, action, line: Some(line), failed: true, text, said });
        }
        if writes_its_own(origin, line.as_ref()) || line.as_ref().is_some_and(|line| line.verb() == "explain") {
            return None;
        }
        let mut own = line.as_ref().map(literals).unwrap_or_default();
        if EMPTY.iter().any(|empty| text.contains(empty)) {
            own.extend(line.as_ref().and_then(|line| line.namespace()).map(str::to_owned));
        }
        Some(Proof { number, action, failed: false, text: barred(text, &own), line, said: Vec::new() })
    }

    /// Lets the namespace of an empty list count: it was read elsewhere.
    pub(super) fn admit_namespace(&mut self, text: &str) {
        if let Some(line) = &self.line {
            self.text = barred(text, &literals(line));
        }
    }

    /// The namespace that was asked for, where nothing was in it.
    pub(super) fn empty_namespace(&self) -> Option<&str> {
        let empty = !self.failed && EMPTY.iter().any(|empty| self.text.contains(empty));
        self.line.as_ref().filter(|_| empty).and_then(|line| line.namespace())
    }

    /// The lines in which the API may be quoted on what was asked for.
    pub(super) fn said(&self, quote: &str) -> impl Iterator<Item = &str> {
        let says = SAID.iter().any(|said| quote.contains(said));
        self.said.iter().map(String::as_str).filter(move |_| says)
    }

    /// Whether this object was asked for and is not there.
    pub(super) fn misses(&self, name: &str) -> bool {
        let asked = |line: &Command| line.targets().iter().any(|target| target.name.as_deref() == Some(name));
        let gone = |line: &String| line.contains("not found") && names::stands(line, name);
        self.line.as_ref().is_some_and(asked) && self.said.iter().any(gone)
    }
}

/// The line of kubectl in an action, without what filters its answer.
fn line(action: &str) -> Option<Command> {
    let line = action.split(" (grep ").next().unwrap_or_default();
    kubectl::parse(line).ok()
}

/// Whether a call may write words into its answer that can't be told from it.
fn writes_its_own(step: &Step, line: Option<&Command>) -> bool {
    let head = step.action.split(" (grep ").next().unwrap_or_default();
    let cut = head.ends_with('…');
    if step.tool == "query_prometheus" {
        return cut || LABELLING.iter().any(|function| head.contains(function));
    }
    let shapes = ["{", "custom-columns", "template", "label-columns", "-L"].iter().any(|form| head.contains(form));
    shapes && (cut || line.is_none())
}

/// What of a failed call's text counts, and the lines of the API on what was asked for.
fn refused(text: &str, action: &str, line: &Command) -> (String, Vec<String>) {
    let asked: Vec<String> = line.argv().into_iter().skip(1).flat_map(|word| parts(&word)).collect();
    let (mut kept, mut said) = (String::new(), Vec::new());
    for row in text.lines() {
        if row.starts_with("hint: near: ") {
            kept.push_str(&format!("{row}\n"));
        }
        if row.starts_with("hint: ") || OURS.iter().any(|ours| row.contains(ours)) {
            continue;
        }
        kept.push_str(&format!("{}\n", barred(row, &asked)));
        let by_the_api = SAID.iter().any(|said| row.contains(said) && !action.contains(said));
        // No object has a name of several words: it would be a sentence of the model.
        if by_the_api && !asked.iter().any(|word| word.contains(char::is_whitespace)) {
            said.push(row.to_owned());
        }
    }
    (kept, said)
}

/// The parts of a word of a line that an error may repeat.
fn parts(word: &str) -> Vec<String> {
    let name = word.trim_start_matches('-');
    let inner = name.split(['=', '/', ',']).map(str::to_owned);
    std::iter::once(name.to_owned()).chain(inner).filter(|part| part.len() > 1).collect()
}

/// The words that a line writes into its own answer.
fn literals(line: &Command) -> Vec<String> {
    let mut own = Vec::new();
    for form in line.values("output").chain(line.values("template")) {
        match form.split_once('=') {
            Some(("custom-columns", columns)) => {
                for column in columns.split(',') {
                    let (header, path) = column.split_once(':').unwrap_or((column, ""));
                    own.push(format!(" {header} "));
                    own.extend(written(path).into_iter().filter(|_| path.contains(['"', '\''])));
                }
            }
            Some((_, template)) => own.extend(written(template)),
            None => own.extend(written(form).into_iter().filter(|_| form.contains('{'))),
        }
    }
    for label in line.values("label-columns").flat_map(|labels| labels.split(',')) {
        let header = label.rsplit('/').next().unwrap_or_default().to_uppercase();
        own.push(format!(" {header} "));
    }
    own.retain(|literal| {
        let mut words = literal.split_whitespace();
        words.any(|word| word.contains(char::is_alphanumeric) && !BETWEEN.contains(&word))
    });
    own
}

/// The literals of a template: what stands outside of braces, and in quotes within them. What a filter compares with is
/// never printed.
fn written(template: &str) -> Vec<String> {
    let (mut found, mut literal) = (Vec::new(), String::new());
    let (mut braces, mut brackets, mut quote) = (0_usize, 0_usize, None);
    let mut letters = template.chars();
    while let Some(letter) = letters.next() {
        let meant = match letter {
            '\\' => letters.next().map(|next| if matches!(next, 'n' | 'r' | 't') { ' ' } else { next }),
            _ => None,
        };
        match (letter, quote) {
            (_, Some(open)) if meant.is_none() && letter == open => {
                quote = None;
                let whole = std::mem::take(&mut literal);
                found.extend(Some(whole).filter(|_| brackets == 0));
            }
            (_, Some(_)) => literal.push(meant.unwrap_or(letter)),
            ('{', None) => {
                braces += 1;
                found.push(std::mem::take(&mut literal));
            }
            ('}', None) => braces = braces.saturating_sub(1),
            ('"' | '\'' | '`', None) if braces > 0 => quote = Some(letter),
            ('[', None) if braces > 0 => brackets += 1,
            (']', None) if braces > 0 => brackets = brackets.saturating_sub(1),
            (_, None) if braces == 0 => literal.push(meant.unwrap_or(letter)),
            _ => {}
        }
    }
    found.push(literal);
    found
}

/// The text with each of these barred, white space aside.
fn barred(text: &str, own: &[String]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    // Blanks at both ends: a line may have lost those of a literal.
    let mut squeezed: Vec<(char, Option<usize>)> = vec![(' ', None)];
    for (at, letter) in letters.iter().enumerate() {
        match letter.is_whitespace() {
            true if squeezed.last().is_some_and(|(last, _)| *last == ' ') => {}
            true => squeezed.push((' ', None)),
            false => squeezed.push((*letter, Some(at))),
        }
    }
    squeezed.push((' ', None));
    for literal in own {
        let mut wanted: Vec<char> = literal.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        wanted.dedup_by(|a, b| *a == ' ' && *b == ' ');
        if wanted.iter().all(|letter| *letter == ' ') {
            continue;
        }
        for window in squeezed.windows(wanted.len()) {
            if window.iter().map(|(letter, _)| letter).eq(&wanted) {
                let own = window.iter().filter_map(|(_, at)| *at);
                own.for_each(|at| letters.get_mut(at).into_iter().for_each(|letter| *letter = BAR));
            }
        }
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Observation;

    fn step(tool: &str, action: &str, text: &str, failed: bool) -> Step {
        let observation = Observation { text: text.to_owned(), failed, ..Observation::default() };
        Step { number: 1, tool: tool.to_owned(), action: action.to_owned(), observation, ..Step::default() }
    }

    /// What is left of an answer, with `_` for each run of barred letters.
    fn left(tool: &str, action: &str, text: &str, failed: bool) -> Option<String> {
        let step = step(tool, action, text, failed);
        let proof = Proof::of(&step, &step)?;
        let mut letters: Vec<char> = proof.text.chars().map(|c| if c == BAR { '_' } else { c }).collect();
        letters.dedup_by(|a, b| *a == '_' && *b == '_');
        Some(letters.into_iter().collect())
    }

    #[test]
    fn what_a_model_wrote_itself_is_barred() {
        let cut = format!("kubectl get pods -o custom-columns=A:.x,{}…", "B:.y,".repeat(60));
        let table: [(&str, &str, Option<&str>); 17] = [
            ("kubectl get pods -o jsonpath='{\"cart OOMKilled\"}'", "cart OOMKilled", Some("_ _")),
            ("kubectl get pods -o jsonpath='{\"OOM\"}{\"Killed\"}'", "OOMKilled", Some("_")),
            ("kubectl get pods -o jsonpath='cart is dead {.kind}'", "cart is dead PodList", Some("_ _ _ PodList")),
            ("kubectl get pods -o jsonpath='{\"cart is\\ndead\"}'", "cart is\ndead", Some("_ _\n_")),
            (
                "kubectl get hpa -o jsonpath='{.metadata.name}{\" \"}{.spec.min}{\" to \"}{.spec.max}'",
                "search 1 to 2",
                Some("search 1 to 2"),
            ),
            ("kubectl get pods -o jsonpath='{.items[?(@.x==\"web\")].metadata.name}'", "web", Some("web")),
            ("kubectl get pods -o custom-columns=LEDGER_IS_OOMKILLED:.x", "LEDGER_IS_OOMKILLED\nweb", Some("_\nweb")),
            ("kubectl get pods -L example.com/dead", "NAME DEAD\nweb x", Some("NAME _\nweb x")),
            ("kubectl get pods -o go-template='{{\"dead\"}}'", "dead", Some("_")),
            (
                "kubectl get pods -n disk-is-full",
                "No resources found in disk-is-full namespace.",
                Some("No resources found in _ namespace."),
            ),
            ("kubectl logs web (grep OOMKilled|{x})", "OOMKilled", Some("OOMKilled")),
            ("kubectl get pods -o jsonpath='{\"x (grep y)\"}'", "x (grep y)", None),
            (&cut, "A B\n", None),
            ("kubectl explain pod.status", "OOMKilled", None),
            ("query_prometheus up == 0", "up{pod=\"web\"} 0", Some("up{pod=\"web\"} 0")),
            ("query_prometheus label_replace(up, \"pod\", \"ghost\", \"\", \"\")", "up{pod=\"ghost\"} 1", None),
            ("query_prometheus absent(up{pod=\"ghost\"})", "{pod=\"ghost\"} 1", None),
        ];
        for (action, text, expected) in table {
            let tool = action.split(' ').next().unwrap_or_default();
            assert_eq!(left(tool, action, text, false).as_deref(), expected, "{action}");
        }
    }

    #[test]
    fn a_failed_call_proves_what_the_api_said() {
        let missing = "error: pods \"ghost\" not found in namespace shop";
        let table = [
            ("kubectl get pod ghost -n shop", missing, "pods \"ghost\" not found", true),
            ("kubectl get pod ghost -n shop", missing, "\"ghost\"", false),
            (
                "kubectl get pod 'disk is full'",
                "error: pods \"disk is full\" not found",
                "\"disk is full\" not found",
                false,
            ),
            (
                "kubectl logs web --since=dead",
                "error: `--since` can't be read: dead not found",
                "dead not found",
                false,
            ),
            ("kubectl get pods -n dead", "error: forbidden: pods in namespace dead", "namespace dead", false),
            ("kubectl get pods -n dead", "error: forbidden: pods in namespace dead", "forbidden: pods in", true),
            ("kubectl delete pod ghost", "error: pods \"ghost\" not found", "pods \"ghost\" not found", false),
        ];
        for (action, text, quote, counts) in table {
            let step = step("kubectl", action, text, true);
            let proof = Proof::of(&step, &step);
            let found = proof
                .is_some_and(|proof| proof.text.contains(quote) || proof.said(quote).any(|line| line.contains(quote)));
            assert_eq!(found, counts, "{action}: {quote}");
        }
    }
}
