use super::*;

#[test]
fn a_release_that_merely_begins_like_ours_is_not_ours() {
    let (ours, service) = (Some(RELEASE), Some("discord-service"));
    assert!(is_own(ours, None) && is_own(ours, service) && is_own(Some("sentry-bot@9.12.0"), service));
    for (release, service) in [
        (None, service),
        (Some("sentry-bot@9.12.0"), None),
        (Some("sentry-bot@9.12.0"), Some("checkout")),
        (Some("sentry-bot@"), service),
        (Some("sentry-bot@9.12"), service),
        (Some("sentry-bot@9.12.0-fork"), service),
        (Some("sentry-bot@9.12.0.1"), service),
        (Some("my-sentry-bot@9.12.0"), service),
        (Some("sentry-botany@1.0.0"), service),
    ] {
        assert!(!is_own(release, service), "{release:?} {service:?}");
    }
}
