//! How good the answers are, in figures, beside what one reads without the plugin: `kubectl get events`
//! and `kubectl describe` of the namespace's pods and workloads.

use std::fmt;

use crate::cluster::Cluster;
use crate::expect::{ExpectedCause, Fault, cites_its_own, is};

/// Counted over all files that were injected.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    faults: usize,
    healthy: usize,
    /// Files with one fault, and how often its cause was printed first.
    single: usize,
    first: usize,
    /// Faults of which the right object was named by the right detector.
    found: usize,
    /// Those whose first runbook is the one about just this fault.
    own_runbook: usize,
    /// Causes that were printed for files with faults.
    printed: usize,
    /// Healthy files for which a cause was printed, and causes beside those expected.
    false_alarms: usize,
    /// Lines that a person reads: ours, and without us.
    lines: usize,
    floor_lines: usize,
    /// Faults of which all words that decide stand somewhere in events and descriptions.
    floor_says: usize,
}

impl Figures {
    /// Adds what is printed for one file's namespace.
    pub(crate) fn measure(&mut self, cluster: &Cluster, fault: &Fault) {
        let namespace = fault.namespace();
        let diagnosis = cluster.diagnose("admin", &["-n", &namespace]);
        let told = fault.told(&diagnosis);
        let expected = fault.causes();
        if expected.is_empty() {
            self.healthy += 1;
            self.false_alarms += told.len();
            return;
        }
        self.faults += expected.len();
        self.printed += told.len();
        if let [only] = expected.as_slice() {
            self.single += 1;
            self.first += usize::from(told.first().is_some_and(|cause| is(cause, only)));
        }
        let found = expected.iter().filter(|wanted| told.iter().any(|cause| is(cause, wanted))).count();
        self.found += found;
        let own = |wanted: &&ExpectedCause| told.iter().any(|cause| is(cause, wanted) && cites_its_own(cause));
        self.own_runbook += expected.iter().filter(own).count();
        self.false_alarms += told.len().saturating_sub(expected.len());
        self.lines += lines(&String::from_utf8_lossy(&cluster.plugin("admin", &["diagnose", "-n", &namespace]).stdout));
        let floor = floor(cluster, &namespace);
        self.floor_lines += lines(&floor);
        let said = |words: &[String]| words.iter().all(|word| floor.contains(word.as_str()));
        self.floor_says += expected.iter().filter(|wanted| said(&wanted.says)).count();
    }
}

fn lines(text: &str) -> usize {
    text.lines().filter(|line| !line.trim().is_empty()).count()
}

fn floor(cluster: &Cluster, namespace: &str) -> String {
    let objects = "pods,deployments,statefulsets,daemonsets,jobs,cronjobs,services,ingresses,persistentvolumeclaims";
    [vec!["get", "events"], vec!["describe", objects]]
        .iter()
        .map(|arguments| {
            let output = cluster.kubectl().args(["-n", namespace]).args(arguments).output().expect("kubectl runs");
            String::from_utf8_lossy(&output.stdout).into_owned()
        })
        .collect()
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = |all: usize| all as f64 / self.faults.max(1) as f64;
        writeln!(out, "figures: {} faults, {} healthy twins and workloads", self.faults, self.healthy)?;
        writeln!(out, "  right cause at the right object: {} of {}", self.found, self.faults)?;
        writeln!(out, "  right cause first, of files with one fault: {} of {}", self.first, self.single)?;
        writeln!(out, "  its own runbook first: {} of {}", self.own_runbook, self.faults)?;
        writeln!(out, "  false alarms: {}", self.false_alarms)?;
        writeln!(out, "  causes printed per fault: {:.2}", per(self.printed))?;
        writeln!(
            out,
            "  lines to read per fault: {:.0}; kubectl get events and describe: {:.0}",
            per(self.lines),
            per(self.floor_lines)
        )?;
        write!(
            out,
            "  faults whose deciding words stand in events and descriptions: {} of {}",
            self.floor_says, self.faults
        )
    }
}
