//! An authority that signs the certificates of NATS servers.

use std::path::Path;

use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    x509::{
        X509, X509Builder, X509Name, X509NameBuilder, X509NameRef,
        extension::{BasicConstraints, SubjectAlternativeName},
    },
};

pub(crate) struct Authority {
    certificate: X509,
    key: PKey<Private>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let (key, name) = (new_key(), name("authority"));
        let mut builder = unsigned(&name, &name, &key, 1);
        builder
            .append_extension(BasicConstraints::new().critical().ca().build().expect("built"))
            .expect("set");
        builder.sign(&key, MessageDigest::sha256()).expect("signed");
        Self { certificate: builder.build(), key }
    }

    /// What clients are given as `NATS_CA_FILE`.
    pub(crate) fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().expect("PEM")
    }

    /// Makes a certificate for a server on loopback; returns the part of its
    /// configuration that names the files.
    pub(crate) fn server(&self, directory: &Path) -> String {
        let key = new_key();
        let mut builder = unsigned(&name("nats"), self.certificate.subject_name(), &key, 2);
        let names = SubjectAlternativeName::new().ip("127.0.0.1").build(&builder.x509v3_context(None, None));
        builder.append_extension(names.expect("built")).expect("set");
        builder.sign(&self.key, MessageDigest::sha256()).expect("signed");
        let (certificate_file, key_file) = (directory.join("server.crt"), directory.join("server.key"));
        std::fs::write(&certificate_file, builder.build().to_pem().expect("PEM")).expect("written");
        std::fs::write(&key_file, key.private_key_to_pem_pkcs8().expect("PEM")).expect("written");
        format!("tls {{ cert_file: {certificate_file:?}, key_file: {key_file:?} }}\n")
    }
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("P-256");
    PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key")
}

fn name(common: &str) -> X509Name {
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_nid(Nid::COMMONNAME, common).expect("a name");
    name.build()
}

fn unsigned(subject: &X509NameRef, issuer: &X509NameRef, key: &PKey<Private>, serial: u32) -> X509Builder {
    let mut builder = X509Builder::new().expect("a certificate");
    builder.set_version(2).expect("set"); // which means 3
    let serial = BigNum::from_u32(serial).and_then(|number| number.to_asn1_integer()).expect("a number");
    builder.set_serial_number(&serial).expect("set");
    builder.set_subject_name(subject).expect("set");
    builder.set_issuer_name(issuer).expect("set");
    builder.set_pubkey(key).expect("set");
    builder.set_not_before(&Asn1Time::days_from_now(0).expect("a time")).expect("set");
    builder.set_not_after(&Asn1Time::days_from_now(9).expect("a time")).expect("set");
    builder
}
