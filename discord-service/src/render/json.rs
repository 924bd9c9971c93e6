//! From serenity's builders to what Discord takes.

use serde::Serialize;
use serde_json::Value;

/// What serenity's builders make, without what they leave open: they write `null`
/// where Discord's documentation knows none.
pub(super) fn to_json(builder: &(impl Serialize + ?Sized)) -> Value {
    let mut json =
        serde_json::to_value(builder).expect("serenity's builders hold only strings, numbers and lists");
    drop_nulls(&mut json);
    json
}

fn drop_nulls(json: &mut Value) {
    match json {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
