//! NATS and a service do not trust each other. The service lives, is not ready,
//! and says once what is wrong, without any secret.

use futures::future::join_all;
use harness::{
    authority::Authority,
    free_port,
    nats::NatsServer,
    service::Service,
    wait::{SOON, wait_for},
};

use crate::{
    operator::Operator,
    server::{DISCORD_PASSWORD, Files, INGRESS_PASSWORD, with_credentials, with_passwords},
};

const REFUSED: &str = "authorization violation: check NATS_USER and NATS_PASSWORD, or NATS_CREDS_FILE";

fn start(service: &'static str, nats: &NatsServer, variables: &[(&str, &str)]) -> Service {
    let (nats, address) = (nats.url(), format!("127.0.0.1:{}", free_port()));
    let common = [("NATS_URL", &*nats), ("INGRESS_ADDR", &address), ("DISCORD_TOKEN", "token")];
    Service::start(service, &[&common[..], variables].concat())
}

pub(crate) async fn page(service: &Service, path: &str) -> Option<(u16, String)> {
    let answer = reqwest::get(format!("{}{path}", service.admin())).await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

async fn assert_refused(mut service: Service, why: &str, secrets: &[&str]) {
    let report = wait_for(&format!("/readyz says {why:?}"), SOON, || async {
        page(&service, "/readyz").await.filter(|(_, report)| report.contains(why))
    })
    .await;
    assert_eq!(report.0, 503);
    assert_eq!(page(&service, "/healthz").await.map(|(status, _)| status), Some(200), "it lives");
    service.signal("TERM");
    assert!(service.ended(SOON).await.success());
    let log = service.log();
    let told: Vec<&str> = log.lines().filter(|logged| logged.contains("cannot connect to NATS: ")).collect();
    assert_eq!(told.len(), 1, "told once:\n{log}");
    assert!(told[0].contains(why), "{log}");
    for secret in secrets {
        assert!(!log.contains(secret) && !report.1.contains(secret), "{secret} is told:\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_trusted_is_told_apart_and_nobody_ends() {
    let (files, authority, operator) = (Files::new(), Authority::new(), Operator::new());
    let passwords = with_passwords(&files, &authority).await;
    let operated_files = Files::new();
    let operated = with_credentials(&operated_files, &operator).await;
    let ca = files.write("ca.crt", authority.pem()).display().to_string();
    let other_ca = files.write("other.crt", Authority::new().pem()).display().to_string();
    let foreign = Operator::new().credentials();
    let foreign_file = files.write("foreign.creds", &foreign).display().to_string();
    let seed = foreign.lines().find(|line| line.starts_with("SU")).expect("a seed").to_owned();

    // The password is that of the other user.
    let swapped =
        [("NATS_CA_FILE", &*ca), ("NATS_USER", "ingress-service"), ("NATS_PASSWORD", DISCORD_PASSWORD)];
    let nobody = [("NATS_CA_FILE", &*ca)];
    let strange =
        [("NATS_CA_FILE", &*other_ca), ("NATS_USER", "ingress-service"), ("NATS_PASSWORD", INGRESS_PASSWORD)];
    let foreign = [("NATS_CREDS_FILE", &*foreign_file)];
    // No name is that long, so nobody is asked for its address.
    let address = format!("nats://{}:4222", "n".repeat(64));
    let nowhere = [("NATS_URL", &*address)];
    let open = NatsServer::start().await;
    let cases = [
        (&passwords, &swapped[..], REFUSED),
        (&passwords, &nobody[..], REFUSED),
        (&passwords, &strange[..], ": check NATS_CA_FILE, and the names in the server's certificate"),
        (&open, &nobody[..], ": check that the server speaks TLS, which NATS_CA_FILE demands"),
        (&open, &nowhere[..], "DNS error: check the names in NATS_URL"),
        (&operated, &foreign[..], REFUSED),
    ];
    let secrets = [INGRESS_PASSWORD, DISCORD_PASSWORD, &seed];
    let services = ["ingress-service", "discord-service"];
    let all = services.iter().flat_map(|service| cases.iter().map(move |case| (*service, case)));
    join_all(all.map(|(service, (nats, variables, why))| {
        assert_refused(start(service, nats, variables), why, &secrets)
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_do_its_work_is_told_so_and_is_not_ready() {
    let (files, authority) = (Files::new(), Authority::new());
    let nats = with_passwords(&files, &authority).await;
    let ca = files.write("ca.crt", authority.pem()).display().to_string();
    // Each as the other one.
    for (name, user, password) in [
        ("ingress-service", "discord-service", DISCORD_PASSWORD),
        ("discord-service", "ingress-service", INGRESS_PASSWORD),
    ] {
        let as_the_other = [
            ("NATS_CA_FILE", &*ca),
            ("NATS_USER", user),
            ("NATS_PASSWORD", password),
            // Logs everything but the password.
            ("RUST_LOG", "trace"),
        ];
        let service = start(name, &nats, &as_the_other);
        wait_for("it says what is missing", SOON, || async {
            let log = service.log();
            let mut lines =
                log.lines().filter(|line| line.contains("NATS objects to what this service does"));
            lines.any(|line| line.contains("Permissions Violation for ")).then_some(())
        })
        .await;
        assert_eq!(page(&service, "/readyz").await.map(|(status, _)| status), Some(503));
        assert_eq!(page(&service, "/healthz").await.map(|(status, _)| status), Some(200));
        assert!(!service.log().contains(password));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_hold_something_else_are_wrong_settings() {
    let files = Files::new();
    let secret = "SUAKEYTHATISNONE";
    let file = files.write("wrong", secret).display().to_string();
    for (variables, line) in [
        (&[("NATS_CA_FILE", &*file)][..], "holds no certificate in PEM"),
        (&[("NATS_CREDS_FILE", &*file)][..], "cannot parse user JWT from the credentials file"),
        (&[("NATS_USER", "ingress")][..], "NATS_USER and NATS_PASSWORD: set both or neither"),
    ] {
        for name in ["ingress-service", "discord-service"] {
            let token = [("DISCORD_TOKEN", "token")];
            let mut service = Service::start(name, &[&token[..], variables].concat());
            assert_eq!(service.ended(SOON).await.code(), Some(64));
            let log = service.log();
            assert!(log.lines().last().is_some_and(|last| last.contains(line)), "{log}");
            assert!(!log.contains(secret), "{log}");
        }
    }
}
