//! Lists of slim types, which neighbours share where they are equal.
//!
//! The replicas of a workload have the same containers, volumes, labels and owners, and stand side by side in a list of
//! the API: held anew for each of them, these are most of what a large cluster takes. So every list is taken over
//! from the neighbour while it is read, where the two are equal ([`neighbours`]).
//!
//! *Invariant:* nobody can tell whether a list is shared: who changes one ([`List::update`]) changes his own.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// A list that is not grown after it was read. It is two words; an empty one has nothing on the heap.
pub struct List<T>(Option<Arc<[T]>>);

impl<T> List<T> {
    /// Whether both are one list, not only equal.
    pub fn is(&self, other: &List<T>) -> bool {
        match (&self.0, &other.0) {
            (Some(list), Some(other)) => Arc::ptr_eq(list, other),
            (None, None) => true,
            _ => false,
        }
    }
}

impl<T: Clone + PartialEq> List<T> {
    /// Changes the items. A shared list stays shared where `change` leaves all of it as it is.
    pub fn update(&mut self, mut change: impl FnMut(&mut T)) {
        let Some(list) = &mut self.0 else { return };
        if let Some(items) = Arc::get_mut(list) {
            items.iter_mut().for_each(change);
            return;
        }
        let mut items = list.to_vec();
        items.iter_mut().for_each(&mut change);
        if *items != **list {
            *list = items.into();
        }
    }
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.0.as_deref().unwrap_or_default()
    }
}

// By hand, since the derived ones ask the items for what they do not need.
impl<T> Default for List<T> {
    fn default() -> List<T> {
        List(None)
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> List<T> {
        List(self.0.clone())
    }
}

impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &List<T>) -> bool {
        self.is(other) || **self == **other
    }
}

impl<T: Eq> Eq for List<T> {}

impl<T: fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> List<T> {
        List((!items.is_empty()).then(|| items.into()))
    }
}

impl<T, const N: usize> From<[T; N]> for List<T> {
    fn from(items: [T; N]) -> List<T> {
        Vec::from(items).into()
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> List<T> {
        Vec::from_iter(items).into()
    }
}

impl<'l, T> IntoIterator for &'l List<T> {
    type Item = &'l T;
    type IntoIter = std::slice::Iter<'l, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<List<T>, D::Error> {
        Vec::deserialize(deserializer).map(List::from)
    }
}

/// What takes over from a neighbour the lists in which the two are equal.
pub trait Share {
    /// Takes over what is equal; `self` says the same before and after.
    fn share(&mut self, with: &Self);
}

impl<T: Share + PartialEq> Share for List<T> {
    fn share(&mut self, with: &List<T>) {
        if self == with {
            *self = with.clone();
        } else if let Some(items) = self.0.as_mut().and_then(Arc::get_mut) {
            items.iter_mut().zip(with).for_each(|(item, other)| item.share(other));
        }
    }
}

impl<T: Share> Share for Option<T> {
    fn share(&mut self, with: &Option<T>) {
        if let (Some(item), Some(other)) = (self, with) {
            item.share(other);
        }
    }
}

impl<T: Share> Share for Box<T> {
    fn share(&mut self, with: &Box<T>) {
        (**self).share(with);
    }
}

impl<A: Share, B: Share> Share for (A, B) {
    fn share(&mut self, with: &(A, B)) {
        self.0.share(&with.0);
        self.1.share(&with.1);
    }
}

/// Types that are held anew each time: they have no list, or none that neighbours have too.
macro_rules! unshared {
    ($($type:ty),* $(,)?) => { $(
        impl crate::model::list::Share for $type {
            fn share(&mut self, _: &$type) {}
        }
    )* };
}
pub(crate) use unshared;

unshared!(String, bool, i64, u64, serde_json::Value);

/// Reads items of which each shares with the one before it; `null` has none.
pub(crate) fn neighbours<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Share,
{
    struct Items<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de> + Share> Visitor<'de> for Items<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of objects")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
            let mut items: Vec<T> = Vec::new();
            while let Some(mut item) = seq.next_element::<T>()? {
                if let Some(last) = items.last() {
                    item.share(last);
                }
                items.push(item);
            }
            Ok(items)
        }

        fn visit_unit<E>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }
    }

    deserializer.deserialize_any(Items(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Vec<List<String>> {
        neighbours(&mut serde_json::Deserializer::from_str(json)).unwrap()
    }

    #[test]
    fn what_neighbours_have_in_common_is_held_once() {
        let lists = read(r#"[["a", "b"], ["a", "b"], ["a"], []]"#);
        assert!(lists[0].is(&lists[1]));
        assert!(!lists[1].is(&lists[2]));
        assert_eq!(serde_json::to_string(&lists).unwrap(), r#"[["a","b"],["a","b"],["a"],[]]"#);
        assert_eq!(read("null"), []);
    }

    #[test]
    fn below_what_differs_the_rest_is_shared() {
        let json = r#"[[["a"], ["x"]], [["a"], ["y"]]]"#;
        let lists: Vec<List<List<String>>> = neighbours(&mut serde_json::Deserializer::from_str(json)).unwrap();
        assert!(lists[0][0].is(&lists[1][0]));
        assert_eq!(*lists[1][1], ["y"]);
    }

    #[test]
    fn a_change_is_ones_own() {
        let mut lists = read(r#"[["a"], ["a"]]"#);
        let kept = lists[0].clone();
        lists[0].update(|_| ());
        assert!(lists[0].is(&kept), "nothing changed");
        lists[0].update(|item| item.push('!'));
        assert_eq!((lists[0][0].as_str(), lists[1][0].as_str()), ("a!", "a"));
    }
}
