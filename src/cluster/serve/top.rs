//! `kubectl top`: what nodes and pods use, as the metrics API says it.
//!
//! *Invariant:* without a metrics API the answer is that there is none, and never zero.

use serde_json::Value;

use super::error::ServeError;
use super::source::{Source, Type, Which};
use super::table::aligned;
use super::value::{at, items, name, namespace, shown, text};
use super::{Answer, Server};
use crate::kubectl::Line;
use crate::model::Quantity;

const MOST: usize = 10_000;

fn metrics(plural: &str, kind: &str) -> Type {
    Type {
        group: "metrics.k8s.io".to_owned(),
        version: "v1beta1".to_owned(),
        plural: plural.to_owned(),
        singular: plural.trim_end_matches('s').to_owned(),
        kind: kind.to_owned(),
        namespaced: plural == "pods",
        ..Type::default()
    }
}

async fn list(server: &Server, of: &Type, which: &Which) -> Result<Vec<Value>, ServeError> {
    let listed = server.source.list(of, which, MOST).await;
    match listed {
        Ok(listing) if listing.items.is_empty() && matches!(server.source, Source::Saved(_)) => {
            Err(ServeError::missing("metrics of nodes and pods"))
        }
        Ok(listing) => Ok(listing.items),
        Err(ServeError::UnknownType { .. }) => Err(ServeError::Server {
            message: "the metrics API is not available: is metrics-server installed and its APIService available? \
                      `kubectl get apiservice v1beta1.metrics.k8s.io` shows it"
                .to_owned(),
        }),
        Err(error) => Err(error),
    }
}

fn quantity(value: &Value) -> Quantity {
    Quantity::parse(&shown(value)).unwrap_or_default()
}

fn cpu(amount: Quantity) -> String {
    format!("{}m", amount.milli())
}

fn memory(amount: Quantity) -> String {
    format!("{}Mi", amount.whole() / (1 << 20))
}

/// What a row uses, for sorting, and its cells.
struct Usage {
    cpu: Quantity,
    memory: Quantity,
    cells: Vec<String>,
}

fn rendered(line: &Line, head: &[&str], mut rows: Vec<Usage>, sum: Option<usize>) -> Answer {
    match line.flag("sort-by") {
        Some("cpu") => rows.sort_by_key(|row| std::cmp::Reverse(row.cpu)),
        Some("memory") => rows.sort_by_key(|row| std::cmp::Reverse(row.memory)),
        _ => rows.sort_by(|a, b| a.cells.cmp(&b.cells)),
    }
    let (all_cpu, all_memory): (Quantity, Quantity) =
        (rows.iter().map(|row| row.cpu).sum(), rows.iter().map(|row| row.memory).sum());
    let mut lines: Vec<Vec<String>> = Vec::new();
    if !line.has("no-headers") {
        lines.push(head.iter().map(|&name| name.to_owned()).collect());
    }
    lines.extend(rows.into_iter().map(|row| row.cells));
    if let Some(before) = sum {
        let mut total = vec![String::new(); before];
        total.extend([cpu(all_cpu), memory(all_memory)]);
        lines.push(total);
    }
    Answer::of(aligned(&lines)).headed(!line.has("no-headers"))
}

pub(super) async fn nodes(server: &Server, line: &Line) -> Result<Answer, ServeError> {
    let wanted = line.targets().into_iter().find_map(|target| target.name);
    let which = Which { labels: line.flag("selector").map(str::to_owned), ..Which::default() };
    let metrics = list(server, &metrics("nodes", "NodeMetrics"), &which).await?;
    let of = server.source.type_of("nodes").await?;
    let nodes = server.source.list(&of, &which, MOST).await?.items;
    let capacity = if line.has("show-capacity") { "status.capacity" } else { "status.allocatable" };
    let share = |used: Quantity, all: Quantity| match all.milli() {
        0 => "<unknown>".to_owned(),
        all => format!("{}%", used.milli() * 100 / all),
    };
    let mut rows = Vec::new();
    for node in nodes.iter().filter(|node| wanted.as_deref().is_none_or(|wanted| name(node) == wanted)) {
        let all = at(node, capacity);
        let Some(used) = metrics.iter().find(|used| name(used) == name(node)) else {
            let unknown = || "<unknown>".to_owned();
            let cells = vec![name(node).to_owned(), unknown(), unknown(), unknown(), unknown()];
            rows.push(Usage { cpu: Quantity::default(), memory: Quantity::default(), cells });
            continue;
        };
        let (used_cpu, used_memory) = (quantity(at(used, "usage.cpu")), quantity(at(used, "usage.memory")));
        let cells = vec![
            name(node).to_owned(),
            cpu(used_cpu),
            share(used_cpu, quantity(at(all, "cpu"))),
            memory(used_memory),
            share(used_memory, quantity(at(all, "memory"))),
        ];
        rows.push(Usage { cpu: used_cpu, memory: used_memory, cells });
    }
    if rows.is_empty() {
        return match wanted {
            Some(wanted) => {
                Err(ServeError::NotFound { what: format!("nodes \"{wanted}\""), place: None, near: Vec::new() })
            }
            None => Ok(Answer::of("No resources found\n")),
        };
    }
    Ok(rendered(line, &["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"], rows, None))
}

pub(super) async fn pods(server: &Server, line: &Line) -> Result<Answer, ServeError> {
    let wanted = line.targets().into_iter().find_map(|target| target.name);
    let mut which = server.which(line);
    which.fields = None;
    let all = line.all_namespaces();
    let mut pods = list(server, &metrics("pods", "PodMetrics"), &which).await?;
    if let Some(fields) = line.flag("field-selector") {
        let fields = super::saved::Fields::parse(fields)?;
        pods.retain(|pod| fields.match_all(pod));
    }
    pods.retain(|pod| wanted.as_deref().is_none_or(|wanted| name(pod) == wanted));
    if pods.is_empty() {
        let own = server.own_namespace(line).to_owned();
        return match wanted {
            Some(wanted) => Err(ServeError::NotFound {
                what: format!("metrics of pod \"{wanted}\""),
                place: Some(own),
                near: Vec::new(),
            }),
            None => Ok(Answer::of(Server::nothing(&[metrics("pods", "PodMetrics")], which.namespace.as_deref()))),
        };
    }
    let by_container = line.has("containers");
    let mut rows = Vec::new();
    for pod in &pods {
        let mut row = |container: Option<&str>, cpu_used: Quantity, memory_used: Quantity| {
            let mut cells = Vec::new();
            cells.extend(all.then(|| namespace(pod).to_owned()));
            cells.push(name(pod).to_owned());
            cells.extend(container.map(str::to_owned));
            cells.extend([cpu(cpu_used), memory(memory_used)]);
            rows.push(Usage { cpu: cpu_used, memory: memory_used, cells });
        };
        let containers = items(pod, "containers");
        let used = |container: &Value, of: &str| quantity(at(at(container, "usage"), of));
        if by_container {
            for container in containers {
                row(Some(text(container, "name")), used(container, "cpu"), used(container, "memory"));
            }
        } else {
            let sum = |of: &str| containers.iter().map(|container| used(container, of)).sum();
            row(None, sum("cpu"), sum("memory"));
        }
    }
    let mut head = Vec::new();
    head.extend(all.then_some("NAMESPACE"));
    head.extend(if by_container { vec!["POD", "NAME"] } else { vec!["NAME"] });
    let before = head.len();
    head.extend(["CPU(cores)", "MEMORY(bytes)"]);
    Ok(rendered(line, &head, rows, line.has("sum").then_some(before)))
}
