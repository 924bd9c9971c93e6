//! A certificate authority for tests, and the certificates that it signs for
//! servers on loopback.

use std::path::{Path, PathBuf};

use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    x509::{
        X509, X509Builder, X509Extension, X509Name, X509NameBuilder, X509NameRef,
        extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName},
    },
};

/// A certificate authority that signs for servers on loopback.
#[derive(Debug)]
pub struct Authority {
    certificate: X509,
    key: PKey<Private>,
}

/// The PEM files of a server.
#[derive(Debug)]
pub struct ServerFiles {
    /// Its certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Authority {
    /// Makes an authority that nobody else trusts.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        let (key, name) = (new_key(), name("Test Authority"));
        let mut builder = unsigned(&name, &name, &key, 1);
        append(&mut builder, BasicConstraints::new().critical().ca().build());
        append(&mut builder, KeyUsage::new().key_cert_sign().build());
        builder.sign(&key, MessageDigest::sha256()).expect("signed");
        Self { certificate: builder.build(), key }
    }

    /// Its own certificate in PEM, for clients that should trust it.
    pub fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().expect("PEM")
    }

    /// Makes a certificate for a server on loopback, and writes it into this directory.
    pub fn server(&self, directory: &Path) -> ServerFiles {
        let key = new_key();
        let mut builder = unsigned(&name("server"), self.certificate.subject_name(), &key, 2);
        let names = SubjectAlternativeName::new()
            .ip("127.0.0.1")
            .build(&builder.x509v3_context(Some(&self.certificate), None));
        append(&mut builder, names);
        append(&mut builder, ExtendedKeyUsage::new().server_auth().build());
        builder.sign(&self.key, MessageDigest::sha256()).expect("signed");
        let files = ServerFiles { certificate: directory.join("cert.pem"), key: directory.join("key.pem") };
        std::fs::write(&files.certificate, builder.build().to_pem().expect("PEM")).expect("written");
        std::fs::write(&files.key, key.private_key_to_pem_pkcs8().expect("PEM")).expect("written");
        files
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

fn append(builder: &mut X509Builder, extension: Result<X509Extension, openssl::error::ErrorStack>) {
    builder.append_extension(extension.expect("built")).expect("set");
}
