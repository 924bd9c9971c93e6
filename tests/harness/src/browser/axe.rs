//! What keeps people out of a page, as axe-core sees it
//! (<https://github.com/dequelabs/axe-core>).

use serde_json::{Value, json};

use super::Browser;
use crate::workspace_root;

/// Of axe-core's findings, those that bar somebody from a part of the page.
const SERIOUS: [&str; 2] = ["serious", "critical"];

const AUDIT: &str = "
    return axe.run(document, { resultTypes: ['violations'] }).then((result) => result.violations.map(
        ({ id, impact, help, nodes }) => ({ id, impact, help, nodes: nodes.map((node) => node.html) })));
";

impl Browser {
    /// What axe-core finds serious or critical in the page as it is, in words.
    ///
    /// # Panics
    /// When `make tools` has not brought axe-core.
    pub async fn barriers(&self) -> Vec<String> {
        let file = workspace_root().join(".tools/axe.min.js");
        let axe = std::fs::read_to_string(file).expect("`make tools` brings axe-core");
        self.run(&axe, json!([])).await;
        let found = self.run(AUDIT, json!([])).await;
        let serious = |finding: &&Value| SERIOUS.iter().any(|impact| finding["impact"] == *impact);
        found.as_array().into_iter().flatten().filter(serious).map(ToString::to_string).collect()
    }
}
