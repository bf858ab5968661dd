//! Reads templates and paths.

use serde_json::Value;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    Print(Path),
    Range(Path, Vec<Node>),
}

/// A path: from the root where it begins with `$`, else from where we are.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cluster::serve) struct Path {
    pub(super) root: bool,
    pub(super) steps: Vec<Step>,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// `.name`, `['name']`; several with commas.
    Fields(Vec<String>),
    /// `.*`, `[*]`
    All,
    /// `..`: all that is below, and the value itself.
    Below,
    /// `[1]`, `[-1]`; several with commas.
    Indexes(Vec<i64>),
    /// `[a:b:c]`
    Slice(Option<i64>, Option<i64>, i64),
    /// `[?(@.a=="b")]`
    Filter(Operand, Option<(Operator, Operand)>),
}

/// A side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Path(Path),
    Literal(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Reads a template.
pub(super) fn template(text: &str) -> Result<Vec<Node>, String> {
    // Each open range, with what stood before it.
    let mut open: Vec<(Path, Vec<Node>)> = Vec::new();
    let mut nodes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        if !before.is_empty() {
            nodes.push(Node::Text(before.to_owned()));
        }
        let end = closing(from, '{', '}').ok_or("a `{` is not closed")?;
        let inner = from.get(1..end).unwrap_or_default().trim();
        rest = from.get(end + 1..).unwrap_or_default();
        if inner == "end" {
            let (path, outer) = open.pop().ok_or("`{end}` without `{range …}`")?;
            let within = std::mem::replace(&mut nodes, outer);
            nodes.push(Node::Range(path, within));
        } else if let Some(path) = inner.strip_prefix("range") {
            open.push((whole_path(path.trim())?, std::mem::take(&mut nodes)));
        } else {
            expressions(inner, &mut nodes)?;
        }
    }
    if !rest.is_empty() {
        nodes.push(Node::Text(rest.to_owned()));
    }
    if open.is_empty() { Ok(nodes) } else { Err("`{range …}` without `{end}`".to_owned()) }
}

/// What stands between braces: paths and quoted text, one after the other.
fn expressions(inner: &str, nodes: &mut Vec<Node>) -> Result<(), String> {
    let mut rest = inner;
    while !rest.is_empty() {
        if rest.starts_with(['"', '\'']) {
            let (text, after) = quoted(rest)?;
            nodes.push(Node::Text(text));
            rest = after.trim_start();
        } else {
            let (path, after) = path(rest)?;
            if after.len() == rest.len() {
                return Err(format!("`{rest}` is no path: it begins with `.`, `[`, `$` or `@`"));
            }
            nodes.push(Node::Print(path));
            rest = after.trim_start();
        }
    }
    Ok(())
}

/// A path, and nothing after it. The first dot may be missing.
pub(super) fn whole_path(text: &str) -> Result<Path, String> {
    let dotted;
    let text = if text.starts_with(['.', '[', '$', '@']) {
        text
    } else {
        dotted = format!(".{text}");
        &dotted
    };
    let (path, rest) = path(text)?;
    if rest.trim().is_empty() { Ok(path) } else { Err(format!("`{rest}` follows the path")) }
}

/// A path, and what follows it.
fn path(text: &str) -> Result<(Path, &str), String> {
    let root = text.starts_with('$');
    let mut rest = text.strip_prefix(['$', '@']).unwrap_or(text);
    let mut steps = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix("..") {
            steps.push(Step::Below);
            // `..name` is `..` and `.name`.
            rest = after;
            if !after.starts_with(['[', '*']) && !is_end(after) {
                let (name, after) = name(after)?;
                steps.push(Step::Fields(vec![name]));
                rest = after;
            } else if let Some(after) = after.strip_prefix('*') {
                steps.push(Step::All);
                rest = after;
            }
        } else if let Some(after) = rest.strip_prefix(".*") {
            steps.push(Step::All);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            if is_end(after) || after.starts_with('[') {
                continue;
            }
            let (name, after) = name(after)?;
            steps.push(Step::Fields(vec![name]));
            rest = after;
        } else if rest.starts_with('[') {
            let end = closing(rest, '[', ']').ok_or("a `[` is not closed")?;
            steps.push(bracket(rest.get(1..end).unwrap_or_default().trim())?);
            rest = rest.get(end + 1..).unwrap_or_default();
        } else if is_end(rest) {
            return Ok((Path { root, steps }, rest));
        } else {
            return Err(format!("`{rest}` is no path: it begins with `.`, `[`, `$` or `@`"));
        }
    }
}

/// Whether a path ends before this.
fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with([' ', ')', '=', '!', '<', '>', '"', '\'', '&', '|'])
}

/// A field's name; a dot in it is written `\.`.
fn name(text: &str) -> Result<(String, &str), String> {
    let mut name = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        let rest = text.get(at..).unwrap_or_default();
        if letter == '\\' {
            name.extend(letters.next().map(|(_, letter)| letter));
        } else if matches!(letter, '.' | '[') || is_end(rest) {
            return if name.is_empty() { Err(format!("`{rest}` is no name")) } else { Ok((name, rest)) };
        } else {
            name.push(letter);
        }
    }
    Ok((name, ""))
}

fn bracket(inner: &str) -> Result<Step, String> {
    if inner == "*" {
        return Ok(Step::All);
    }
    if let Some(filter) = inner.strip_prefix('?') {
        let filter = filter.trim().strip_prefix('(').and_then(|f| f.strip_suffix(')'));
        return self::filter(filter.ok_or("a filter is written `?(@.a==\"b\")`")?.trim());
    }
    if inner.starts_with(['\'', '"']) {
        let mut names = Vec::new();
        let mut rest = inner;
        loop {
            let (name, after) = quoted(rest)?;
            names.push(name);
            match after.trim_start().strip_prefix(',') {
                Some(after) => rest = after.trim_start(),
                None if after.trim().is_empty() => return Ok(Step::Fields(names)),
                None => return Err(format!("`{after}` follows a name in brackets")),
            }
        }
    }
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| format!("`{inner}` is no index"));
    if inner.contains(':') {
        let part = |text: Option<&str>| match text.map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) => number(text).map(Some),
        };
        let mut parts = inner.splitn(3, ':');
        let (from, to, step) = (part(parts.next())?, part(parts.next())?, part(parts.next())?.unwrap_or(1));
        return if step > 0 { Ok(Step::Slice(from, to, step)) } else { Err("a step must be above 0".to_owned()) };
    }
    inner.split(',').map(number).collect::<Result<_, _>>().map(Step::Indexes)
}

fn filter(text: &str) -> Result<Step, String> {
    let (left, rest) = operand(text)?;
    let rest = rest.trim_start();
    if rest.is_empty() {
        return Ok(Step::Filter(left, None));
    }
    let operators = [
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    let found = operators.iter().find_map(|(word, operator)| Some((*operator, rest.strip_prefix(word)?)));
    let (operator, rest) = found.ok_or_else(|| unsupported(rest))?;
    let (right, rest) = operand(rest.trim_start())?;
    if rest.trim().is_empty() { Ok(Step::Filter(left, Some((operator, right)))) } else { Err(unsupported(rest)) }
}

fn unsupported(rest: &str) -> String {
    format!(
        "`{}` is not supported in a filter: it compares once, with == != < <= > >=; use two filters one after the \
         other, or --field-selector, -l or grep",
        rest.trim()
    )
}

fn operand(text: &str) -> Result<(Operand, &str), String> {
    if text.starts_with(['"', '\'']) {
        let (text, rest) = quoted(text)?;
        return Ok((Operand::Literal(Value::String(text)), rest));
    }
    if text.starts_with(['@', '$', '.']) {
        let (path, rest) = path(text)?;
        return Ok((Operand::Path(path), rest));
    }
    let end = text.find([' ', '=', '!', '<', '>']).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let literal = serde_json::from_str(word).map_err(|_| format!("`{word}` is no value: text is quoted"))?;
    Ok((Operand::Literal(literal), rest))
}

/// Text in quotes, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut letters = text.char_indices();
    let quote = letters.next().map(|(_, quote)| quote);
    let mut out = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => match letters.next().map(|(_, letter)| letter) {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                other => out.extend(other),
            },
            letter if Some(letter) == quote => return Ok((out, text.get(at + 1..).unwrap_or_default())),
            letter => out.push(letter),
        }
    }
    Err("a quote is not closed".to_owned())
}

/// Where the bracket closes that `text` begins with, quotes left out.
fn closing(text: &str, opens: char, closes: char) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, letter) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if letter == '\\' {
            escaped = true;
        } else if let Some(open) = quote {
            quote = Some(open).filter(|&open| open != letter);
        } else if matches!(letter, '"' | '\'') {
            quote = Some(letter);
        } else if letter == opens {
            depth += 1;
        } else if letter == closes {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}
