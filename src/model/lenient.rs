//! How slim types are read and written: an absent field and a `null` are the type's default, an
//! unknown field is dropped, a default is not written.
//!
//! The API server does send `null` (`EndpointSlice.endpoints`, an aggregated role's `rules`), and
//! snapshots come from people. *Invariant:* a slim type never fails for a field that is missing.

use serde::{Deserialize, Deserializer};

/// Reads `T`, taking `null` for its default.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Whether a field holds its default, and so is left out when written.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Reads a time; what is not RFC 3339 is taken as absent.
pub(crate) fn time<'de, D: Deserializer<'de>>(d: D) -> Result<Option<super::Time>, D::Error> {
    let text = Option::<String>::deserialize(d)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

/// Declares slim types: every field has a default, tolerates `null` and is written only when set.
macro_rules! slim {
    ($( $(#[$meta:meta])* pub struct $name:ident {
        $( $(#[$field_meta:meta])* pub $field:ident: $type:ty, )*
    } )*) => { $(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name { $(
            $(#[$field_meta])*
            #[serde(
                deserialize_with = "crate::model::lenient::nullable",
                skip_serializing_if = "crate::model::lenient::is_default"
            )]
            pub $field: $type,
        )* }

        impl crate::model::list::Share for $name {
            fn share(&mut self, with: &$name) {
                $( self.$field.share(&with.$field); )*
            }
        }
    )* };
}
pub(crate) use slim;

/// An optional time that never fails to be read; used as a field type of slim types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct When(pub Option<super::Time>);

super::list::unshared!(When);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        time(d).map(When)
    }
}

impl std::ops::Deref for When {
    type Target = Option<super::Time>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
