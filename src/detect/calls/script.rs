//! What a script does, without what it only prints.
//!
//! *Invariant:* text that is printed names nobody who is called: neither the words of `echo` and `printf` nor those
//! of `cat <<END`. What goes on from there, through a pipe or into a file, is somebody's input, and stays.

/// The lines of a script that do something, each as it is written and without what it only prints.
pub(super) fn commands(script: &str) -> Vec<(&str, String)> {
    let mut end: Option<&str> = None;
    let mut lines = Vec::new();
    for (line, done) in script.lines().zip(performed(script).lines()) {
        let trimmed = line.trim();
        if let Some(mark) = end {
            end = Some(mark).filter(|mark| trimmed != *mark);
        } else if !trimmed.starts_with('#') {
            lines.push((line, done.to_owned()));
            let printed = trimmed.strip_prefix("cat <<").filter(|rest| !rest.contains('>') && !rest.contains('|'));
            end = printed.map(|mark| mark.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
        }
    }
    lines
}

/// Whether a program only prints its arguments.
pub(super) fn prints(program: &str) -> bool {
    matches!(program.rsplit('/').next(), Some("echo" | "printf"))
}

/// A script of as many lines without the words that are only printed.
fn performed(script: &str) -> String {
    const BEFORE: &[&str] =
        &["do", "then", "else", "elif", "if", "while", "until", "exec", "command", "builtin", "time"];
    let separates = |c: char| matches!(c, '\n' | ';' | '&' | '|' | '(' | ')' | '{' | '}' | '!');
    let mut out = String::new();
    let mut rest = script;
    let mut begins = true;
    while let Some(first) = rest.chars().next() {
        if separates(first) || first.is_whitespace() {
            // What `$(echo …)` prints is a value.
            let captured = first == '(' && out.ends_with('$');
            begins = separates(first) && !captured || begins && !separates(first);
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        let (word, after) = split(rest, &|c| c.is_whitespace() || separates(c), false);
        out.push_str(word);
        rest = after;
        if begins && prints(word) {
            let (words, after) = arguments(rest);
            if acts(words, after) {
                out.push_str(words);
            } else {
                substituted(words, &mut out);
            }
            rest = after;
        }
        begins = begins && BEFORE.contains(&word);
    }
    out
}

/// Splits before the first character outside of quotes for which `ends` holds. Quotes that don't end where they
/// must (in the line, or in the script) are none.
fn split<'s>(text: &'s str, ends: &dyn Fn(char) -> bool, over_lines: bool) -> (&'s str, &'s str) {
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        if c == '\\' {
            characters.next();
        } else if matches!(c, '"' | '\'') {
            let mut ahead = characters.clone();
            if closes(&mut ahead, c, over_lines) {
                characters = ahead;
            }
        } else if ends(c) {
            return text.split_at(at);
        }
    }
    (text, "")
}

/// Goes to the end of a quote; whether there is one.
fn closes(characters: &mut std::str::CharIndices<'_>, quote: char, over_lines: bool) -> bool {
    while let Some((_, c)) = characters.next() {
        if c == '\\' && quote == '"' {
            characters.next();
        } else if c == quote {
            return true;
        } else if c == '\n' && !over_lines {
            return false;
        }
    }
    false
}

/// The arguments of a command, with its redirections, and what comes after it.
fn arguments(text: &str) -> (&str, &str) {
    let mut length = 0;
    loop {
        let (_, after) =
            split(text.get(length..).unwrap_or_default(), &|c| matches!(c, '\n' | ';' | '&' | '|' | ')'), true);
        let end = text.len() - after.len();
        // `>&2`, `&>file`: no end of the command.
        let head = text.get(..end).unwrap_or_default();
        let redirects = after.starts_with('&') && (head.ends_with('>') || after.starts_with("&>"));
        let substitutes = after.starts_with(')') && head.matches("$(").count() > head.matches(')').count();
        if !redirects && !substitutes {
            return text.split_at(end);
        }
        length = end + 1;
    }
}

/// Whether what is printed goes on: through a pipe, or into a file.
fn acts(words: &str, after: &str) -> bool {
    let mut rest = words;
    loop {
        let (_, found) = split(rest, &|c| c == '>', true);
        let Some(target) = found.strip_prefix('>') else { break };
        let target = target.trim_start_matches(['>', '|', ' ']);
        let shown = ["&", "/dev/stdout", "/dev/stderr", "/dev/null", "/dev/tty", "/proc/"];
        if !shown.iter().any(|place| target.starts_with(place)) {
            return true;
        }
        rest = target;
    }
    after.starts_with('|') && !after.starts_with("||")
}

/// Of what is printed, the commands whose output it holds: `echo "rate: $(wget -qO- http://rates)"`.
fn substituted(words: &str, out: &mut String) {
    let (mut depth, mut back, mut plain) = (0_usize, false, false);
    let mut last = ' ';
    for c in words.chars() {
        let inside = depth > 0 || back;
        match c {
            '\'' if !inside => plain = !plain,
            '(' if !plain && (last == '$' || depth > 0) => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '`' if !plain => back = !back,
            _ => {}
        }
        if c == '\n' || inside && (depth > 0 || back) {
            out.push(c);
        } else if !out.ends_with([' ', '\n']) {
            out.push(' ');
        }
        last = c;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(script: &str) -> Vec<String> {
        commands(script).into_iter().map(|(_, done)| done.trim().to_owned()).collect()
    }

    #[test]
    fn what_a_script_prints_is_no_command() {
        let script = "# nc a 1\ncat <<'END'\nnc b 2\nEND\nnc c 3\ncat <<END > /etc/app\nhost: d\nEND";
        assert_eq!(lines(script), ["cat <<'END'", "nc c 3", "cat <<END > /etc/app", "host: d", "END"]);
    }

    #[test]
    fn words_that_are_echoed() {
        let table = [
            (r#"echo "connecting to http://db:5432""#, "echo"),
            ("echo waiting for db:5432; nc -z db 5432", "echo ; nc -z db 5432"),
            (r#"nc -z db 1 || { echo "no db:1" >&2; exit 1; }"#, "nc -z db 1 || { echo ; exit 1; }"),
            ("while true; do printf 'GET http://a:1; x' && nc b 2; done", "while true; do printf && nc b 2; done"),
            ("/bin/echo http://a:1 2>/dev/null", "/bin/echo"),
            ("echo x | nc db 5432", "echo x | nc db 5432"),
            ("echo http://a:1 | xargs wget", "echo http://a:1 | xargs wget"),
            (r#"echo "host: a:1" > /etc/app.conf"#, r#"echo "host: a:1" > /etc/app.conf"#),
            (r#"echo "rate $(wget -qO- http://a:1) of b:2""#, "echo wget -qO- http://a:1"),
            ("U=$(echo http://a:1); wget $U", "U=$(echo http://a:1); wget $U"),
            ("curl http://echo:80; fetch echo a:1", "curl http://echo:80; fetch echo a:1"),
            ("echo it's http://a:1", "echo"),
        ];
        for (script, expected) in table {
            assert_eq!(lines(script), [expected], "{script}");
        }
        assert_eq!(lines("echo \"one\nhttp://a:1\"\nnc b 2"), ["echo", "", "nc b 2"]);
        assert_eq!(lines("echo 'one\nhost: a:1' > /etc/x\nnc b 2"), ["echo 'one", "host: a:1' > /etc/x", "nc b 2"]);
        assert_eq!(lines("echo don't\nnc b 2\nnc c 3"), ["echo", "nc b 2", "nc c 3"]);
    }
}
