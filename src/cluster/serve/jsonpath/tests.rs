//! Templates and what they give; the expected texts are those of kubectl.

use serde_json::{Value, json};

use super::Template;

fn list() -> Value {
    json!({"kind": "List", "items": [
        {"metadata": {"name": "a", "labels": {"app.kubernetes.io/name": "web"}}, "spec": {"n": 1, "ports": [80, 81, 82]},
         "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Disk", "status": "False"}]}},
        {"metadata": {"name": "b"}, "spec": {"n": 2, "on": true}, "status": {"phase": "Failed"}}
    ]})
}

#[test]
fn templates_give_what_kubectl_gives() {
    let table = [
        ("{.kind}", "List"),
        ("{$.kind}", "List"),
        ("{.items[*].metadata.name}", "a b"),
        ("{.items[0].metadata.name}", "a"),
        ("{.items[-1].metadata.name}", "b"),
        ("{.items[0,1].spec.n}", "1 2"),
        ("{.items[0].spec.ports[0:2]}", "80 81"),
        ("{.items[0].spec.ports[::2]}", "80 82"),
        ("{.items[0].spec.ports[-2:]}", "81 82"),
        ("{.items[0].spec.ports}", "[80,81,82]"),
        (r"{.items[0].metadata.labels.app\.kubernetes\.io/name}", "web"),
        ("{.items[0].metadata.labels['app.kubernetes.io/name']}", "web"),
        ("{.items[0]['metadata','spec'].name}", "a"),
        ("{..name}", "a b"),
        ("{.items[?(@.metadata.name==\"b\")].spec.n}", "2"),
        ("{.items[?(@.spec.n>1)].metadata.name}", "b"),
        ("{.items[?(@.spec.on)].metadata.name}", "b"),
        ("{.items[?(@.spec.on==true)].metadata.name}", "b"),
        ("{.items[0].status.conditions[?(@.type=='Ready')].status}", "True"),
        ("{range .items[*]}{.metadata.name}{\"\\t\"}{.spec.n}{\"\\n\"}{end}", "a\t1\nb\t2\n"),
        (
            "{range .items[*]}{.metadata.name}:{range .status.conditions[*]}{.type}={.status},{end};{end}",
            "a:Ready=True,Disk=False,;b:;",
        ),
        ("name: {.items[1].metadata.name} {'x'}", "name: b x"),
        ("{.items[1].status.nothing.there}", ""),
        ("{.items[*].spec['n']}", "1 2"),
        ("plain", "plain"),
    ];
    for (template, expected) in table {
        assert_eq!(Template::parse(template).unwrap().render(&list()).unwrap(), expected, "{template}");
    }
}

#[test]
fn what_is_not_supported_is_refused() {
    let table = [
        ("{.a", "not closed"),
        ("{.a[1}", "not closed"),
        ("{range .items[*]}x", "without `{end}`"),
        ("{end}", "without `{range"),
        ("{.a[?(@.b=~\"x\")]}", "not supported"),
        ("{.a[?(@.b==1 && @.c==2)]}", "not supported"),
        ("{.a[?(@.b==word)]}", "text is quoted"),
        ("{.a[x]}", "no index"),
        ("{if .a}", "no path"),
        ("{=}", "no path"),
        ("{.a ) .b}", "no path"),
        ("{....a}", "no name"),
        ("{.a[::0]}", "above 0"),
    ];
    for (template, expected) in table {
        let error = Template::parse(template).unwrap_err().to_string();
        assert!(error.contains(expected), "{template}: {error}");
    }
}

#[test]
fn a_template_without_end_is_given_up() {
    let template = "{range ..}".repeat(14) + "x" + &"{end}".repeat(14);
    let template = Template::parse(&template).unwrap();
    assert!(template.render(&list()).unwrap_err().to_string().contains("too large"));
}

#[test]
fn paths_may_lack_braces_and_dot() {
    for text in ["{.metadata.name}", ".metadata.name", "metadata.name"] {
        let path = super::path(text).unwrap();
        assert_eq!(super::joined(&path, &list()["items"][0]).as_deref(), Some("a"), "{text}");
    }
    assert_eq!(super::joined(&super::path(".nothing").unwrap(), &list()), None);
}

proptest::proptest! {
    #[test]
    fn any_template_is_survived(template in "[{}\\[\\].*?()@$'\"=<>a-c0-9:, \\\\]{0,40}") {
        if let Ok(template) = Template::parse(&template) {
            let _ = template.render(&list());
        }
    }
}
