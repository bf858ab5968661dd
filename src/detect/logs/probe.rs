//! Probes: which one fails, what it was told, and whether the objects prove that the probe itself
//! is wrong (another port, another path, a file that is never written).

use std::sync::LazyLock;

use regex::Regex;

use super::class::{Class, classify};
use super::line::{bare, pattern, short};
use super::{Asked, Fault, asked, judge};
use crate::detect::prelude::*;

/// What stays open where only the probe tells that something is wrong.
pub const UNANSWERED: &str = "why the program does not answer as the probe wants: its log says nothing that decides";

/// What a failing probe comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What is the matter, after `its liveness probe`: `asks port 8080; the program listens on 8081`.
    pub text: String,
    /// The port that the program listens on, where that is known to be another one.
    pub right_port: Option<u16>,
    /// Whether the objects prove that the probe (or what it asks for) is set wrong.
    pub proven: bool,
    /// The log line that proves it.
    pub line: Option<String>,
    /// The field of the probe that proves it, and what stands there.
    pub field: Option<(&'static str, String)>,
    /// What it asks and what can't answer.
    pub culprit: Option<ObjectRef>,
    /// What stays open although it is proven.
    pub open: Option<&'static str>,
}

impl Told {
    /// Adds the field that proves it, and what is to blame.
    pub fn cite(&self, mut finding: Finding, container: &Running<'_>, fault: &Fault) -> Finding {
        if let Some(culprit) = &self.culprit {
            finding = finding.culprit(culprit.clone());
        }
        if let Some(open) = self.open {
            finding = finding.unknown(open);
        }
        let Some((field, quote)) = &self.field else { return finding };
        let path = container.spec_path(&format!("{}Probe.{field}", word(fault)));
        finding.field(&container.pod.object_ref(), path, quote)
    }
}

/// The word for the probe of a fault.
pub fn word(fault: &Fault) -> &'static str {
    match fault {
        Fault::Liveness => "liveness",
        Fault::Startup => "startup",
        _ => "readiness",
    }
}

/// The probe of a fault.
pub fn of<'a>(container: &'a Container, fault: &Fault) -> Option<&'a Probe> {
    match fault {
        Fault::Liveness => container.liveness_probe.as_deref(),
        Fault::Startup => container.startup_probe.as_deref(),
        _ => container.readiness_probe.as_deref(),
    }
}

/// The newest event of a probe about a container.
pub fn event<'a>(view: &View<'a>, container: &Running<'_>, fault: &Fault) -> Option<&'a Event> {
    let word = word(fault);
    view.warnings(container.pod).find(|event| {
        event.reason == "Unhealthy"
            && about(event, container)
            && said(event).to_ascii_lowercase().starts_with(&format!("{word} probe"))
    })
}

/// What an event says, without the note that it stands for several.
fn said(event: &Event) -> &str {
    event.message.strip_prefix("(combined from similar events): ").unwrap_or(&event.message)
}

fn about(event: &Event, container: &Running<'_>) -> bool {
    event.container().is_none_or(|name| name == container.spec.name)
}

/// Whether a probe killed a container in the run that counts, and what the probe said.
pub fn killed<'a>(view: &View<'a>, container: &Running<'_>) -> Option<(Fault, Option<&'a Event>)> {
    let ended = container.ended()?;
    let state = &container.status.state;
    let grace = container.pod.spec.termination_grace_period_seconds.unwrap_or(30).clamp(0, 3600);
    let end = ended.finished_at.map(Time::as_second)?;
    for fault in [Fault::Startup, Fault::Liveness] {
        if of(container.spec, &fault).is_none() {
            continue;
        }
        let phrase = format!("failed {} probe", word(&fault));
        let kills =
            |event: &&Event| event.reason == "Killing" && about(event, container) && event.message.contains(&phrase);
        let kill = view.events(&container.pod.object_ref()).iter().copied().find(kills);
        let unhealthy = event(view, container, &fault);
        let timely = kill
            .and_then(Event::last)
            .is_some_and(|time| time.as_second() >= end.saturating_sub(grace).saturating_sub(15));
        // The kubelet stops to send events of a pod after some 25 in a few minutes (a crash loop's own
        // fill that up), and events expire: an old one with a SIGKILL, or with a run just as long as the
        // probe allows, tells the same.
        let lived = lived_as_long(container, ended, &fault, grace);
        let signal = matches!(ended.exit_code, 137 | 143);
        let likely = ended.reason != "OOMKilled"
            && (signal && (kill.is_some() || unhealthy.is_some() || lived) || kill.is_some() && lived);
        let down = !container.status.ready || state.running.is_none();
        let again = unhealthy.and_then(Event::last) > state.running.as_ref().and_then(|running| *running.started_at);
        let recent = view.age(*ended.finished_at).is_some_and(|age| age < 600);
        let counts =
            (down && (recent || state.running.is_none())) || (recent && (again || container.status.restart_count >= 2));
        if (timely || likely) && counts {
            return Some((fault, unhealthy.or(kill)));
        }
    }
    None
}

/// Whether a run lasted just as long as the probe lets one last that never passes: the kubelet
/// holds events back where there are many, so that none may tell.
fn lived_as_long(container: &Running<'_>, ended: &Terminated, fault: &Fault, grace: i64) -> bool {
    let Some(numbers) = of(container.spec, fault).map(numbers) else { return false };
    let times = ended.started_at.map(Time::as_second).zip(ended.finished_at.map(Time::as_second));
    times.is_some_and(|(start, end)| {
        let lived = end.saturating_sub(start);
        lived >= numbers.budget().saturating_sub(numbers.period).saturating_sub(1)
            && lived <= numbers.budget().saturating_add(numbers.period).saturating_add(grace).saturating_add(5)
    })
}

/// Whether a probe holds a container back that runs, and what it said.
pub fn holds<'a>(view: &View<'a>, container: &Running<'_>, running_for: i64) -> Option<(Fault, Option<&'a Event>)> {
    let start = container.status.state.running.as_ref().and_then(|running| *running.started_at);
    let fresh = |event: &&Event| event.last() >= start;
    if container.spec.startup_probe.is_some() && container.status.started == Some(false) {
        let event = event(view, container, &Fault::Startup).filter(fresh)?;
        // Slow starts are what a startup probe is for: only what can't pass counts early.
        let never = said(event).contains("errored")
            || numbers(of(container.spec, &Fault::Startup)?).budget() < running_for.saturating_sub(30);
        return (never || running_for >= 600 || mismatch_of(view, container, &Fault::Startup).is_some())
            .then_some((Fault::Startup, Some(event)));
    }
    let probe = container.spec.readiness_probe.as_deref()?;
    (running_for >= numbers(probe).budget().max(SETTLED))
        .then(|| (Fault::Readiness, event(view, container, &Fault::Readiness).filter(fresh)))
}

/// What proves that the failing probe of a container is itself set wrong.
pub(super) fn mismatch(view: &View<'_>, container: &Running<'_>) -> Option<Told> {
    let fault = match killed(view, container) {
        Some((fault, _)) => fault,
        None if container.status.started == Some(false) && container.spec.startup_probe.is_some() => Fault::Startup,
        None => Fault::Readiness,
    };
    mismatch_of(view, container, &fault)
}

fn mismatch_of(view: &View<'_>, container: &Running<'_>, fault: &Fault) -> Option<Told> {
    Some(explain(view, container, fault)).filter(|told| told.proven)
}

/// The numbers of a probe, with their defaults.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    /// Seconds before the first.
    pub delay: i64,
    /// Seconds between two.
    pub period: i64,
    /// Failures that count.
    pub threshold: i64,
    /// Seconds for an answer.
    pub timeout: i64,
}

/// The numbers of a probe.
pub fn numbers(probe: &Probe) -> Numbers {
    let number = |value: Option<i64>, default: i64| value.filter(|value| *value > 0).unwrap_or(default).min(1_000_000);
    Numbers {
        delay: number(probe.initial_delay_seconds, 0),
        period: number(probe.period_seconds, 10),
        threshold: number(probe.failure_threshold, 3),
        timeout: number(probe.timeout_seconds, 1),
    }
}

impl Numbers {
    /// Seconds from the start until the probe has failed for good.
    pub fn budget(self) -> i64 {
        self.delay + self.period * self.threshold
    }

    /// `3 times, every 10s`, with the delay where there is one.
    pub fn text(self) -> String {
        let delay = if self.delay > 0 { format!(", first after {}s", self.delay) } else { String::new() };
        format!("{} × {}s{delay}", self.threshold, self.period)
    }
}

/// The port that a probe asks: its number, or the name that it gives.
fn port(probe: &Probe, container: &Container) -> Option<Result<u16, String>> {
    let given = probe
        .http_get
        .as_ref()
        .and_then(|get| get.port.clone())
        .or_else(|| probe.tcp_socket.as_ref().and_then(|tcp| tcp.port.clone()));
    let given = given.or_else(|| probe.grpc.as_ref().map(|grpc| IntOrString::Int(grpc.port)))?;
    Some(match given {
        IntOrString::Int(number) => u16::try_from(number).map_err(|_| number.to_string()),
        IntOrString::Text(name) => match container.ports.iter().find(|port| port.name == name) {
            Some(port) => u16::try_from(port.container_port).map_err(|_| name),
            None => name.parse().map_err(|_| name),
        },
    })
}

/// Says what a failing probe comes to.
pub fn explain(view: &View<'_>, container: &Running<'_>, fault: &Fault) -> Told {
    let mut told = Told {
        text: String::new(),
        right_port: None,
        proven: false,
        line: None,
        field: None,
        culprit: None,
        open: None,
    };
    let Some(probe) = of(container.spec, fault) else { return told };
    let answer = event(view, container, fault).map(|event| answer(said(event))).unwrap_or_default();
    let asked = port(probe, container.spec);
    if let Some(Err(name)) = &asked {
        let declared: Vec<String> = container
            .spec
            .ports
            .iter()
            .map(|port| if port.name.is_empty() { port.container_port.to_string() } else { port.name.clone() })
            .collect();
        let declared = if declared.is_empty() {
            "it declares no ports".to_owned()
        } else {
            format!("it declares {}", list(&declared))
        };
        return Told {
            text: format!("asks port `{name}`, a name that the container does not declare ({declared})"),
            proven: true,
            ..told
        };
    }
    let asked = asked.and_then(Result::ok);
    if let Some(exec) = &probe.exec {
        return exec_told(view, container, exec, &answer, told);
    }
    let what = match (&probe.http_get, asked) {
        (Some(get), Some(port)) => {
            format!("asks GET {} on port {port}", if get.path.is_empty() { "/" } else { &get.path })
        }
        (None, Some(port)) if probe.grpc.is_some() => format!("asks port {port} by gRPC"),
        (None, Some(port)) => format!("asks port {port}"),
        _ => "asks".to_owned(),
    };
    if let Some((field, host)) = other_host(container.pod, probe) {
        let text = format!("{what} {}: leave {field} out, then it asks the pod", not_the_pod(host));
        return Told { text, proven: true, field: Some((field, host.to_owned())), ..told };
    }
    let low = answer.to_ascii_lowercase();
    if let Some(code) = status_code(&answer) {
        let other = probe
            .http_get
            .as_ref()
            .and_then(|get| other_path(container.spec, fault, &get.path))
            .filter(|_| code == 404);
        let hint = other.map(|(word, path)| format!(" (the {word} probe asks {path})")).unwrap_or_default();
        let why = match code {
            404 => ": no such path",
            401 | 403 => ": it wants credentials, which a probe has none of",
            _ => "",
        };
        return Told {
            text: format!("{what} and is answered {code}{why}{hint}"),
            proven: matches!(code, 401 | 403 | 404 | 405),
            ..told
        };
    }
    if low.contains("gave http response to https client") {
        return Told { text: format!("{what} by HTTPS, and the program speaks HTTP (scheme)"), proven: true, ..told };
    }
    if low.contains("malformed http response") {
        return Told {
            text: format!("{what} by HTTP, and the program answers in another protocol, probably HTTPS (scheme)"),
            proven: true,
            ..told
        };
    }
    // gRPC says of a port where nothing listens only that it did not connect in time.
    let unheard = probe.grpc.is_some() && low.contains("failed to connect service");
    if low.contains("connection refused") || unheard || answer.is_empty() {
        if let Some(elsewhere) = asked.and_then(|port| listens_elsewhere(view, container, port)) {
            told = Told { text: format!("{what}, and {}", elsewhere.text), ..elsewhere };
        } else {
            told.text = if answer.is_empty() {
                format!("{what} and does not pass")
            } else if unheard {
                format!("{what}, where no gRPC server answers ({})", short(&answer, 100))
            } else {
                format!("{what}, where nothing listens (connection refused)")
            };
        }
        return told;
    }
    told.text = match () {
        () if low.contains("deadline exceeded") || low.contains("timeout") || low.contains("timed out") => {
            format!("{what} and gets no answer within {}s (timeoutSeconds)", numbers(probe).timeout)
        }
        () => format!("{what} and fails: {}", short(&answer, 120)),
    };
    told
}

/// The host that a probe asks in the place of its pod.
fn other_host<'a>(pod: &Pod, probe: &'a Probe) -> Option<(&'static str, &'a str)> {
    let http = probe.http_get.as_ref().map(|get| ("httpGet.host", get.host.as_str()));
    let (field, host) = http.or_else(|| Some(("tcpSocket.host", probe.tcp_socket.as_ref()?.host.as_str())))?;
    elsewhere(pod, host).then_some((field, host))
}

/// Whether the `host` of a probe or a hook is another one than the pod.
pub fn elsewhere(pod: &Pod, host: &str) -> bool {
    !host.is_empty() && host != pod.status.pod_ip && !(pod.spec.host_network && (loopback(host) || is_node(pod, host)))
}

fn loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host == "0.0.0.0" || host == "::1" || host.starts_with("127.")
}

/// Whether a host is the node that the pod shares its network with.
fn is_node(pod: &Pod, host: &str) -> bool {
    host == pod.spec.node_name
}

/// What a host that is not the pod is to the kubelet: `of host 127.0.0.1, which is the node itself, not the pod`.
pub fn not_the_pod(host: &str) -> String {
    let is = if loopback(host) { "which to the kubelet is the node, not the pod" } else { "which is not the pod" };
    format!("of host {host}, {is}")
}

/// What a probe was told, without the words that the kubelet and the runtime put before it.
fn answer(message: &str) -> String {
    static HEAD: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^\w+ probe (?:failed|errored|warning)(?: and resulted in unknown state)?:(?: |$)(?:rpc error: code = \w+ desc = )?(?:failed to exec in container: )?(?:failed to start exec \x22\w+\x22: )?",
        )
    });
    HEAD.replace(message.trim(), "").trim().to_owned()
}

fn status_code(answer: &str) -> Option<u16> {
    static CODE: LazyLock<Regex> = LazyLock::new(|| pattern(r"statuscode: (\d{3})"));
    CODE.captures(answer)?.get(1)?.as_str().parse().ok()
}

/// The path of another HTTP probe of the container.
fn other_path<'a>(container: &'a Container, fault: &Fault, path: &str) -> Option<(&'static str, &'a str)> {
    let others = [Fault::Readiness, Fault::Liveness, Fault::Startup];
    let paths = others
        .iter()
        .filter(|other| *other != fault)
        .filter_map(|other| Some((word(other), of(container, other)?.http_get.as_ref()?.path.as_str())));
    paths.into_iter().find(|(_, other)| *other != path)
}

/// What a probe's command came to.
fn exec_told(view: &View<'_>, container: &Running<'_>, exec: &Exec, answer: &str, told: Told) -> Told {
    let command = short(&exec.command.join(" "), 80);
    let what = format!("runs `{command}`");
    match classify(answer) {
        Some(Class::NoCommand(name)) if one_word(exec) == Some(name.as_str()) => Told {
            text: format!("runs `{command}`, {ONE_WORD}"),
            proven: true,
            field: Some(("exec.command", format!("{:?}", exec.command.iter().collect::<Vec<_>>()))),
            ..told
        },
        Some(Class::NoCommand(name)) => {
            let name = if name.is_empty() { command } else { name };
            Told {
                text: format!("{what}, and `{name}` is not in image {}", container.spec.image),
                proven: true,
                ..told
            }
        }
        Some(Class::MissingFile(path)) => {
            let near = near_path(view, container, &path);
            let hint = near.as_ref().map(|(near, _)| format!("; the container writes {near}")).unwrap_or_default();
            let line = near.as_ref().and_then(|(_, line)| line.clone());
            Told { text: format!("{what}: {path}: no such file{hint}"), proven: near.is_some(), line, ..told }
        }
        _ if let Some(asked) = asks(view, container, exec) => Told {
            text: format!("{what}, which asks {}: {}", asked.target.text(), asked.why),
            proven: asked.culprit.is_none(),
            field: Some(("exec.command", exec.command.join(" "))),
            culprit: asked.culprit,
            ..told
        },
        _ if answer.contains("timed out") || answer.contains("deadline exceeded") => {
            let timeout = of(container.spec, &Fault::Liveness)
                .into_iter()
                .chain(of(container.spec, &Fault::Readiness))
                .chain(of(container.spec, &Fault::Startup));
            let timeout = timeout
                .filter(|probe| probe.exec.as_ref() == Some(exec))
                .map(|probe| numbers(probe).timeout)
                .next()
                .unwrap_or(1);
            Told { text: format!("{what}, which takes longer than {timeout}s (timeoutSeconds)"), ..told }
        }
        _ if answer.is_empty() => Told { text: format!("{what}, which fails without a word"), ..told },
        _ => Told {
            text: format!("{what}, which fails: {}", short(&bare(answer.lines().next().unwrap_or_default()), 120)),
            ..told
        },
    }
}

/// The Service that a probe's command asks and that can't answer.
fn asks(view: &View<'_>, container: &Running<'_>, exec: &Exec) -> Option<Asked> {
    let (pod, command) = (container.pod, exec.command.iter().map(String::as_str).collect::<Vec<_>>());
    asked(view, &pod.metadata.namespace, &pod.metadata.labels, &pod.spec, &command)
}

/// What is the matter with a command line that is written as one word.
pub const ONE_WORD: &str = "which is one word and so taken for the name of a program: split it into a list of words, or let a shell run it (sh, -c)";

/// The program of a command, where it is a whole command line.
pub fn one_word(exec: &Exec) -> Option<&str> {
    exec.command.first().map(String::as_str).filter(|first| first.trim().contains(char::is_whitespace))
}

/// A path that the container's command or log names and that has words in common with `path`.
fn near_path(view: &View<'_>, container: &Running<'_>, path: &str) -> Option<(String, Option<String>)> {
    static PATH: LazyLock<Regex> = LazyLock::new(|| pattern(r"/[\w.-]+(?:/[\w.-]+)+"));
    const COMMON: &[&str] =
        &["tmp", "var", "run", "etc", "usr", "bin", "opt", "sh", "dev", "null", "lib", "home", "root"];
    let words = |text: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| word.len() > 1 && !COMMON.contains(word))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let wanted = words(path);
    let pod = container.pod.object_ref();
    let logs = [false, true].into_iter().filter_map(|previous| view.snapshot.log(&pod, &container.spec.name, previous));
    let lines = logs.flat_map(|log| log.lines.iter()).map(|line| (line.clone(), Some(line.clone())));
    let command = std::iter::once((judge::command(container.spec), None));
    let mut best: Option<(usize, String, Option<String>)> = None;
    for (text, line) in lines.chain(command) {
        for found in PATH.find_iter(&text).map(|found| found.as_str().trim_end_matches('.')) {
            let common = words(found).iter().filter(|word| wanted.contains(word)).count();
            if found != path && common > 0 && best.as_ref().is_none_or(|(most, ..)| common > *most) {
                best = Some((common, found.to_owned(), line.clone()));
            }
        }
    }
    best.map(|(_, path, line)| (path, line))
}

/// Where the program listens, if that is known to be elsewhere than on `asked`.
pub(super) fn listens_elsewhere(view: &View<'_>, container: &Running<'_>, asked: u16) -> Option<Told> {
    let proven = |text: String, right_port: Option<u16>, line: Option<String>| {
        Some(Told { text, right_port, proven: true, line, field: None, culprit: None, open: None })
    };
    let pod = container.pod.object_ref();
    let logs = [false, true].into_iter().filter_map(|previous| view.snapshot.log(&pod, &container.spec.name, previous));
    let heard: Vec<(Option<bool>, u16, &String)> = logs
        .flat_map(|log| log.lines.iter())
        .filter_map(|line| listening(line).map(|(local, port)| (local, port, line)))
        .collect();
    if let Some((local, _, line)) = heard.iter().find(|(_, port, _)| *port == asked) {
        // Probes come to the pod's address, where such a program does not listen.
        return if *local == Some(true) {
            let text = format!("the program listens on 127.0.0.1:{asked} only, not on the pod's address");
            let open = Some("what tells it to listen there: its arguments, a variable or a file");
            proven(text, None, Some((*line).clone())).map(|told| Told { open, ..told })
        } else {
            None
        };
    }
    if let Some((_, port, line)) = heard.last() {
        return proven(
            format!("the program listens on port {port} (its log says so)"),
            Some(*port),
            Some((*line).clone()),
        );
    }
    if let Some((port, from)) = told_port(container.spec).filter(|(port, _)| *port != asked) {
        return proven(format!("the container is told to listen on port {port} ({from})"), Some(port), None);
    }
    let declared: Vec<u16> =
        container.spec.ports.iter().filter_map(|port| u16::try_from(port.container_port).ok()).collect();
    if declared.is_empty() || declared.contains(&asked) {
        return None;
    }
    let names: Vec<String> = declared.iter().map(u16::to_string).collect();
    proven(
        format!("the container declares port {}", list(&names)),
        declared.first().copied().filter(|_| declared.len() == 1),
        None,
    )
}

/// The port that a log line says the program listens on, and whether on the loopback only.
pub fn listening(line: &str) -> Option<(Option<bool>, u16)> {
    static LISTENS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r"(?i)\b(?:listen(?:ing|s)?|serving|started|running|bound|binding|available|accepting|ready)\b.{0,80}?",
            r"(?:\bport(?:\(s\))?(?: is|:|=)? *\(?|(?P<host>\d{1,3}(?:\.\d{1,3}){3}|localhost|\*|\[[:0-9a-f.]*\]|::|(?:[\s\x22'=(]|^)):)(?P<port>\d{2,5})\b"
        ))
    });
    let found = LISTENS.captures(line)?;
    let local = found.name("host").map(|host| {
        host.as_str().starts_with("127.") || host.as_str().eq_ignore_ascii_case("localhost") || host.as_str() == "[::1]"
    });
    let port = found.name("port")?.as_str().parse().ok().filter(|port| *port >= 80)?;
    Some((local, port))
}

/// The port that a container is told to listen on by an argument or a usual variable.
pub fn told_port(container: &Container) -> Option<(u16, String)> {
    static FLAG: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?:^|\s)(?P<flag>--?(?:http-|server-|web-|listen-)?(?:port|listen|addr|address|bind|listen-address|bind-address))(?:[= ])(?:[\w.*\[\]-]*:)?(?P<port>\d{2,5})(?:\s|$)",
        )
    });
    const NAMES: &[&str] = &[
        "PORT",
        "HTTP_PORT",
        "SERVER_PORT",
        "LISTEN_PORT",
        "APP_PORT",
        "WEB_PORT",
        "LISTEN_ADDR",
        "LISTEN_ADDRESS",
        "BIND_ADDR",
        "HTTP_ADDR",
    ];
    let command = judge::command(container);
    if let Some(found) = FLAG.captures(&command) {
        return Some((found.name("port")?.as_str().parse().ok()?, found.name("flag")?.as_str().to_owned()));
    }
    let mut variables = container.env.iter().filter(|env| NAMES.contains(&env.name.as_str()));
    variables
        .find_map(|env| Some((env.value.as_deref()?.rsplit(':').next()?.parse().ok()?, format!("env {}", env.name))))
}
