//! Takes out of a query what is of one run and not of a fault: times, addresses, hashes, sizes, labels of objects.
//!
//! *Invariant:* what is left stands in the text, in its order; words and identifiers stay whole.

/// Labels whose values name objects.
const LABELS: &[&str] = &[
    "caller",
    "cluster",
    "container",
    "daemonset",
    "deployment",
    "endpoint",
    "host",
    "hostname",
    "instance",
    "job",
    "level",
    "namespace",
    "node",
    "ns",
    "pdb",
    "persistentvolumeclaim",
    "pod",
    "prometheus",
    "region",
    "service",
    "severity",
    "statefulset",
    "ts",
    "uid",
];
/// Units of sizes and durations.
const UNITS: &[&str] = &[
    "%", "B", "G", "GB", "Gi", "GiB", "K", "KB", "Ki", "KiB", "M", "MB", "Mi", "MiB", "T", "TB", "Ti", "TiB", "d", "h",
    "k", "m", "min", "ms", "ns", "s", "us",
];
/// Letters that Kubernetes makes names of.
const SAFE: &str = "bcdfghjklmnpqrstvwxz2456789";

/// The text without noise.
pub(super) fn clean(text: &str) -> String {
    // Every message of a pod that no node takes ends so, whatever the reason is.
    let text = match (text.find("nodes are available"), text.find("preemption: 0/")) {
        (Some(nodes), Some(at)) if nodes < at => text.get(..at).unwrap_or(text),
        _ => text,
    };
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_atom) {
        kept.push_str(rest.get(..start).unwrap_or_default());
        rest = rest.get(start..).unwrap_or_default();
        let end = rest.find(|c| !is_atom(c)).unwrap_or(rest.len());
        let (atom, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        rest = after;
        if let Some((place, next)) = url(atom, after) {
            kept.push_str(&place);
            rest = next;
        } else if let Some(next) = after_date(atom, after) {
            rest = next;
        } else if let Some(value) = value_of_label(atom, after) {
            rest = value;
        } else {
            kept.push_str(&reduced(atom));
        }
    }
    kept.push_str(rest);
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_atom(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | ':' | '/' | '@' | '+' | '%' | '-')
}

/// Of a URL its host and path, and where the text goes on: `timeout=10s` in one is no timeout.
fn url<'a>(atom: &str, after: &'a str) -> Option<(String, &'a str)> {
    let (_, place) = atom.split_once("://")?;
    let (host, path) = place.split_once('/').unwrap_or((place, ""));
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let host = host.strip_suffix(".cluster.local").unwrap_or(host);
    let host = host.strip_suffix(".svc").unwrap_or(host);
    let after = if after.starts_with('?') {
        after.get(after.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ')')).unwrap_or(after.len())..)?
    } else {
        after
    };
    Some((format!("{} {}", reduced(host), reduced(path)), after))
}

/// Where the text goes on after a date as `kubectl describe` prints it: `Mon, 02 Mar 2026`; the time goes by itself.
fn after_date<'a>(atom: &str, after: &'a str) -> Option<&'a str> {
    if !["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&atom) {
        return None;
    }
    let rest = after.strip_prefix(',').unwrap_or(after).strip_prefix(' ')?;
    let mut words = rest.splitn(4, ' ');
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let year = year.get(..4)?;
    let date = day.len() <= 2 && digits(day, day.len()) && month.len() == 3 && digits(year, 4);
    date.then(|| rest.get(day.len() + month.len() + 6..)).flatten()
}

/// Where the text goes on after `label=value` or `"label":"value"`, if `atom` is such a label.
fn value_of_label<'a>(atom: &str, after: &'a str) -> Option<&'a str> {
    let label = atom.strip_prefix("exported_").unwrap_or(atom);
    LABELS.binary_search(&label).ok()?;
    let (value, quoted) = if let Some(value) = after.strip_prefix('=') {
        value.strip_prefix('"').map_or((value, false), |value| (value, true))
    } else {
        let value = after.strip_prefix("\":")?;
        let value = value.trim_start();
        value.strip_prefix('"').map_or((value, false), |value| (value, true))
    };
    let end = if quoted {
        value.find('"').map(|at| at + 1)
    } else {
        value.find(|c: char| c.is_whitespace() || matches!(c, ',' | ')' | '}' | ';' | '"'))
    };
    Some(value.get(end.unwrap_or(value.len())..).unwrap_or_default())
}

/// An atom without what is noise in it.
fn reduced(atom: &str) -> String {
    let core = atom.trim_end_matches(['.', ':', '-', '+']);
    let tail = atom.get(core.len()..).unwrap_or_default();
    let core = core.split_once("@sha256:").map_or(core, |(image, _)| image);
    if is_noise(core) {
        return tail.to_owned();
    }
    let mut made: Vec<&str> = core.split('/').map(without_hash).collect();
    made.retain(|piece| !is_noise(piece));
    format!("{}{tail}", made.join("/"))
}

/// Whether it is of one run: a time, an address, a size, a hash.
fn is_noise(word: &str) -> bool {
    !word.is_empty() && (is_time(word) || is_address(word) || is_number(word) || is_hash(word))
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `2026-01-31T10:00:00Z`, `10:00:00.123`, `+0100`, the head of a line of klog.
fn is_time(word: &str) -> bool {
    let day = |text: &str| {
        let mut parts = text.splitn(3, '-');
        let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else { return false };
        digits(year, 4) && digits(month, 2) && digits(day.get(..2).unwrap_or_default(), 2)
    };
    let clock = |text: &str| {
        let mut parts = text.split(':');
        let (Some(hour), Some(minute)) = (parts.next(), parts.next()) else { return false };
        digits(hour, 2) && digits(minute.get(..2).unwrap_or_default(), 2)
    };
    let klog = |text: &str| text.starts_with(['E', 'I', 'W', 'F']) && digits(text.get(1..).unwrap_or_default(), 4);
    let zone = |text: &str| text.starts_with('+') && digits(text.get(1..).unwrap_or_default(), 4);
    day(word) || clock(word) || klog(word) || zone(word)
}

/// An IPv4 address with its port or mask, a name made of one, or an IPv6 address.
fn is_address(word: &str) -> bool {
    let bare = word.strip_prefix("ip-").unwrap_or(word);
    let bare = bare
        .split(['.', '-', ':', '/'])
        .take(4)
        .filter(|part| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()));
    let port = word.strip_prefix(':').is_some_and(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    if bare.count() == 4 || port {
        return true;
    }
    let colons = word.bytes().filter(|byte| *byte == b':').count();
    colons >= 2 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'/'))
}

/// A number that is no code: with a unit or a fraction, counted (`x12`), or of five digits and more.
fn is_number(word: &str) -> bool {
    let word = word.strip_prefix(['+', '-']).unwrap_or(word);
    // `(x37 over 2h)` counts; the others are names.
    let count = word.strip_prefix('x').filter(|count| !count.is_empty() && !["32", "64", "86", "509"].contains(count));
    if count.is_some_and(|count| count.bytes().all(|byte| byte.is_ascii_digit())) {
        return true;
    }
    let mut rest = word;
    let mut units = 0;
    let mut fraction = false;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (value, after) = rest.split_at_checked(number).unwrap_or((rest, ""));
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit).unwrap_or((after, ""));
        if !value.starts_with(|c: char| c.is_ascii_digit()) || !(unit.is_empty() || UNITS.contains(&unit)) {
            return false;
        }
        fraction |= value.contains('.');
        units += usize::from(!unit.is_empty());
        rest = after;
    }
    units > 0 || fraction || word.len() >= 5
}

/// A digest, a UUID, an address in memory, or eight hexadecimal digits and more.
fn is_hash(word: &str) -> bool {
    let bare = word.strip_prefix("sha256:").or_else(|| word.strip_prefix("0x"));
    if bare.is_some_and(|bare| !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return true;
    }
    let hex = word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let digit = word.bytes().any(|byte| byte.is_ascii_digit());
    let letter = word.bytes().any(|byte| byte.is_ascii_alphabetic());
    hex && digit && letter && word.len() >= 8
}

/// A name without what a controller put behind it: `web-5d9c7b8f66-x2x7p` is `web`.
fn without_hash(name: &str) -> &str {
    let safe = |text: &str| text.chars().all(|c| SAFE.contains(c));
    let mixed = |text: &str| {
        (5..=10).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && text.bytes().any(|byte| byte.is_ascii_digit())
            && text.bytes().any(|byte| byte.is_ascii_lowercase())
    };
    // A volume's name ends with a UUID.
    let uuid = name.len().checked_sub(36).and_then(|at| name.split_at_checked(at));
    if let Some((head, uuid)) = uuid
        && uuid.bytes().filter(|byte| *byte == b'-').count() == 4
        && is_hash(uuid)
    {
        return head.trim_end_matches('-');
    }
    let Some((head, last)) = name.rsplit_once('-') else { return name };
    if !head.starts_with(|c: char| c.is_ascii_lowercase()) {
        return name;
    }
    if last.len() == 5
        && safe(last)
        && let Some((head, middle)) = head.rsplit_once('-')
        && (6..=10).contains(&middle.len())
        && (safe(middle) || is_hash(middle))
    {
        return head;
    }
    if mixed(last) { without_hash(head) } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_goes_and_words_stay() {
        for (text, expected) in [
            ("2026-01-31T10:00:00.123Z failed to pull", "failed to pull"),
            ("Started: Mon, 02 Mar 2026 10:11:02 +0100 Finished: Tue, 3 Mar 2026", "Started: Finished:"),
            ("E0304 09:12:11.220913 1 reflector.go:138] failed", "1 reflector.go:138] failed"),
            ("dial tcp 10.0.14.7:443: connect: connection refused", "dial tcp : connect: connection refused"),
            ("on ip-10-0-4-17 and [::1]:80", "on and []"),
            ("Post \"https://hook.ops.svc:443/mutate?timeout=10s\": refused", "Post \"hook.ops mutate\": refused"),
            ("Get http://10.0.0.1:8080/healthz", "Get healthz"),
            ("fe80::1:2 is down", "is down"),
            ("pod web-5d9c7b8f66-x2x7p restarted", "pod web restarted"),
            ("pods/api-7d9f8c6b5-xkq2z", "pods/api"),
            ("pod data-kafka-2 of kube-state-metrics", "pod data-kafka-2 of kube-state-metrics"),
            ("volume \"pvc-8f1b2c4d-1234-4bcd-9876-1234567890ab\"", "volume \"pvc\""),
            ("image ghcr.io/acme/api@sha256:ab12 denied", "image ghcr.io/acme/api denied"),
            ("exit code 137, restarts 7 (x37 over 12m)", "exit code 137, restarts 7 ( over )"),
            ("took 3m18.2s, 2.1% free, 512Mi of 4812312Ki", "took , free, of"),
            (
                "alertname=KubePodCrashLooping namespace=\"shop\" pod=web-0, severity=warning",
                "alertname=KubePodCrashLooping ,",
            ),
            ("{\"level\":\"warn\",\"msg\":\"apply took too long\"}", "{\",\"msg\":\"apply took too long\"}"),
            ("HTTP 413 and 10250", "HTTP 413 and"),
            ("x509: certificate", "x509: certificate"),
            (
                "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available: 3 none",
                "0/3 nodes are available: 3 Insufficient memory.",
            ),
            ("Größe 5%", "Größe"),
            ("", ""),
        ] {
            assert_eq!(clean(text), expected, "{text}");
        }
    }

    #[test]
    fn tables_are_sorted() {
        assert!(LABELS.is_sorted());
        assert!(UNITS.is_sorted());
    }
}
