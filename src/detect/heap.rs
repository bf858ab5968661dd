//! What bounds a program's heap: an option of its runtime, in the environment or in its command.
//!
//! *Invariant:* pure; only what stands in the pod (or in a ConfigMap that was read) is known, not the image's own options.

use std::sync::LazyLock;

use regex::Regex;

use super::logs::service::values;
use super::prelude::*;

/// A heap's bound.
pub struct Heap {
    /// As it is written: `-Xmx2g`.
    pub text: String,
    /// Where: `env JAVA_OPTS`, `its command`.
    pub from: String,
    /// The field of the container, for evidence: `env[JAVA_OPTS]`, `command`.
    pub field: String,
    /// In bytes, where it is an amount.
    pub bytes: Option<u64>,
}

/// The option that bounds the heap of a container's program: Java's, Node.js', Go's, PHP's.
pub fn heap(view: &View<'_>, pod: &Pod, container: &Container) -> Option<Heap> {
    let by_env = values(view, pod, container).into_iter().find_map(|(name, value)| {
        let whole = matches!(name.as_str(), "GOMEMLIMIT" | "PHP_MEMORY_LIMIT");
        let text = if whole { format!("{name}={value}") } else { option(&value)? };
        Some(Heap { bytes: bytes(&text), text, from: format!("env {name}"), field: format!("env[{name}]") })
    });
    let words = || container.command.iter().chain(&container.args).find_map(|word| option(word));
    by_env.or_else(|| {
        let text = words()?;
        Some(Heap { bytes: bytes(&text), text, from: "its command".to_owned(), field: "command".to_owned() })
    })
}

/// The last such option in a text: the runtimes take the last one.
fn option(text: &str) -> Option<String> {
    static BOUND: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"-Xmx\d+\w?|-XX:Max(?:RAMPercentage|HeapSize)=[\d.]+\w?|--max[-_]old[-_]space[-_]size[= ]\d+|memory_limit[= ]+\d+\w?").ok()
    });
    Some(BOUND.as_ref()?.find_iter(text).last()?.as_str().to_owned())
}

/// The amount in an option: `-Xmx2g` is 2 GiB, `--max-old-space-size=512` 512 MiB; a percentage is none.
fn bytes(text: &str) -> Option<u64> {
    if text.contains("Percentage") {
        return None;
    }
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let (number, unit) = text
        .split_at_checked(digits)
        .map(|(_, amount)| amount.split_at(amount.find(|c: char| !c.is_ascii_digit()).unwrap_or(amount.len())))?;
    let factor: u64 = match unit.chars().next().map(|c| c.to_ascii_lowercase()) {
        _ if text.contains("space") => 1 << 20,
        None => 1,
        Some('k') => 1 << 10,
        Some('m') => 1 << 20,
        Some('g') => 1 << 30,
        Some('t') => 1 << 40,
        Some(_) => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        let table = [
            ("java -Xms1g -Xmx2g -jar app.jar", Some(2 << 30)),
            ("-Xmx512m -Xmx1536M", Some(1536 << 20)),
            ("-XX:MaxHeapSize=268435456", Some(1 << 28)),
            ("-XX:MaxRAMPercentage=75.0", None),
            ("node --max-old-space-size=4096 server.js", Some(4096 << 20)),
            ("memory_limit = 256M", Some(256 << 20)),
        ];
        for (text, expected) in table {
            let found = option(text).unwrap();
            assert_eq!(bytes(&found), expected, "{found}");
        }
        assert_eq!(bytes("GOMEMLIMIT=2GiB"), Some(2 << 30));
        assert_eq!(option("java -jar app.jar"), None);
    }
}
