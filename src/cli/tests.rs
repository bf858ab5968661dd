//! The command line as it is typed.

use super::*;

fn cli(line: &str) -> Result<Cli, String> {
    let args: Vec<OsString> =
        std::iter::once("kubectl-react").chain(line.split_whitespace()).map(OsString::from).collect();
    match parse(&args, "kubectl-react") {
        Ok(Parsed::Command(cli)) => Ok(*cli),
        Ok(Parsed::Answered(_)) => Err("answered".to_owned()),
        Err(CommandError::Failed { message, hint }) => Err(format!("{message} | {}", hint.unwrap_or_default())),
        Err(other) => Err(format!("{other:?}")),
    }
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn kubectls_flags_are_taken_before_and_after_the_command() {
    let flags = "--kubeconfig k --cache-dir c --client-certificate cc --client-key ck --token t --as a --as-uid 1 --as-group g --as-group h \
        --as-user-extra x=y --username u --password p --cluster cl --user us -n ns --context ctx -s https://h --tls-server-name tn \
        --insecure-skip-tls-verify --certificate-authority ca --request-timeout 1m --disable-compression=false";
    for line in [format!("{flags} diagnose"), format!("diagnose {flags}"), format!("diagnose pods {flags} -l a=b")] {
        let options = cli(&line).unwrap().global.connection.options();
        assert_eq!(options.context.as_deref(), Some("ctx"));
        assert_eq!(options.as_groups, ["g", "h"]);
        assert_eq!(options.request_timeout, Some(std::time::Duration::from_mins(1)));
        assert!(options.insecure_skip_tls_verify && !options.disable_compression);
    }
    assert_eq!(cli("-n a diagnose").unwrap().global.connection.namespace.as_deref(), Some("a"));
}

#[test]
fn mistakes_are_one_line_and_a_way_out() {
    let table = [
        ("diagnose --nope", "unexpected argument `--nope` found"),
        ("diagnose -n a -A", "cannot be used with"),
        ("diagnose -o jsn", "invalid value `jsn` for `--output <FORMAT>` | one of text, json, yaml, markdown, name"),
        ("diagnos", "unrecognized subcommand `diagnos` | a similar subcommand exists: `diagnose`"),
        (
            "snapshot",
            "the following required arguments were not provided: <FILE> | see `kubectl react snapshot --help`",
        ),
        ("diagnose --request-timeout x", "it is neither a number of seconds"),
        ("diagnose -l =", "is no part of a selector"),
        ("diagnose --fail-on bad", "invalid value `bad`"),
        ("diagnose --max-steps 0", " | see `kubectl react diagnose --help`"),
        ("diagnose pods --explain sometimes", "auto, always, never | see `kubectl react diagnose --help`"),
        ("-n record --context=runbooks diagnose --max-steps 0", " | see `kubectl react diagnose --help`"),
        ("runbooks -n a search", " | see `kubectl react runbooks search --help`"),
        ("--request-timeout x", " | see `kubectl react --help`"),
    ];
    for (line, expected) in table {
        let message = cli(line).unwrap_err();
        assert!(message.contains(expected) && !message.contains('\n'), "{line}: {message}");
    }
}

#[test]
fn help_speaks_of_kubectl_react() {
    let help = |program: &str| command(program).render_long_help().to_string();
    assert!(help("kubectl-react").contains("Usage: kubectl react [OPTIONS] <COMMAND>"), "{}", help("kubectl-react"));
    assert!(help("kubectl-foo").contains("Usage: kubectl foo [OPTIONS] <COMMAND>"));
    assert_eq!(program(Some(&OsString::from("/x/kubectl-react.exe"))), "kubectl-react");
    assert_eq!(shown("kubectl-my_plugin"), "kubectl my-plugin");
    assert_eq!(shown("react"), "react");
}

/// The command and all beneath it.
fn all(command: &clap::Command) -> Vec<&clap::Command> {
    std::iter::once(command).chain(command.get_subcommands().flat_map(all)).collect()
}

#[test]
fn what_stands_beneath_the_flags_fits_a_terminal() {
    let command = command("kubectl-react");
    let told = |command: &clap::Command| command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let texts: Vec<String> = all(&command).into_iter().map(told).collect();
    assert!(texts.iter().filter(|text| !text.is_empty()).count() > 5);
    for line in texts.iter().flat_map(|text| text.lines()) {
        assert!(line.chars().count() < 80, "{line}");
    }
}

#[test]
fn help_says_what_holds_where_nothing_is_said() {
    let command = command("kubectl-react");
    let diagnose = command.find_subcommand("diagnose").unwrap();
    let limits = crate::agent::budget::Limits::default();
    let table = [
        ("max_steps", limits.steps.to_string()),
        ("max_tokens", limits.tokens.to_string()),
        ("max_seconds", limits.seconds.to_string()),
        ("explain", crate::model::Explain::default().as_str().to_owned()),
    ];
    for (id, default) in table {
        let flag = diagnose.get_arguments().find(|arg| arg.get_id() == id).unwrap();
        let help = flag.get_help().unwrap().to_string();
        assert!(help.ends_with(&format!("[default: {default}]")), "{id}: {help}");
    }
}

#[test]
fn short_help_is_short() {
    let mut command = command("kubectl-react");
    command.build();
    let diagnose = command.find_subcommand_mut("diagnose").unwrap();
    let (short, long) = (diagnose.render_help().to_string(), diagnose.render_long_help().to_string());
    assert!(short.contains("Usage: kubectl react diagnose [OPTIONS] [TYPE[/NAME]]..."), "{short}");
    assert!(short.lines().count() < 40, "{short}");
    assert!(long.contains("--as-user-extra") && !short.contains("--as-user-extra"));
}

#[test]
fn who_reads_is_told_by_the_words() {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for line in ["diagnose -o json", "diagnose --output json", "-ojson", "--output=json"] {
        assert_eq!(Reader::of(&words(line)), Reader::Json, "{line}");
    }
    assert_eq!(Reader::of(&words("diagnose -o text json")), Reader::Person);
    assert_eq!(Reader::of(&words("diagnose --events --from x")), Reader::Events);
}
