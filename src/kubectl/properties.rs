//! What holds of lines that nobody would write, and of values that somebody might.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::laws::{hold, hold_bound};
use super::tests::{ACCEPTED, rows};

/// Pieces that lines are made of, and unmade.
fn pieces() -> impl Strategy<Value = String> {
    let words = "kubectl get describe logs rollout restart status delete patch apply scale set image create secret generic \
        pods secrets pod/web secret/x web $NAME $KIND $POD_1 -n -nshop -A -l -o -oyaml --output=json jsonpath={.a} -p -f \
        -w a.yaml --server=evil --server -s --as --token=x --tail=5 --tail --namespace= --all --force --dry-run=server \
        --replicas=$N -- - = , / . .. a=b a=$X '{\"a\":\"$X\"}' '{\"a\":$X}' ' \" \\ ` $ $( ${ ; | & > < # ~ ! * ? [ ] { } \
        ( ) – “ é";
    let mut words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    words.extend(["\u{0}", "\n", "\t", "\u{a0}", "\u{202e}", " ", "  "].map(str::to_owned));
    let word = prop_oneof![9 => prop::sample::select(words), 1 => ".{0,4}"];
    let start =
        prop::sample::select(vec!["kubectl get ", "kubectl ", "kubectl patch deploy web ", "kubectl logs ", ""]);
    let joint = prop::sample::select(vec![" ", " ", " ", ""]);
    (start, prop::collection::vec((word, joint), 0..9))
        .prop_map(|(start, parts)| parts.iter().fold(start.to_owned(), |line, (word, joint)| line + word + joint))
}

fn value() -> impl Strategy<Value = String> {
    let known = [
        "web",
        "secret",
        "secrets",
        "pods,secrets",
        "secret/x",
        "--server=evil",
        "-A",
        "-",
        "",
        "a b",
        "a\nb",
        "$NAME",
        "$",
        "x\"y",
        "}",
        "1",
        "null",
        "1,2",
        "..",
        "a/b",
        "name",
        "X",
        "=",
        "a=b",
        "'",
        "\\",
    ];
    prop_oneof![3 => prop::sample::select(known.map(str::to_owned).to_vec()), 1 => ".{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(line in "(kubectl )?.{0,60}") {
        hold(&line).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn nothing_forbidden_is_pieced_together(line in pieces()) {
        hold(&line).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn no_value_makes_more_of_a_line(line in pieces(), values in prop::collection::vec(value(), 1..4)) {
        hold_bound(&line, &values).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn no_value_makes_more_of_a_command(index in any::<prop::sample::Index>(), values in prop::collection::vec(value(), 1..4)) {
        static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
            rows(ACCEPTED).into_iter().map(|(_, _, line)| line).filter(|line| line.contains('$')).collect()
        });
        hold_bound(&LINES[index.index(LINES.len())], &values).map_err(TestCaseError::fail)?;
    }
}
