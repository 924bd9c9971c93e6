//! An operator in the sense of NATS: it vouches for accounts, and accounts for
//! users, by signed tokens
//! (<https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt>).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use nkeys::KeyPair;
use serde_json::{Value, json};

pub(crate) struct Operator {
    key: KeyPair,
    /// The account of the product.
    account: KeyPair,
    /// The server's own, without which it has no JetStream.
    system: KeyPair,
}

impl Operator {
    pub(crate) fn new() -> Self {
        Self { key: KeyPair::new_operator(), account: KeyPair::new_account(), system: KeyPair::new_account() }
    }

    /// The configuration of a server that believes this operator.
    pub(crate) fn server(&self) -> String {
        let unlimited = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
            "conn": -1, "leaf": -1,
        });
        let mut stored = unlimited.clone();
        for limit in ["mem_storage", "disk_storage", "streams", "consumer"] {
            stored[limit] = json!(-1);
        }
        let account = |account: &KeyPair, limits: &Value| {
            token(&self.key, account, json!({ "type": "account", "version": 2, "limits": limits }))
        };
        // As hosted NATS has it.
        stored["max_bytes_required"] = json!(true);
        format!(
            "operator: {}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{ {}: {}, {}: {} }}\n",
            token(&self.key, &self.key, json!({ "type": "operator", "version": 2 })),
            self.system.public_key(),
            self.system.public_key(),
            account(&self.system, &unlimited),
            self.account.public_key(),
            account(&self.account, &stored),
        )
    }

    /// A credentials file for a new user of the product's account.
    pub(crate) fn credentials(&self) -> String {
        let user = KeyPair::new_user();
        let limits = json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 });
        format!(
            "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            token(&self.account, &user, limits),
            user.seed().expect("it was made here"),
        )
    }
}

/// What `issuer` says about `subject`, signed.
fn token(issuer: &KeyPair, subject: &KeyPair, nats: Value) -> String {
    let part = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let head = part(json!({ "typ": "JWT", "alg": "ed25519-nkey" }));
    let (iss, sub) = (issuer.public_key(), subject.public_key());
    let claims = part(json!({ "jti": sub, "iat": 1, "iss": iss, "sub": sub, "name": sub, "nats": nats }));
    let signed = format!("{head}.{claims}");
    let signature = issuer.sign(signed.as_bytes()).expect("it has its seed");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
