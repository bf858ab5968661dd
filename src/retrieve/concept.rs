//! What people in this field call by several names: a word of one brings a little of the others.
//!
//! *Invariant:* general knowledge only, nothing of a library of runbooks. A name weighs far less than what was written.

use super::text::{self, Form};

/// Names of one thing, divided by `|`. Each is lower case.
const CONCEPTS: &[&str] = &[
    "oom | oomkilled | out of memory | exit code 137 | exit 137 | memory limit | killed by the kernel",
    "cpu throttling | cfs | cpu limit | throttled",
    "flapping | up and down | bouncing | oscillating | back and forth | unstable",
    "quorum | no leader | insufficient members | majority",
    "crashloopbackoff | crash loop | crash looping | keeps restarting | keeps crashing | back off restarting failed container",
    "nxdomain | no such host | name resolution | not resolving | can't resolve | dns lookup | dns resolution",
    "x509 | certificate | tls",
    "evicted | eviction | low on resource",
    "imagepullbackoff | errimagepull | pull image | image pull",
    "unschedulable | failedscheduling | nodes are available | not scheduled",
    "pvc | persistentvolumeclaim | volume claim",
    "pv | persistentvolume | persistent volume",
    "hpa | horizontalpodautoscaler | horizontal pod autoscaler",
    "vpa | verticalpodautoscaler | vertical pod autoscaler",
    "pdb | poddisruptionbudget | disruption budget",
    "cni | network plugin",
    "rbac | forbidden | clusterrole",
    "401 | unauthorized | unauthenticated",
    "403 | forbidden",
    "413 | request entity too large",
    "429 | too many requests | rate limit",
    "502 | bad gateway",
    "503 | service unavailable",
    "504 | gateway timeout",
    "inode | df -i | out of inodes | out of files",
    "disk full | no space left on device | out of space | space filling up | diskpressure | free space",
    "exit code 139 | exit 139 | sigsegv | segmentation fault",
    "exit code 143 | exit 143 | sigterm | graceful shutdown",
    "exit code 127 | exit 127 | command not found | executable file not found",
    "exit code 126 | exit 126 | cannot execute",
    "exec format error | architecture | arm64",
    "time zone | timezone | daylight saving | utc",
    "clock skew | ntp | time drift | clock synchronising | chrony",
    "progress deadline | progressdeadlineexceeded | rollout stuck",
    "fsync | slow disk | disk latency",
    "cardinality | too many series",
    "ram | memory",
    "processor | cpu",
    "egress | outbound",
    "apiserver | api server | kube-apiserver | kubernetes api",
    "drain | cordon | schedulingdisabled | maintenance",
    "standby | replica",
    "raid | mdadm | disk array",
    "mtu | fragmentation | packet drops",
    "probe | health check",
    "serviceaccount | service account",
    "createcontainerconfigerror | secret not found | configmap not found",
    "finalizer | stuck terminating | stuck deleting",
    "networkpolicy | network policy | traffic blocked",
    "conntrack | connection tracking",
    "file descriptors | too many open files | ulimit",
    "admission webhook | validating webhook | mutating webhook",
    "alertmanager | notifications | paging",
    "crd | customresourcedefinition | custom resource definition",
    "leader election | lease",
    "load balancer | loadbalancer",
    "sandbox | pause container",
    "kube-proxy | iptables | ipvs",
    "scale up | scaling up | add nodes",
    "vm | virtual machine | virtualmachine",
];

/// The other names of what `text` names.
pub(super) fn others(text: &str) -> Vec<&'static str> {
    let written = sequence(text);
    let mut others = Vec::new();
    for concept in CONCEPTS {
        let (said, unsaid): (Vec<&str>, Vec<&str>) =
            concept.split(" | ").partition(|name| contains(&written, &sequence(name)));
        if !said.is_empty() {
            others.extend(unsaid);
        }
    }
    others
}

fn sequence(text: &str) -> Vec<String> {
    let mut sequence = Vec::new();
    text::words(text, |word, form, _| {
        if form == Form::Word {
            sequence.push(text::stem(word));
        }
    });
    sequence
}

fn contains(text: &[String], name: &[String]) -> bool {
    !name.is_empty() && text.windows(name.len()).any(|window| window == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_brings_the_others() {
        for (text, expected) in [
            ("container was OOMKilled", "out of memory"),
            ("exit code 137", "oomkilled"),
            ("exitCode: 137", "oomkilled"),
            ("NXDOMAIN for every name", "no such host"),
            ("the HPA does nothing", "horizontalpodautoscaler"),
            ("uploads fail with 413", "request entity too large"),
        ] {
            assert!(others(text).contains(&expected), "{text}: {:?}", others(text));
        }
        assert_eq!(others("a red shoe"), Vec::<&str>::new());
    }

    #[test]
    fn concepts_have_names_that_differ() {
        for concept in CONCEPTS {
            let names: Vec<Vec<String>> = concept.split(" | ").map(sequence).collect();
            assert!(names.len() > 1, "{concept}");
            assert!(names.iter().all(|name| !name.is_empty()), "{concept}");
            assert_eq!(concept.to_lowercase(), *concept);
        }
    }
}
