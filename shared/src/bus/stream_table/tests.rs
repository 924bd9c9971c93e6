//! Compares the table with `k8s/components/nats-cluster/accounts.conf`: it
//! allows what a service needs, and nothing else.

use std::collections::BTreeSet;

use clap::Parser as _;

use super::{
    super::rights::{self, ServiceRights},
    table,
};
use crate::{settings::CommonSettings, telemetry::STREAMS};

#[derive(clap::Parser)]
struct TableSettings {
    #[command(flatten)]
    common: CommonSettings,
}

/// The file's lists for a user, under `publish` and `subscribe`.
fn listed(user: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../k8s/components/nats-cluster/accounts.conf");
    let text = std::fs::read_to_string(path).expect("the file that is deployed");
    let (_, text) = text.split_once(&format!("user: {user}\n")).expect("it has such a user");
    let list = |name: &str| {
        let (_, list) = text.split_once(&format!("{name}: [")).expect("it has such a list");
        let (list, _) = list.split_once(']').expect("it ends");
        let lines = list.lines().map(|line| line.split('#').next().unwrap_or_default());
        let quoted =
            lines.flat_map(|line| line.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
        quoted.collect()
    };
    (list("publish"), list("subscribe"))
}

#[test]
fn the_accounts_that_are_deployed_allow_what_the_table_needs_and_nothing_else() {
    let settings = TableSettings::parse_from(["test"]).common.nats;
    for service in ["ingress-service", "discord-service"] {
        let rights = ServiceRights::of(service, &table(&settings));
        let subjects = |rights: Vec<rights::Right>| rights.into_iter().map(|right| right.subject).collect();
        let needed: (BTreeSet<String>, BTreeSet<String>) =
            (subjects(rights.publish), subjects(rights.subscribe));
        assert_eq!(needed, listed(service), "{service}: left is the table, right is accounts.conf");
    }
}

#[test]
fn what_discord_service_may_do_to_any_stream_it_may_do_to_each_of_the_table() {
    let settings = TableSettings::parse_from(["test"]).common.nats;
    let rights = ServiceRights::of("discord-service", &table(&settings));
    for entry in table(&settings) {
        for verb in ["INFO", "CREATE", "UPDATE"] {
            let subject = format!("$JS.API.STREAM.{verb}.{}", entry.config.name);
            assert!(
                rights.publish.iter().any(|right| rights::matches(&right.subject, &subject)),
                "{subject}"
            );
        }
    }
}

#[test]
fn all_streams_have_as_many_replicas_as_the_setting_says_and_are_counted_when_lost() {
    let settings = TableSettings::parse_from(["test", "--nats-replicas", "3"]).common.nats;
    let mut names: Vec<String> = table(&settings)
        .into_iter()
        .map(|entry| {
            assert_eq!(entry.config.num_replicas, 3, "{}", entry.config.name);
            entry.config.name
        })
        .collect();
    names.sort_unstable();
    assert_eq!(names, STREAMS);
}
