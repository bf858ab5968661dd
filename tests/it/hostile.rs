//! Whatever a cluster or a file says: no panic, no hang, no control sequence on a terminal.

use proptest::prelude::*;
use serde_json::json;

use crate::harm::{Harm, apply, instead, recorded, survive};

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        1 => Just(Harm::Remove),
        1 => Just(Harm::Null),
        1 => Just(Harm::Empty),
        9 => prop::sample::select(instead()).prop_map(Harm::Other),
        1 => ".{0,12}".prop_map(|text| Harm::Other(json!(text))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn harmed_objects_never_panic(harms in prop::collection::vec((prop::collection::vec(0_usize..1000, 1..9), harm()), 1..40)) {
        let mut value = recorded(PROJECT);
        for (choices, harm) in &harms {
            // Below `objects`: the rest of the file is the loader's business.
            apply(&mut value["objects"], choices, harm);
        }
        survive(value).map_err(TestCaseError::fail)?;
    }
}

#[test]
fn the_recorded_outage_itself_survives() {
    survive(recorded(PROJECT)).unwrap();
}
