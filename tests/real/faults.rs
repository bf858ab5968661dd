//! Every file in `faults/` is injected into the cluster, many at once; one diagnosis must name each
//! cause, fold what follows, and be silent on what is healthy. [`crate::expect`] has the format.
//!
//! A plain run takes the files without `extra`. `REACT_TEST_FAULTS=all` takes all of them, and
//! `REACT_TEST_FAULTS=network/,oom` those whose `group/name` holds one of these words.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, Injecting, cluster};
use crate::expect::{Fault, faults};
use crate::figures::Figures;
use crate::kubelets::Kubelets;

/// Until when all expectations must hold; containers must fail a few times first.
const PATIENCE: Duration = Duration::from_mins(5);

/// How many files are injected at once: a node has room for some 200 pods.
const BATCH: usize = 40;

/// Removes what a batch made, however the test ends.
struct Cleanup<'c>(&'c Cluster, &'c [&'c Fault]);

impl Drop for Cleanup<'_> {
    fn drop(&mut self) {
        for fault in self.1 {
            for arguments in &fault.expected.undo {
                let _ = command(self.0, fault, arguments).output();
            }
        }
        let names: Vec<String> = self.1.iter().map(|fault| fault.namespace()).collect();
        let wide = "node,pv,storageclass,ingressclass,priorityclass,runtimeclass,validatingwebhookconfiguration,\
                    mutatingwebhookconfiguration,validatingadmissionpolicybinding,validatingadmissionpolicy,\
                    apiservice,clusterrolebinding,clusterrole,customresourcedefinition";
        // What the whole cluster feels goes first: it could hold up the rest.
        let _ = self.0.kubectl().args(["delete", wide, "-l", "kubectl-react-test", "--wait=false"]).output();
        let mut delete = self.0.kubectl();
        delete.args(["delete", "namespace", "--ignore-not-found", "--timeout=90s"]).args(names);
        let _ = delete.output();
    }
}

#[test]
fn each_injected_fault_is_found_and_nothing_else() {
    let Some(cluster) = cluster() else { return };
    let all = faults();
    let chosen: Vec<&Fault> = all.iter().filter(|fault| chosen(fault)).collect();
    assert!(!chosen.is_empty(), "REACT_TEST_FAULTS names no file");
    let (alone, together): (Vec<&Fault>, Vec<&Fault>) = chosen.into_iter().partition(|fault| fault.expected.alone);
    let _alone = Injecting::begin();
    let mut figures = Figures::default();
    let mut missing = Vec::new();
    for batch in together.chunks(BATCH).chain(alone.chunks(1)) {
        missing.extend(run(&cluster, batch, &mut figures));
    }
    println!("{figures}");
    assert!(missing.is_empty(), "{} not as expected:\n{}", missing.len(), missing.join("\n"));
}

fn chosen(fault: &Fault) -> bool {
    match std::env::var("REACT_TEST_FAULTS").as_deref() {
        Err(_) | Ok("") => !fault.expected.extra,
        Ok("all") => true,
        Ok(words) => words.split(',').any(|word| fault.title().contains(word)),
    }
}

/// Injects a batch, waits until all is as expected, and says what is not.
fn run(cluster: &Cluster, batch: &[&Fault], figures: &mut Figures) -> Vec<String> {
    let _cleanup = Cleanup(cluster, batch);
    for fault in batch {
        let namespace = fault.namespace();
        let create = cluster.run(&["create", "namespace", &namespace, "--dry-run=client", "-o", "yaml"]);
        cluster.apply("default", &create);
        for (namespace, manifest) in fault.manifests().iter().filter(|(_, manifest)| !manifest.is_empty()) {
            cluster.apply(namespace, manifest);
        }
    }
    let nodes = batch.iter().flat_map(|fault| fault.expected.kubelets.clone()).collect();
    let _kubelets = Kubelets::start(cluster, nodes);
    for fault in batch {
        for arguments in &fault.expected.steps {
            let output = command(cluster, fault, arguments).output().expect("the step runs");
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {arguments:?}: {errors}", fault.title());
        }
    }
    let began = Instant::now();
    let mut missing = BTreeMap::new();
    while began.elapsed() < PATIENCE {
        let whole = cluster.diagnose("admin", &["-A"]);
        missing = batch.iter().filter_map(|fault| Some((fault.title(), fault.check_wide(&whole)?))).collect();
        if missing.is_empty() {
            // One who looks at her namespace alone reads the same.
            missing = batch.iter().filter_map(|fault| Some((fault.title(), narrow(cluster, fault)?))).collect();
        }
        if missing.is_empty() {
            break;
        }
    }
    println!(
        "{} files, {} as expected, {:.0} s",
        batch.len(),
        batch.len() - missing.len(),
        began.elapsed().as_secs_f64()
    );
    for fault in batch {
        figures.measure(cluster, fault);
    }
    missing.into_iter().map(|(name, why)| format!("{name}: {why}")).collect()
}

fn narrow(cluster: &Cluster, fault: &Fault) -> Option<String> {
    let diagnosis = cluster.diagnose("admin", &["-n", &fault.namespace()]);
    fault.check(&diagnosis).map(|why| format!("with -n: {why}"))
}

/// A step: kubectl in the file's namespace, or `ctl` for a daemon of the cluster.
fn command(cluster: &Cluster, fault: &Fault, arguments: &[String]) -> Command {
    if let [first, rest @ ..] = arguments
        && first == "ctl"
    {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/ctl"));
        command.args(rest);
        return command;
    }
    let mut command = cluster.kubectl();
    command.args(["-n", &fault.namespace()]).args(arguments);
    command
}
