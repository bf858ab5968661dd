//! Which part of a cluster a command is about.

use clap::Args;

use super::error::CommandError;
use crate::diagnose::{Request, Target};
use crate::model::Selector;

/// What is asked for, as with `kubectl get`.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ScopeArgs {
    /// Read all namespaces, which is the default
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(super) all_namespaces: bool,

    /// Only objects with these labels, and what they hang together with
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = selector)]
    pub(super) selector: Option<Selector>,
}

impl ScopeArgs {
    /// The request for `words`, which are `TYPE[/NAME]…` or `TYPE NAME…`.
    pub(super) fn request(&self, namespace: Option<String>, words: &[String]) -> Result<Request, CommandError> {
        Ok(Request { namespace, targets: targets(words)?, selector: self.selector.clone() })
    }
}

fn selector(text: &str) -> Result<Selector, String> {
    Selector::parse(text).map_err(|part| format!("`{part}` is no part of a selector"))
}

/// Reads targets as `kubectl get` does.
fn targets(words: &[String]) -> Result<Vec<Target>, CommandError> {
    let target = |kind: &str, name: Option<&str>| Target { kind: kind.to_owned(), name: name.map(str::to_owned) };
    let slashed = words.iter().filter(|word| word.contains('/')).count();
    if slashed > 0 {
        if slashed < words.len() {
            return Err(CommandError::new("TYPE/NAME can't stand beside TYPE or NAME")
                .hinted("write all of them as TYPE/NAME, or one TYPE and its names"));
        }
        let pair = |word: &String| match word.split_once('/') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(target(kind, Some(name)))
            }
            _ => Err(CommandError::new(format!("`{word}` is not TYPE/NAME"))
                .hinted("such as `deployment/web`; the namespace goes with `-n`")),
        };
        return words.iter().map(pair).collect();
    }
    let Some((kinds, names)) = words.split_first() else { return Ok(Vec::new()) };
    let kinds = kinds.split(',').filter(|kind| !kind.is_empty());
    if names.is_empty() {
        return Ok(kinds.map(|kind| target(kind, None)).collect());
    }
    Ok(kinds.flat_map(|kind| names.iter().map(move |name| target(kind, Some(name)))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_as_kubectl_reads_them() {
        let table = [
            ("", Ok("")),
            ("pods", Ok("pods")),
            ("pods,svc", Ok("pods svc")),
            ("pod a b", Ok("pod/a pod/b")),
            ("deploy/web svc/web", Ok("deploy/web svc/web")),
            ("deploy/web svc", Err("TYPE/NAME can't stand beside TYPE or NAME")),
            ("deploy/", Err("`deploy/` is not TYPE/NAME")),
            ("shop/deploy/web", Err("`shop/deploy/web` is not TYPE/NAME")),
        ];
        for (line, expected) in table {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let got = match targets(&words) {
                Ok(targets) => Ok(targets
                    .iter()
                    .map(|t| t.name.as_ref().map_or(t.kind.clone(), |name| format!("{}/{name}", t.kind)))
                    .collect::<Vec<_>>()
                    .join(" ")),
                Err(CommandError::Failed { message, .. }) => Err(message),
                Err(other) => panic!("{other:?}"),
            };
            assert_eq!(got, expected.map(str::to_owned).map_err(str::to_owned), "{line}");
        }
    }
}
