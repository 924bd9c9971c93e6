//! `preprod_artifact`: a mobile build was measured, or can be installed. Anybody
//! can install the build with its `installUrl`, which is never read.

use serde::Deserialize;
use serde_json::Value;
use shared::{Alert, alert::kept_text};

use super::{
    lenient::{Maybe, SentryId, read, words},
    resource::{ACTOR, PlatformResource},
};
use crate::payload::prune::{SCALAR, Wanted};

pub(super) const RESOURCE: PlatformResource = PlatformResource {
    name: "preprod_artifact",
    kinds: &[
        ("size_analysis_completed", "preprod_artifact.size_analysis_completed"),
        ("build_distribution_completed", "preprod_artifact.build_distribution_completed"),
    ],
    schema: include_str!("../../../schemas/preprod_artifact.json"),
    body: &Wanted::object(&[
        ("action", SCALAR),
        ("actor", ACTOR),
        (
            "data",
            &Wanted::object(&[
                ("projectSlug", SCALAR),
                ("platform", SCALAR),
                ("state", SCALAR),
                (
                    "appInfo",
                    &Wanted::object(&[
                        ("appId", SCALAR),
                        ("name", SCALAR),
                        ("version", SCALAR),
                        ("buildNumber", SCALAR),
                    ]),
                ),
                (
                    "gitInfo",
                    &Wanted::object(&[("headRepoName", SCALAR), ("headRef", SCALAR), ("prNumber", SCALAR)]),
                ),
                ("errorCode", SCALAR),
                ("errorMessage", SCALAR),
                ("downloadSize", SCALAR),
                ("installSize", SCALAR),
                ("isInstallable", SCALAR),
                ("buildConfiguration", SCALAR),
            ]),
        ),
    ]),
    tell,
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BuildData {
    project_slug: Maybe<String>,
    platform: Maybe<String>,
    state: Maybe<String>,
    app_info: Maybe<App>,
    git_info: Maybe<Git>,
    error_code: Maybe<SentryId>,
    error_message: Maybe<String>,
    /// Bytes.
    download_size: Maybe<u64>,
    install_size: Maybe<u64>,
    is_installable: Maybe<bool>,
    build_configuration: Maybe<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct App {
    app_id: Maybe<String>,
    name: Maybe<String>,
    version: Maybe<String>,
    build_number: Maybe<SentryId>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Git {
    head_repo_name: Maybe<String>,
    head_ref: Maybe<String>,
    pr_number: Maybe<SentryId>,
}

fn tell(_: &str, data: &Value, alert: Alert) -> Alert {
    let data: BuildData = read(Some(data));
    let failed = data.state.text().filter(|state| *state != "COMPLETED");
    let mut details = alert.details;
    details.how = failed.and_then(|state| words(&state.to_lowercase()));
    details.category = data.platform.text().and_then(|platform| words(&platform.to_lowercase()));
    let level = if failed == Some("FAILED") { "error" } else { "info" };
    Alert {
        project: data.project_slug.kept().unwrap_or(alert.project),
        title: data.app_info.get().and_then(App::name),
        level: Some(level.to_owned()),
        culprit: data.git_info.get().and_then(Git::place),
        message: data.result(),
        environment: data.build_configuration.brief(),
        details,
        ..alert
    }
}

impl BuildData {
    fn result(&self) -> Option<String> {
        let error = self.error_message.kept();
        let code = || self.error_code.get().and_then(|code| kept_text(&format!("Error {}", code.0)));
        error.or_else(code).or_else(|| {
            let size = |what, bytes: Option<&u64>| bytes.map(|bytes| format!("{what} {}", megabytes(*bytes)));
            let installable = self.is_installable.get().map(|can| match can {
                true => "Can be installed".to_owned(),
                false => "Cannot be installed".to_owned(),
            });
            let said = [
                size("Download", self.download_size.get()),
                size("install", self.install_size.get()),
                installable,
            ];
            kept_text(&said.into_iter().flatten().collect::<Vec<_>>().join(", "))
        })
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

impl App {
    fn name(&self) -> Option<String> {
        let build = self.build_number.get().map(|number| format!("({})", number.0));
        let name = self.name.kept().or_else(|| self.app_id.kept());
        let parts: Vec<_> = name.into_iter().chain(self.version.kept()).chain(build).collect();
        kept_text(&parts.join(" "))
    }
}

impl Git {
    fn place(&self) -> Option<String> {
        let request = self.pr_number.get().map(|number| format!("#{}", number.0));
        let repo = self.head_repo_name.kept();
        let parts: Vec<_> = repo.into_iter().chain(self.head_ref.kept()).chain(request).collect();
        kept_text(&parts.join(" "))
    }
}
