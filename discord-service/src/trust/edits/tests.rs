use super::*;

fn key(id: &str) -> TokenKey {
    TokenKey { id: id.to_owned(), sha256: String::new() }
}

#[test]
fn a_token_is_32_random_bytes_of_which_only_the_hash_is_kept() {
    let (one, other) = (Secured::generate().expect("made"), Secured::generate().expect("made"));
    assert_eq!(one.token.expose_secret().len(), 43, "32 bytes in base64 without padding");
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    assert!(one.token.expose_secret().chars().all(allowed));
    assert_ne!(one.token.expose_secret(), other.token.expose_secret());
    assert_ne!(one.key.id, other.key.id);
    assert_eq!(one.key.sha256, token::sha256(one.token.expose_secret()));
    assert!(!format!("{one:?}").contains(one.token.expose_secret()));
}

#[test]
fn a_new_token_replaces_the_former_and_the_channel_is_secured_since_the_first() {
    let mut trust = ChannelTrust::default();
    secure(&mut trust, &key("a"), 10);
    secure(&mut trust, &key("b"), 20);
    assert_eq!((trust.secured, trust.secured_ms), (true, 10));
    assert_eq!(trust.tokens, [key("b")]);
}

#[test]
fn an_opened_channel_keeps_its_token_and_can_be_secured_again() {
    let mut trust = ChannelTrust::default();
    assert_eq!(open(&mut trust), WriteOutcome::Unchanged);
    secure(&mut trust, &key("a"), 10);
    assert_eq!(open(&mut trust), WriteOutcome::Changed);
    assert_eq!((trust.secured, trust.secured_ms, trust.tokens.len()), (false, 0, 1));
    secure(&mut trust, &key("b"), 30);
    assert_eq!(trust.secured_ms, 30);
}

#[test]
fn secrets_are_few_and_removed_by_their_id() {
    let mut trust = ChannelTrust::default();
    let secret = |n: usize| SecretKey { id: n.to_string(), sealed: String::new() };
    for n in 0..MAX_SECRETS {
        assert_eq!(add_secret(&mut trust, &secret(n)), SecretOutcome::Now);
    }
    assert_eq!(add_secret(&mut trust, &secret(9)), SecretOutcome::Full);
    assert_eq!(remove_secret(&mut trust, "9"), WriteOutcome::Unchanged);
    assert_eq!(remove_secret(&mut trust, "1"), WriteOutcome::Changed);
    assert_eq!(secret_ids(&trust), ["0", "2", "3", "4"]);
    assert_eq!(add_secret(&mut trust, &secret(9)), SecretOutcome::Now);
}
