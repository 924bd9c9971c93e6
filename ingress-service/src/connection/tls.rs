//! TLS as the ingress speaks it, with a certificate that can change while it runs.

use std::sync::Arc;

use arc_swap::ArcSwap;
use openssl::{
    error::ErrorStack,
    ssl::{
        AlpnError, ClientHelloResponse, SslAcceptor, SslAcceptorBuilder, SslContext, SslMethod, SslOptions,
        SslSessionCacheMode, select_next_proto,
    },
};

/// In ALPN's encoding.
const HTTP_1_1: &[u8] = b"\x08http/1.1";

/// With each of these a key exchange costs the server at most a tenth of a
/// millisecond. A finite field would cost it 125 ms, and the client nothing.
const GROUPS: &str = "X25519:P-256:P-384";
/// Mozilla's intermediate list for TLS 1.2, without finite-field
/// Diffie-Hellman.
const CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
    ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
    ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// The context that new connections use.
pub(crate) type CurrentContext = Arc<ArcSwap<SslContext>>;

/// TLS 1.2 and 1.3, without anything that is expensive for us and cheap for a
/// stranger: see [`GROUPS`]. No renegotiation, no client certificates. No
/// session tickets either: a ticket costs a fifth of a handshake, and Sentry
/// never resumes.
pub(crate) fn hardened() -> Result<SslAcceptorBuilder, ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_groups_list(GROUPS)?;
    builder.set_cipher_list(CIPHERS)?;
    builder.set_options(SslOptions::NO_TICKET | SslOptions::NO_RENEGOTIATION);
    builder.set_num_tickets(0)?;
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    // OpenSSL looks these up in the context that the connection has in the end.
    builder
        .set_alpn_select_callback(|_, offered| select_next_proto(HTTP_1_1, offered).ok_or(AlpnError::NOACK));
    Ok(builder)
}

/// Makes an acceptor that gives each connection the context in use at its first
/// message.
pub(crate) fn acceptor(current: CurrentContext) -> Result<SslAcceptorBuilder, ErrorStack> {
    let mut builder = hardened()?;
    builder.set_client_hello_callback(move |connection, _| {
        connection.set_ssl_context(&current.load())?;
        Ok(ClientHelloResponse::SUCCESS)
    });
    Ok(builder)
}
