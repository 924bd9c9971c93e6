//! A self-signed certificate, for Sentry's legacy webhooks, which do not check
//! it.

use openssl::{
    asn1::Asn1Time,
    bn::{BigNum, MsbOption},
    ec::{Asn1Flag, EcGroup, EcKey},
    error::ErrorStack,
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    x509::{
        X509, X509Builder, X509NameBuilder,
        extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName},
    },
};

use crate::settings::TlsHost;

/// A certificate's life in seconds.
pub(crate) const LIFE: i64 = 24 * 60 * 60;
/// Clocks differ, so it began this many seconds ago.
const BACKDATED: i64 = 60 * 60;

/// Makes a key and its certificate for `hosts`, valid from `now` (seconds since
/// 1970) for [`LIFE`]. The key is ECDSA on P-256, because a handshake with
/// RSA-4096 costs ten times as much.
pub(crate) fn sign(hosts: &[TlsHost], now: i64) -> Result<(X509, PKey<Private>), ErrorStack> {
    let key = new_key()?;
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
    builder.set_not_before(Asn1Time::from_unix(now - BACKDATED)?.as_ref())?;
    builder.set_not_after(Asn1Time::from_unix(now + LIFE)?.as_ref())?;
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
    Ok((builder.build(), key))
}

fn new_key() -> Result<PKey<Private>, ErrorStack> {
    let mut group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    group.set_asn1_flag(Asn1Flag::NAMED_CURVE);
    PKey::from_ec_key(EcKey::generate(&group)?)
}
