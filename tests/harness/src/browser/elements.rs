//! Finding and using what is on a page as people do who cannot see it: by role and
//! accessible name.

use serde_json::{Value, json};

use super::Browser;
use crate::wait::{SOON, wait_for};

/// What WebDriver names a reference to an element.
const REFERENCE: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Candidates by what the page says of them, visible ones alone. WebDriver then says
/// what role and name they really have.
const CANDIDATES: &str = r#"
    const [name] = arguments;
    const texts = (node) => [node.textContent, node.getAttribute("aria-label"), node.placeholder, node.title,
        ...[...node.labels || []].map((label) => label.textContent),
        ...(node.getAttribute("aria-labelledby") || "").split(" ").map((id) => document.getElementById(id)?.textContent)];
    return [...document.querySelectorAll("a, button, input, select, option, textarea, summary, dialog, [role], [aria-label], h1, h2, h3")]
        .filter((node) => node.checkVisibility({ visibilityProperty: true }) || node.tagName === "OPTION")
        .filter((node) => texts(node).some((text) => text && text.includes(name)));
"#;

/// An element of a page.
#[derive(Debug, Clone)]
pub struct Element(String);

impl Element {
    fn read(value: &Value) -> Option<Self> {
        value[REFERENCE].as_str().map(|id| Self(id.to_owned()))
    }

    /// How scripts are given it as an argument.
    pub fn argument(&self) -> Value {
        json!({ REFERENCE: self.0 })
    }
}

impl Browser {
    /// Waits for a visible element with this role and accessible name.
    pub async fn element(&self, role: &str, name: &str) -> Element {
        wait_for(&format!("there is a {role} {name:?}"), SOON, || self.find(role, name)).await
    }

    /// A visible element with this role and accessible name, if there is one.
    pub async fn find(&self, role: &str, name: &str) -> Option<Element> {
        let found = self.run(CANDIDATES, json!([name])).await;
        for element in found.as_array()?.iter().filter_map(Element::read) {
            // The page may have been drawn again since.
            let is = async |what: &str| self.get(&format!("/element/{}/computed{what}", element.0)).await;
            if is("role").await.is_ok_and(|found| found == role)
                && is("label").await.is_ok_and(|found| found == name)
            {
                return Some(element);
            }
        }
        None
    }

    /// Clicks with the mouse, as soon as it is there and nothing lies over it.
    pub async fn click(&self, role: &str, name: &str) {
        wait_for(&format!("a {role} {name:?} can be clicked"), SOON, || async {
            let element = self.find(role, name).await?;
            self.post(&format!("/element/{}/click", element.0), json!({})).await.ok()
        })
        .await;
    }

    /// Puts this text in place of what an input holds.
    pub async fn fill(&self, role: &str, name: &str, text: &str) {
        wait_for(&format!("a {role} {name:?} can be written in"), SOON, || async {
            let element = self.find(role, name).await?;
            self.post(&format!("/element/{}/clear", element.0), json!({})).await.ok()?;
            self.post(&format!("/element/{}/value", element.0), json!({ "text": text })).await.ok()
        })
        .await;
    }

    /// Presses these keys one after another, wherever the focus is.
    pub async fn press(&self, keys: &str) {
        let strokes = keys.chars().flat_map(|key| {
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
        });
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes.collect::<Vec<_>>() });
        self.post("/actions", json!({ "actions": [keyboard] })).await.expect("keys can be pressed");
    }

    /// The role and the accessible name of what has the focus.
    pub async fn focus(&self) -> (String, String) {
        let active = self.get("/element/active").await.unwrap_or_default();
        let Some(element) = Element::read(&active) else { return Default::default() };
        let is = async |what: &str| {
            let found = self.get(&format!("/element/{}/computed{what}", element.0)).await.unwrap_or_default();
            found.as_str().unwrap_or_default().to_owned()
        };
        (is("role").await, is("label").await)
    }
}

/// Keys that are no characters, as WebDriver writes them.
pub mod keys {
    /// To the next element.
    pub const TAB: char = '\u{E004}';
    /// Sends, presses.
    pub const ENTER: char = '\u{E007}';
    /// Closes.
    pub const ESCAPE: char = '\u{E00C}';
    /// In lists.
    pub const DOWN: char = '\u{E015}';
}
