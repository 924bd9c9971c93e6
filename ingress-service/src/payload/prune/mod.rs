//! Reads JSON and keeps only what is named: an event is up to a megabyte, an
//! alert needs a few strings of it. The rest is skipped while it is parsed.

#[cfg(test)]
mod tests;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{repair::repair, schema::PayloadError};

/// The last items of an array are kept: the innermost frames come last.
pub(crate) const KEPT_ITEMS: usize = 256;

/// What to keep of a value. Scalars are always kept; an object keeps the named
/// fields and an array its items, each as described. Where nothing is
/// described, the value keeps its type alone: `{}`, `[]`.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) fields: &'static [WantedField],
    pub(crate) items: Option<&'static Wanted>,
    /// Whose fields are wanted too.
    pub(crate) also: Option<&'static Wanted>,
}

/// A field's name, and what to keep of it.
pub(crate) type WantedField = (&'static str, &'static Wanted);

/// Scalars only.
pub(super) const SCALAR: &Wanted = &Wanted { fields: &[], items: None, also: None };

impl Wanted {
    /// An object with these fields.
    pub(super) const fn object(fields: &'static [WantedField]) -> Self {
        Self { fields, items: None, also: None }
    }

    /// An array of such items.
    pub(super) const fn list(items: &'static Self) -> Self {
        Self { fields: &[], items: Some(items), also: None }
    }

    /// The wanted field of this name.
    pub(crate) fn field(&'static self, name: &str) -> Option<&'static WantedField> {
        let own = self.fields.iter().find(|(wanted, _)| *wanted == name);
        own.or_else(|| self.also?.field(name))
    }
}

/// The wanted part of a JSON text.
///
/// # Errors
/// [`PayloadError::NotJson`].
pub(crate) fn prune(body: &[u8], wanted: &'static Wanted) -> Result<Value, PayloadError> {
    let text = str::from_utf8(body).map_err(|_| PayloadError::NotJson)?;
    if let Ok(value) = parse(text, wanted) {
        return Ok(value);
    }
    // JSON's grammar allows what `Value` cannot hold; skipping checks the
    // grammar alone.
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| PayloadError::NotJson)?;
    parse(&repair(text), wanted).map_err(|_| PayloadError::NotJson)
}

fn parse(text: &str, wanted: &'static Wanted) -> serde_json::Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = wanted.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

impl<'de> DeserializeSeed<'de> for &'static Wanted {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &'static Wanted {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        match self.items {
            None => while access.next_element::<IgnoredAny>()?.is_some() {},
            Some(items) => {
                while let Some(item) = access.next_element_seed(items)? {
                    if kept.len() == 2 * KEPT_ITEMS {
                        kept.drain(..KEPT_ITEMS);
                    }
                    kept.push(item);
                }
            }
        }
        kept.drain(..kept.len().saturating_sub(KEPT_ITEMS));
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(field) = access.next_key_seed(FieldKey(self))? {
            match field {
                Some((name, wanted)) => {
                    kept.insert((*name).to_owned(), access.next_value_seed(*wanted)?);
                }
                None => {
                    access.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Object(kept))
    }
}

/// Finds a key among the wanted fields without allocating it.
struct FieldKey(&'static Wanted);

impl<'de> DeserializeSeed<'de> for FieldKey {
    type Value = Option<&'static WantedField>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FieldKey {
    type Value = Option<&'static WantedField>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.field(key))
    }
}
