//! The certificate: read from files and read again when they change, or
//! self-signed, in memory, and made anew before it ends.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use openssl::{
    asn1::{Asn1Time, Asn1TimeRef},
    bn::{BigNum, MsbOption},
    ec::{Asn1Flag, EcGroup, EcKey},
    error::ErrorStack,
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    ssl::SslContext,
    x509::{
        X509, X509Builder, X509NameBuilder,
        extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName},
    },
};
use shared::settings::SettingsError;
use tokio::time::MissedTickBehavior;

use crate::{
    settings::{Settings, TlsFiles, TlsHost},
    tls::{self, CurrentContext},
};

/// How often files are compared and the end of a self-signed certificate is checked.
const CHECK_EVERY: Duration = Duration::from_secs(2);
/// A self-signed certificate's life. Clocks may differ: it began an hour ago.
const LIFE_SECS: i64 = 24 * 60 * 60;
const BACKDATED_SECS: i64 = 60 * 60;
/// It is renewed at half its life.
const RENEW_BEFORE_SECS: i64 = LIFE_SECS / 2;

/// Where certificates come from.
#[derive(Debug, Clone)]
enum Source {
    Files(TlsFiles),
    SelfSigned(Vec<TlsHost>),
}

/// Keeps the current certificate current.
#[derive(Debug)]
pub(crate) struct Certificates {
    source: Source,
    current: CurrentContext,
    /// The files as they were last read; empty when self-signed.
    read: Vec<u8>,
    /// When the current certificate ends, in seconds since 1970.
    expires: i64,
}

struct Certificate {
    context: SslContext,
    expires: i64,
}

impl Certificates {
    /// The first certificate.
    ///
    /// # Errors
    /// [`SettingsError`] when the files cannot be used.
    pub(crate) fn start(settings: &Settings) -> anyhow::Result<Self> {
        let (source, read, first) = match settings.tls_files()? {
            Some(files) => {
                let (read, first) = read(&files).and_then(|read| Ok((load(&files)?, read))).map_or_else(
                    |error| Err(SettingsError(format!("TLS_CERT_FILE and TLS_KEY_FILE: {error:#}"))),
                    |(first, read)| Ok((read, first)),
                )?;
                (Source::Files(files), read, first)
            }
            None => {
                let first = self_signed(&settings.tls_hosts, now())?;
                tracing::info!(hosts = ?settings.tls_hosts, "made a self-signed certificate");
                (Source::SelfSigned(settings.tls_hosts.clone()), Vec::new(), first)
            }
        };
        let certificates = Self {
            source,
            current: Arc::new(ArcSwap::from_pointee(first.context)),
            read,
            expires: first.expires,
        };
        certificates.publish_expiry();
        Ok(certificates)
    }

    /// What an acceptor follows.
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

    /// Renews the certificate if it is time. One that cannot be used changes
    /// nothing and is logged once.
    fn refresh(&mut self, now: i64) {
        let renewed = match &self.source {
            Source::SelfSigned(_) if self.expires - now > RENEW_BEFORE_SECS => return,
            Source::SelfSigned(hosts) => self_signed(hosts, now),
            Source::Files(files) => match read(files) {
                Ok(read) if read == self.read => return,
                Ok(read) => {
                    self.read = read;
                    load(files)
                }
                Err(error) if self.read.is_empty() => {
                    tracing::debug!(error = format!("{error:#}"), "the certificate is still unreadable");
                    return;
                }
                Err(error) => {
                    self.read.clear();
                    Err(error)
                }
            },
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
        metrics::gauge!("sentry_bot_ingress_certificate_expiry_timestamp_seconds").set(self.expires as f64);
    }
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// The bytes of both files, to notice a change.
fn read(files: &TlsFiles) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for path in [&files.certificate, &files.key] {
        let content = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&content);
    }
    Ok(bytes)
}

fn load(files: &TlsFiles) -> anyhow::Result<Certificate> {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let pem = std::fs::read(&files.certificate).with_context(|| format!("cannot read {certificate}"))?;
    let chain = X509::stack_from_pem(&pem).with_context(|| format!("{certificate} is not PEM"))?;
    let pem = std::fs::read(&files.key).with_context(|| format!("cannot read {key}"))?;
    let private = PKey::private_key_from_pem(&pem).with_context(|| format!("{key} holds no private key"))?;
    let [leaf, chain @ ..] = chain.as_slice() else {
        anyhow::bail!("{certificate} holds no certificate");
    };
    context(leaf, chain, &private).with_context(|| format!("{certificate} does not go with {key}"))
}

fn context(leaf: &X509, chain: &[X509], key: &PKey<Private>) -> Result<Certificate, ErrorStack> {
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
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    Ok(i64::from(since.days) * 24 * 60 * 60 + i64::from(since.secs))
}

/// ECDSA on P-256: a handshake costs a tenth of what one with RSA-4096 does.
fn self_signed(hosts: &[TlsHost], now: i64) -> anyhow::Result<Certificate> {
    sign(hosts, now).context("Failed to make a self-signed certificate")
}

fn sign(hosts: &[TlsHost], now: i64) -> Result<Certificate, ErrorStack> {
    let mut group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    group.set_asn1_flag(Asn1Flag::NAMED_CURVE);
    let key = PKey::from_ec_key(EcKey::generate(&group)?)?;

    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_nid(Nid::COMMONNAME, "Sentry Bot")?;
    let name = name.build();
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;

    let mut builder = X509Builder::new()?;
    builder.set_version(2)?; // which means 3
    builder.set_serial_number(serial.to_asn1_integer()?.as_ref())?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(&key)?;
    builder.set_not_before(Asn1Time::from_unix(now - BACKDATED_SECS)?.as_ref())?;
    builder.set_not_after(Asn1Time::from_unix(now + LIFE_SECS)?.as_ref())?;
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
    builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    let mut names = SubjectAlternativeName::new();
    for host in hosts {
        match host {
            TlsHost::Name(name) => names.dns(name),
            TlsHost::Address(address) => names.ip(&address.to_string()),
        };
    }
    let names = names.build(&builder.x509v3_context(None, None))?;
    builder.append_extension(names)?;
    builder.sign(&key, MessageDigest::sha256())?;
    context(&builder.build(), &[], &key)
}
