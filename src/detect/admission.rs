//! Pods that the API server refuses to take, and why: what the controllers that want to make them
//! were told.
//!
//! *Invariant:* each refusal has exactly one [`Reason`], and counts only while pods are missing:
//! one that was overcome is history.

use super::prelude::*;

/// Why a pod was refused, with the names that the answer gives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant says what its fields are")]
pub enum Reason {
    /// `exceeded quota`: the quota, and for each resource what was requested, is used, is allowed.
    Quota { quota: String, bounds: Vec<Bound> },
    /// `failed quota … must specify`: the quota and what must be said: `limits.memory for: app`.
    QuotaUnspecified { quota: String, missing: String },
    /// The bounds of a LimitRange that were passed, in the answer's words.
    LimitRange(Vec<String>),
    /// Pod Security: the level and what it forbids.
    PodSecurity { level: String, violations: Vec<String> },
    /// A webhook could not be asked: its name and why.
    WebhookFailed { webhook: String, why: String },
    /// A webhook said no.
    WebhookDenied { webhook: String, why: String },
    /// A CEL policy said no.
    PolicyDenied { policy: String, why: String },
    /// The service account is not there.
    Account(String),
    /// The priority class is not there.
    Priority(String),
    /// The runtime class is not there.
    Runtime(String),
    /// The controller has not the right to make pods: the user.
    Forbidden { user: String, what: String },
    /// The namespace is going away: no fault of the workload.
    Terminating,
    /// Something else, in the answer's words.
    Other(String),
}

/// One resource of a quota that does not suffice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// `limits.memory`, `pods`.
    pub resource: String,
    /// More.
    pub requested: String,
    /// There.
    pub used: String,
    /// At most.
    pub limited: String,
}

/// A workload whose pods are refused.
pub struct Refusal<'a> {
    /// What people know: the Deployment of the ReplicaSet.
    pub workload: ObjectRef,
    /// What wants to make pods.
    pub maker: ObjectRef,
    /// How many pods are missing.
    pub missing: i64,
    /// Why.
    pub reason: Reason,
    said: Said<'a>,
}

enum Said<'a> {
    Event(&'a Event),
    Condition(&'a Condition),
}

/// All workloads whose pods are refused now.
pub fn refusals<'a>(view: &View<'a>) -> Vec<Refusal<'a>> {
    let objects = &view.snapshot.objects;
    let mut found = Vec::new();
    for set in &objects.replica_sets {
        let missing = set.spec.replicas.unwrap_or(1).saturating_sub(set.status.replicas);
        let failure = condition(&set.status.conditions, "ReplicaFailure").filter(|c| c.is_true());
        found.extend(refusal(view, set.object_ref(), &set.metadata, missing, failure));
    }
    for set in &objects.stateful_sets {
        let missing = set.spec.replicas.unwrap_or(1).saturating_sub(set.status.replicas);
        found.extend(refusal(view, set.object_ref(), &set.metadata, missing, None));
    }
    for set in &objects.daemon_sets {
        let missing = set.status.desired_number_scheduled.saturating_sub(set.status.current_number_scheduled);
        found.extend(refusal(view, set.object_ref(), &set.metadata, missing, None));
    }
    for job in objects.jobs.iter().filter(|job| !job.spec.suspend && !ended(job)) {
        let wanted = job.spec.parallelism.unwrap_or(1);
        let missing = wanted
            .min(job.spec.completions.unwrap_or(wanted).saturating_sub(job.status.succeeded))
            .saturating_sub(job.status.active);
        found.extend(refusal(view, job.object_ref(), &job.metadata, missing, None));
    }
    // A Deployment whose ReplicaSet, and a CronJob whose Job, is refused.
    for deployment in &objects.deployments {
        let failure =
            condition(&deployment.status.conditions, "Progressing").filter(|c| c.reason == "ReplicaSetCreateError");
        let missing = deployment.spec.replicas.unwrap_or(1).saturating_sub(deployment.status.updated_replicas);
        if failure.is_some() {
            found.extend(refusal(view, deployment.object_ref(), &deployment.metadata, missing, failure));
        }
    }
    for cron in objects.cron_jobs.iter().filter(|cron| !cron.spec.suspend) {
        found.extend(refusal(view, cron.object_ref(), &cron.metadata, 1, None));
    }
    found
}

/// Workloads whose pods are refused for a reason that `choose` knows.
pub fn refused<'a, T>(view: &View<'a>, choose: impl Fn(&Reason) -> Option<T>) -> Vec<(Refusal<'a>, T)> {
    refusals(view).into_iter().filter_map(|refusal| choose(&refusal.reason).map(|chosen| (refusal, chosen))).collect()
}

/// Whether a Job has come to its end, good or bad.
pub fn ended(job: &Job) -> bool {
    ["Complete", "Failed"].iter().any(|kind| condition(&job.status.conditions, kind).is_some_and(Condition::is_true))
}

fn refusal<'a>(
    view: &View<'a>,
    maker: ObjectRef,
    meta: &Meta,
    missing: i64,
    failure: Option<&'a Condition>,
) -> Option<Refusal<'a>> {
    if missing <= 0 || meta.deleting() {
        return None;
    }
    let own = |event: &&&Event| {
        event.involved_object.uid.is_empty() || meta.uid.is_empty() || event.involved_object.uid == meta.uid
    };
    let newest = |reason: &str| view.events(&maker).iter().filter(own).copied().find(|event| event.reason == reason);
    let failed = newest("FailedCreate").or_else(|| newest("ReplicaSetCreateError"));
    let made = newest("SuccessfulCreate").and_then(Event::last);
    // A creation that succeeded after the last refusal shows that the way is free again.
    let failed = failed.filter(|event| made.is_none_or(|made| event.last().is_none_or(|last| last >= made)));
    let said = match (failed, failure) {
        (Some(event), _) => Said::Event(event),
        (None, Some(condition)) => Said::Condition(condition),
        (None, None) => return None,
    };
    let text = match &said {
        Said::Event(event) => &event.message,
        Said::Condition(condition) => &condition.message,
    };
    let workload = view.top_owner(maker.clone(), meta);
    Some(Refusal { workload, maker, missing, reason: reason(text), said })
}

impl Refusal<'_> {
    /// A finding at the workload, with the answer as evidence.
    pub fn finding(&self, view: &View<'_>, summary: String) -> Finding {
        let severity = view.workload_severity(&self.workload);
        let finding = Finding::new(self.workload.clone(), severity, Stage::Admit, summary);
        let finding = match &self.said {
            Said::Event(event) => finding.event(event).since(event.first()),
            Said::Condition(condition) => finding
                .field(&self.maker, format!("status.conditions[{}].message", condition.kind), &condition.message)
                .since(*condition.last_transition_time),
        };
        finding.look("see what was refused", &self.maker, &["describe", &self.maker.kind.argument(), &self.maker.name])
    }

    /// `1 pod is`, `3 pods are`, what is refused; for a CronJob its jobs.
    pub fn subject(&self) -> String {
        match (self.maker.kind, self.missing) {
            (Kind::CronJob, _) => "its Job is".to_owned(),
            (Kind::Deployment, _) => "its new ReplicaSet is".to_owned(),
            (_, 1) => "1 pod is".to_owned(),
            (_, count) => format!("{count} pods are"),
        }
    }
}

/// Reads the API server's answer, as controllers quote it.
pub fn reason(message: &str) -> Reason {
    let after = |mark: &str| message.split_once(mark).map(|(_, rest)| rest);
    if let Some(rest) = after("exceeded quota: ") {
        let quota = rest.split([',', ' ']).next().unwrap_or_default().to_owned();
        return Reason::Quota { quota, bounds: bounds(rest) };
    }
    if let Some((quota, rest)) = after("failed quota: ").and_then(|rest| rest.split_once(": ")) {
        return Reason::QuotaUnspecified {
            quota: quota.to_owned(),
            missing: rest.trim_start_matches("must specify ").to_owned(),
        };
    }
    if let Some(rest) = after("violates PodSecurity \"") {
        let (level, rest) = rest.split_once('"').unwrap_or((rest, ""));
        return Reason::PodSecurity { level: level.to_owned(), violations: violations(rest.trim_start_matches(": ")) };
    }
    if let Some(rest) = after("failed calling webhook \"") {
        let (webhook, rest) = rest.split_once('"').unwrap_or((rest, ""));
        let why = rest.trim_start_matches(": ").trim_start_matches("failed to call webhook: ");
        // `Post "https://…": reason`: the address only repeats the Service.
        let why = why.rsplit_once("\": ").map_or(why, |(_, why)| why);
        return Reason::WebhookFailed { webhook: webhook.to_owned(), why: why.to_owned() };
    }
    if let Some(rest) = after("admission webhook \"") {
        let (webhook, rest) = rest.split_once('"').unwrap_or((rest, ""));
        let why = rest
            .trim_start_matches(" denied the request")
            .trim_start_matches(": ")
            .trim_start_matches(" without explanation");
        return Reason::WebhookDenied { webhook: webhook.to_owned(), why: why.trim().to_owned() };
    }
    if let Some(rest) = after("ValidatingAdmissionPolicy '") {
        let (policy, rest) = rest.split_once('\'').unwrap_or((rest, ""));
        let why = rest.split_once("denied request: ").map_or(rest, |(_, why)| why);
        return Reason::PolicyDenied { policy: policy.to_owned(), why: why.trim().to_owned() };
    }
    if let Some(rest) = after("error looking up service account ") {
        let (account, _) = rest.split_once(':').unwrap_or((rest, ""));
        return Reason::Account(account.rsplit('/').next().unwrap_or_default().to_owned());
    }
    if let Some(rest) = after("no PriorityClass with name ") {
        return Reason::Priority(rest.split(' ').next().unwrap_or_default().to_owned());
    }
    if let Some((name, rest)) = after("RuntimeClass \"").and_then(|rest| rest.split_once('"'))
        && rest.contains("not found")
    {
        return Reason::Runtime(name.to_owned());
    }
    reason_by_words(message)
}

fn reason_by_words(message: &str) -> Reason {
    if message.contains("because it is being terminated") {
        return Reason::Terminating;
    }
    let said = message.split_once("is forbidden: ").map_or(message, |(_, rest)| rest);
    let passed: Vec<String> =
        said.trim_matches(['[', ']']).split(", ").fold(Vec::new(), |mut list: Vec<String>, part| {
            // `…is 128Mi, but limit is 512Mi` is one bound.
            match list.last_mut().filter(|_| part.starts_with("but ")) {
                Some(last) => *last = format!("{last}, {part}"),
                None => list.push(part.to_owned()),
            }
            list
        });
    let bound = |text: &String| {
        (text.contains(" usage per ") || text.contains("limit to request ratio per ")) && text.contains(" is ")
    };
    if passed.iter().any(bound) {
        return Reason::LimitRange(passed.into_iter().filter(bound).collect());
    }
    if let Some((user, rest)) = said.split_once("User \"").and_then(|(_, rest)| rest.split_once('"'))
        && rest.contains("cannot create")
    {
        return Reason::Forbidden { user: user.to_owned(), what: rest.split('"').nth(1).unwrap_or("pods").to_owned() };
    }
    let plain = message.trim_start_matches("(combined from similar events): ").trim_start_matches("Error creating: ");
    Reason::Other(if said == message { plain } else { said }.to_owned())
}

/// `requested: a=1,b=2, used: a=3,b=4, limited: a=3,b=5` by resource.
fn bounds(text: &str) -> Vec<Bound> {
    let part = |mark: &str| {
        let rest = text.split_once(mark).map_or("", |(_, rest)| rest);
        let rest = rest.split(", ").next().unwrap_or_default();
        rest.split(',')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect::<Map>()
    };
    let (requested, used, limited) = (part("requested: "), part("used: "), part("limited: "));
    let value = |map: &Map, resource: &String| map.get(resource).cloned().unwrap_or_default();
    requested
        .iter()
        .map(|(resource, amount)| Bound {
            resource: resource.clone(),
            requested: amount.clone(),
            used: value(&used, resource),
            limited: value(&limited, resource),
        })
        .collect()
}

/// What Pod Security forbids, without the explanations in parentheses.
fn violations(text: &str) -> Vec<String> {
    let (mut depth, mut list, mut word) = (0_usize, Vec::new(), String::new());
    for c in text.chars() {
        match c {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => list.push(std::mem::take(&mut word)),
            _ if depth == 0 => word.push(c),
            _ => {}
        }
    }
    list.push(word);
    list.into_iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = r#"Error creating: pods "web-1" is forbidden: "#;

    #[test]
    fn quotas_and_ranges() {
        let text = format!(
            "{POD}exceeded quota: team, requested: limits.memory=200Mi,pods=1, used: limits.memory=100Mi,pods=3, limited: limits.memory=256Mi,pods=3"
        );
        let bound = |resource: &str, requested: &str, used: &str, limited: &str| Bound {
            resource: resource.into(),
            requested: requested.into(),
            used: used.into(),
            limited: limited.into(),
        };
        assert_eq!(
            reason(&text),
            Reason::Quota {
                quota: "team".into(),
                bounds: vec![bound("limits.memory", "200Mi", "100Mi", "256Mi"), bound("pods", "1", "3", "3")]
            }
        );
        let text = format!("{POD}failed quota: team: must specify limits.memory for: app; requests.cpu for: app,log");
        assert_eq!(
            reason(&text),
            Reason::QuotaUnspecified {
                quota: "team".into(),
                missing: "limits.memory for: app; requests.cpu for: app,log".into()
            }
        );
        let text = format!(
            "{POD}[minimum memory usage per Container is 64Mi, but request is 32Mi, cpu max limit to request ratio per Container is 2, but provided ratio is 40.000000]"
        );
        let passed = vec![
            "minimum memory usage per Container is 64Mi, but request is 32Mi".into(),
            "cpu max limit to request ratio per Container is 2, but provided ratio is 40.000000".into(),
        ];
        assert_eq!(reason(&text), Reason::LimitRange(passed));
        assert_eq!(
            reason(&format!("{POD}maximum cpu usage per Pod is 1.  No limit is specified")),
            Reason::LimitRange(vec!["maximum cpu usage per Pod is 1.  No limit is specified".into()])
        );
    }

    #[test]
    fn webhooks_and_policies() {
        let text = r#"Error creating: Internal error occurred: failed calling webhook "check.x.io": failed to call webhook: Post "https://hook.sys.svc:443/?timeout=3s": service "hook" not found"#;
        assert_eq!(
            reason(text),
            Reason::WebhookFailed { webhook: "check.x.io".into(), why: "service \"hook\" not found".into() }
        );
        let text = r#"Error creating: admission webhook "deny.x.io" denied the request: images must come from r.io"#;
        assert_eq!(
            reason(text),
            Reason::WebhookDenied { webhook: "deny.x.io".into(), why: "images must come from r.io".into() }
        );
        let text = format!(
            "{POD}ValidatingAdmissionPolicy 'team' with binding 'all' denied request: pods must carry the label team"
        );
        assert_eq!(
            reason(&text),
            Reason::PolicyDenied { policy: "team".into(), why: "pods must carry the label team".into() }
        );
        let text = format!(
            r#"{POD}violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "app" must set a, b), seccompProfile (pod or container "app" must set "RuntimeDefault" or "Localhost")"#
        );
        assert_eq!(
            reason(&text),
            Reason::PodSecurity {
                level: "restricted:latest".into(),
                violations: vec!["allowPrivilegeEscalation != false".into(), "seccompProfile".into()]
            }
        );
    }

    #[test]
    fn missing_objects_and_rights() {
        let table = [
            (
                r#"error looking up service account shop/robot: serviceaccount "robot" not found"#,
                Reason::Account("robot".into()),
            ),
            ("no PriorityClass with name gold was found", Reason::Priority("gold".into())),
            (r#"pod rejected: RuntimeClass "gvisor" not found"#, Reason::Runtime("gvisor".into())),
            (
                r#"User "system:serviceaccount:a:b" cannot create resource "pods" in API group """#,
                Reason::Forbidden { user: "system:serviceaccount:a:b".into(), what: "pods".into() },
            ),
            ("unable to create new content in namespace shop because it is being terminated", Reason::Terminating),
            ("something new", Reason::Other("something new".into())),
        ];
        for (text, expected) in table {
            assert_eq!(reason(&format!("{POD}{text}")), expected);
        }
    }
}
