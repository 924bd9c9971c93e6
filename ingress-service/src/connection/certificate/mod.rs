//! The certificate. It comes from files, and is read again when they change. Or
//! it is self-signed, lives in memory and is renewed before it ends.

mod self_signed;
#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use openssl::{
    asn1::{Asn1Time, Asn1TimeRef},
    error::ErrorStack,
    pkey::{PKey, Private},
    ssl::SslContext,
    x509::X509,
};
use shared::settings::SettingsError;
use tokio::time::MissedTickBehavior;

use super::tls::{self, CurrentContext};
use crate::settings::{IngressSettings, TlsFiles, TlsHost};

/// How often the files are compared, or the end of a self-signed certificate is
/// checked.
const CHECK_EVERY: Duration = Duration::from_secs(2);
/// A self-signed certificate is renewed when this many seconds are left.
const RENEW_BEFORE: i64 = self_signed::LIFE / 2;

/// Has the certificate in use, and renews it.
#[derive(Debug)]
pub(crate) struct Certificates {
    source: CertificateSource,
    current: CurrentContext,
    /// When the current certificate ends, in seconds since 1970.
    expires: i64,
}

/// Where certificates come from.
#[derive(Debug)]
enum CertificateSource {
    /// Files, and what they held; `None` when they could not be read.
    Files(TlsFiles, Option<Pem>),
    SelfSigned(Vec<TlsHost>),
}

/// The content of the files, kept to notice a change.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

struct Certificate {
    context: SslContext,
    expires: i64,
}

impl Certificates {
    /// Loads or makes the first certificate.
    ///
    /// # Errors
    /// [`SettingsError`] when the files cannot be used.
    pub(crate) fn start(settings: &IngressSettings) -> anyhow::Result<Self> {
        let (source, first) = match settings.tls_files()? {
            Some(files) => {
                let wrong = |error: anyhow::Error| {
                    SettingsError(format!("TLS_CERT_FILE and TLS_KEY_FILE: {error:#}"))
                };
                let pem = Pem::read(&files).map_err(wrong)?;
                let first = parse(&files, &pem).map_err(wrong)?;
                (CertificateSource::Files(files, Some(pem)), first)
            }
            None => {
                let first = self_sign(&settings.tls_hosts, now())?;
                tracing::info!(expires = first.expires, "made a self-signed certificate");
                (CertificateSource::SelfSigned(settings.tls_hosts.clone()), first)
            }
        };
        let current = Arc::new(ArcSwap::from_pointee(first.context));
        let certificates = Self { source, current, expires: first.expires };
        certificates.publish_expiry();
        Ok(certificates)
    }

    /// The context in use, for the acceptor.
    pub(crate) fn current(&self) -> CurrentContext {
        Arc::clone(&self.current)
    }

    /// Renews the certificate for ever.
    pub(crate) async fn keep_fresh(mut self) {
        let mut ticks = tokio::time::interval(CHECK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.refresh(now());
        }
    }

    /// Renews the certificate if it is time. A certificate that cannot be used
    /// changes nothing and is logged once.
    fn refresh(&mut self, now: i64) {
        let renewed = match &mut self.source {
            CertificateSource::SelfSigned(_) if self.expires - now > RENEW_BEFORE => return,
            CertificateSource::SelfSigned(hosts) => self_sign(hosts, now),
            CertificateSource::Files(files, before) => {
                let read = Pem::read(files);
                let after = read.as_ref().ok().cloned();
                if *before == after {
                    return;
                }
                *before = after;
                read.and_then(|pem| parse(files, &pem))
            }
        };
        match renewed {
            Ok(certificate) => {
                self.current.store(Arc::new(certificate.context));
                self.expires = certificate.expires;
                self.publish_expiry();
                tracing::info!(expires = self.expires, "renewed the certificate");
            }
            Err(error) => {
                metrics::counter!("sentry_bot_ingress_certificate_failures_total").increment(1);
                tracing::error!(
                    error = format!("{error:#}"),
                    "cannot use the new certificate; keeping the one before"
                );
            }
        }
    }

    fn publish_expiry(&self) {
        let source = match self.source {
            CertificateSource::Files(..) => "files",
            CertificateSource::SelfSigned(_) => "self_signed",
        };
        metrics::gauge!("sentry_bot_ingress_certificate_expiry_timestamp_seconds", "source" => source)
            .set(self.expires as f64);
    }
}

impl Pem {
    fn read(files: &TlsFiles) -> anyhow::Result<Self> {
        let read =
            |path: &Path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)? })
    }
}

fn parse(files: &TlsFiles, pem: &Pem) -> anyhow::Result<Certificate> {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let chain =
        X509::stack_from_pem(&pem.certificate).with_context(|| format!("{certificate} is not PEM"))?;
    let [leaf, chain @ ..] = chain.as_slice() else {
        anyhow::bail!("{certificate} holds no certificate");
    };
    let private =
        PKey::private_key_from_pem(&pem.key).with_context(|| format!("{key} holds no private key"))?;
    combine(leaf, chain, &private).with_context(|| format!("{certificate} does not go with {key}"))
}

fn self_sign(hosts: &[TlsHost], now: i64) -> anyhow::Result<Certificate> {
    self_signed::sign(hosts, now)
        .and_then(|(certificate, key)| combine(&certificate, &[], &key))
        .context("cannot make a self-signed certificate")
}

fn combine(leaf: &X509, chain: &[X509], key: &PKey<Private>) -> Result<Certificate, ErrorStack> {
    let mut builder = tls::hardened()?;
    builder.set_certificate(leaf)?;
    for certificate in chain {
        builder.add_extra_chain_cert(certificate.clone())?;
    }
    builder.set_private_key(key)?;
    builder.check_private_key()?;
    Ok(Certificate { context: builder.build().into_context(), expires: unix(leaf.not_after())? })
}

fn unix(time: &Asn1TimeRef) -> Result<i64, ErrorStack> {
    const DAY: i64 = 24 * 60 * 60;
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    Ok(i64::from(since.days) * DAY + i64::from(since.secs))
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}
