//! What the head of a page says, without reading the page.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, Error as _, IgnoredAny, MapAccess, Visitor};

/// The token with which the next page is asked for, where there is one.
///
/// The API server writes `metadata` before `items`, so that this reads a few hundred bytes of the
/// megabytes; lists of custom resources have it the other way round, and are scanned.
pub(super) fn next(body: &[u8]) -> Option<String> {
    struct Head<'t>(&'t mut Option<String>);

    impl<'de> Visitor<'de> for Head<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            #[derive(serde::Deserialize)]
            struct Metadata<'a> {
                #[serde(borrow, default, rename = "continue")]
                next: Option<Cow<'a, str>>,
            }
            while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                if key == "metadata" {
                    *self.0 = map.next_value::<Metadata<'de>>()?.next.map(Cow::into_owned);
                    // The only way to leave a map before its end.
                    return Err(A::Error::custom("enough"));
                }
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }

    let mut token = None;
    let mut json = serde_json::Deserializer::from_slice(body);
    // The error is ours, or the page is broken: then reading it will say so.
    let _ = json.deserialize_map(Head(&mut token));
    token.filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn the_token_is_found_on_either_side_of_the_items() {
        assert_eq!(
            next(br#"{"kind":"PodList","metadata":{"resourceVersion":"1","continue":"a"},"items":[{}]}"#),
            Some("a".into())
        );
        assert_eq!(
            next(br#"{"apiVersion":"x","items":[{"metadata":{"continue":"no"}}],"metadata":{"continue":"b"}}"#),
            Some("b".into())
        );
    }

    #[test]
    fn the_last_page_and_garbage_have_none() {
        for body in [
            &br#"{"metadata":{"continue":""},"items":[]}"#[..],
            br#"{"metadata":{}}"#,
            b"[]",
            b"<html>",
            b"",
            br#"{"metadata":7}"#,
        ] {
            assert_eq!(next(body), None);
        }
    }

    #[test]
    fn the_items_are_not_read_when_the_head_comes_first() {
        assert_eq!(next(br#"{"metadata":{"continue":"a"},"items":[{ broken"#), Some("a".into()));
    }
}
