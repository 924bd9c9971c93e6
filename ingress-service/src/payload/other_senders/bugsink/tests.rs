//! The reasons in the code and in the schemas.

use serde_json::Value;

use super::{CUSTOM, DISCORD, REASONS, SLACK};

#[test]
fn the_schemas_allow_the_reasons_that_the_code_knows() {
    let known = REASONS.map(|(reason, _)| reason);
    let custom: Value = serde_json::from_str(CUSTOM.schema).expect("JSON");
    assert_eq!(custom["properties"]["alert_reason"]["enum"], Value::from(known.to_vec()));

    let pattern = format!("^({}) issue$", known.join("|"));
    let slack: Value = serde_json::from_str(SLACK.schema).expect("JSON");
    let text = slack.pointer("/properties/blocks/contains/properties/text/properties/text/pattern");
    assert_eq!(text, Some(&Value::from(pattern.clone())));
    let discord: Value = serde_json::from_str(DISCORD.schema).expect("JSON");
    let description = discord.pointer("/properties/embeds/items/properties/description/anyOf/0/pattern");
    assert_eq!(description, Some(&Value::from(pattern)));
}
