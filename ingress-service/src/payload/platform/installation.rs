//! `installation`: an organisation began to send here, or will send no more,
//! which is worth knowing. Its `code` would let anyone act for the organisation
//! and is never read.

use serde::Deserialize;
use serde_json::Value;
use shared::{Alert, alert::kept_text};

use super::{
    lenient::{Maybe, read},
    resource::{ACTOR, PlatformResource},
};
use crate::payload::prune::{SCALAR, Wanted};

const SLUG: &Wanted = &Wanted::object(&[("slug", SCALAR)]);

pub(super) const RESOURCE: PlatformResource = PlatformResource {
    name: "installation",
    kinds: &[("created", "installation.created"), ("deleted", "installation.deleted")],
    schema: include_str!("../../../schemas/installation.json"),
    body: &Wanted::object(&[
        ("action", SCALAR),
        ("actor", ACTOR),
        (
            "data",
            &Wanted::object(&[("installation", &Wanted::object(&[("app", SLUG), ("organization", SLUG)]))]),
        ),
    ]),
    tell,
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct InstallationData {
    installation: Installation,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Installation {
    app: Maybe<Named>,
    organization: Maybe<Named>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    slug: Maybe<String>,
}

fn tell(_: &str, data: &Value, alert: Alert) -> Alert {
    let InstallationData { installation } = read(Some(data));
    let slug = |named: &Maybe<Named>| named.get().and_then(|named| named.slug.kept());
    let organization = slug(&installation.organization);
    Alert {
        title: slug(&installation.app),
        level: Some("info".to_owned()),
        message: organization.and_then(|slug| kept_text(&format!("Organization {slug}"))),
        ..alert
    }
}
