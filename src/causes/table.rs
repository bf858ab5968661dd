//! What may follow from what: the one table that allows folding.
//!
//! *Invariant:* a row says: where the target of such an edge is blocked at one of these stages, the
//! object that depends on it is blocked from that stage on. No row, no folding.

use crate::graph::Edge;
use crate::model::Stage;

/// One row.
struct Row {
    edge: Edge,
    /// The last stage of the target from which the dependent suffers.
    up_to: Stage,
    /// Where the dependent is blocked.
    blocks: Stage,
    /// Whether the dependent's trouble must not be older than the target's.
    timely: bool,
}

const fn row(edge: Edge, up_to: Stage, blocks: Stage) -> Row {
    Row { edge, up_to, blocks, timely: false }
}

const TABLE: &[Row] = &[
    row(Edge::Owner, Stage::Ready, Stage::Ready),
    row(Edge::Selector, Stage::Ready, Stage::Serve),
    row(Edge::Backend, Stage::Serve, Stage::Route),
    row(Edge::Parent, Stage::Route, Stage::Route),
    row(Edge::Volume, Stage::Mount, Stage::Schedule),
    row(Edge::Binding, Stage::Mount, Stage::Schedule),
    row(Edge::Class, Stage::Mount, Stage::Schedule),
    row(Edge::Provisioner, Stage::Ready, Stage::Schedule),
    row(Edge::Config, Stage::Route, Stage::Start),
    row(Edge::Account, Stage::Start, Stage::Start),
    // A pod that was broken before its node died keeps its own cause.
    Row { timely: true, ..row(Edge::Node, Stage::Route, Stage::Ready) },
    row(Edge::Quota, Stage::Admit, Stage::Admit),
    row(Edge::Target, Stage::Ready, Stage::Ready),
    row(Edge::Metrics, Stage::Route, Stage::Ready),
    row(Edge::Governing, Stage::Serve, Stage::Ready),
    row(Edge::Server, Stage::Serve, Stage::Admit),
    row(Edge::Holder, Stage::Ready, Stage::Ready),
    row(Edge::Maker, Stage::Ready, Stage::Start),
    row(Edge::Reference, Stage::Ready, Stage::Ready),
];

/// A step from a target to what depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Where the dependent is blocked.
    pub(super) blocks: Stage,
    /// Whether times must agree.
    pub(super) timely: bool,
}

/// What crossing `edge` does to a dependent, where its target is blocked at `stage`.
pub(super) fn step(edge: Edge, stage: Stage) -> Option<Step> {
    let row = TABLE.iter().find(|row| row.edge == edge && stage <= row.up_to)?;
    Some(Step { blocks: row.blocks, timely: row.timely })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_pod_takes_its_service_and_ingress_down() {
        let service = step(Edge::Selector, Stage::Mount).unwrap();
        assert_eq!(service.blocks, Stage::Serve);
        assert_eq!(step(Edge::Backend, service.blocks).unwrap().blocks, Stage::Route);
    }

    #[test]
    fn what_only_breaks_later_explains_nothing_earlier() {
        assert_eq!(step(Edge::Selector, Stage::Route), None);
        assert_eq!(step(Edge::Volume, Stage::Ready), None);
        assert_eq!(step(Edge::Blame, Stage::Admit), None);
    }
}
