//! A JSON object with known names, taken apart without decoding its values.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The values of an object by the place of their names; `None` where it has none or `null`.
pub(crate) struct JsonObject<'a, const N: usize> {
    /// In the order of the names.
    pub(crate) values: [Option<&'a RawValue>; N],
    /// The first name that is not known, as the object has it.
    pub(crate) unknown: Option<String>,
}

/// Reads an object with these names; one that comes twice is an error.
#[derive(Clone, Copy)]
pub(crate) struct Names<const N: usize>(pub(crate) [&'static str; N]);

impl<const N: usize> Names<N> {
    /// Reads an object that is all of `json`.
    pub(crate) fn read<'a>(self, json: &'a [u8]) -> Result<JsonObject<'a, N>, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let object = self.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(object)
    }
}

impl<'de, const N: usize> DeserializeSeed<'de> for Names<N> {
    type Value = JsonObject<'de, N>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Names<N> {
    type Value = JsonObject<'de, N>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = JsonObject {
            values: [None; N],
            unknown: None,
        };
        let mut met = [false; N];
        let mut expected = 0;
        while let Some(name) = map.next_key_seed(Name {
            names: &self.0,
            expected,
        })? {
            let value: &'de RawValue = map.next_value()?;
            let place = match name {
                Known::At(place) => place,
                Known::Not(name) => {
                    object.unknown.get_or_insert(name);
                    continue;
                }
            };
            if let (Some(slot), Some(met)) = (object.values.get_mut(place), met.get_mut(place)) {
                if std::mem::replace(met, true) {
                    return Err(A::Error::custom("a name comes twice"));
                }
                *slot = (value.get() != "null").then_some(value);
            }
            expected = place + 1;
        }
        Ok(object)
    }
}

/// A name of the object.
enum Known {
    At(usize),
    Not(String),
}

/// Finds a name among the known ones, where it is expected first: objects come in one order.
struct Name<'n> {
    names: &'n [&'static str],
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Known;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Known, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Known;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Known, E> {
        if self.names.get(self.expected) == Some(&name) {
            return Ok(Known::At(self.expected));
        }
        let place = self.names.iter().position(|known| *known == name);
        Ok(place.map_or_else(|| Known::Not(name.to_owned()), Known::At))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names<3> = Names(["a", "b", "c"]);

    #[test]
    fn values_stand_where_their_names_do() {
        let object = NAMES
            .read(br#" {"c":[1, {"x":"\""}],"a":null,"d":1,"e":2} "#)
            .unwrap();
        let values = object.values.map(|value| value.map(RawValue::get));
        assert_eq!(values, [None, None, Some(r#"[1, {"x":"\""}]"#)]);
        assert_eq!(object.unknown.as_deref(), Some("d"));
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for wrong in ["", "[]", "null", "{\"a\":1", "{}x", "{\"a\":1,\"a\":null}"] {
            assert!(NAMES.read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(
            NAMES.read(b"{\"a\":\"\xff\"}").is_err(),
            "bytes that are not UTF-8"
        );
    }
}
