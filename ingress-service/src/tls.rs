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

/// The context that new connections use.
pub(crate) type CurrentContext = Arc<ArcSwap<SslContext>>;

/// TLS 1.2 and 1.3 with Mozilla's intermediate ciphers. Sessions are not kept:
/// Sentry connects anew for each webhook and never resumes, and a ticket costs
/// a fifth of a handshake.
pub(crate) fn hardened() -> Result<SslAcceptorBuilder, ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_options(SslOptions::NO_TICKET);
    builder.set_num_tickets(0)?;
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    // OpenSSL asks the context that a connection ends up with.
    builder
        .set_alpn_select_callback(|_, offered| select_next_proto(HTTP_1_1, offered).ok_or(AlpnError::NOACK));
    Ok(builder)
}

/// An acceptor that gives each connection the context that is current at its
/// first message.
pub(crate) fn acceptor(current: CurrentContext) -> Result<SslAcceptorBuilder, ErrorStack> {
    let mut builder = hardened()?;
    builder.set_client_hello_callback(move |connection, _| {
        connection.set_ssl_context(&current.load())?;
        Ok(ClientHelloResponse::SUCCESS)
    });
    Ok(builder)
}
