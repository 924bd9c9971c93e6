//! A certificate authority of the test's own, and the certificate that it signed
//! for the ingress.

use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    x509::{
        X509, X509Builder, X509Name, X509NameBuilder,
        extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName},
    },
};
use tempfile::TempDir;

/// PEM files, and who vouches for them.
#[derive(Debug)]
pub(crate) struct Certified {
    directory: TempDir,
    /// The authority's own certificate, in PEM.
    pub(crate) authority: Vec<u8>,
}

impl Certified {
    pub(crate) fn new() -> Self {
        let (authority_key, key) = (key(), key());
        let name = name("Test Authority");
        let mut builder = builder(&name, &name, &authority_key);
        builder
            .append_extension(BasicConstraints::new().critical().ca().build().expect("built"))
            .expect("set");
        builder.append_extension(KeyUsage::new().key_cert_sign().build().expect("built")).expect("set");
        builder.sign(&authority_key, MessageDigest::sha256()).expect("signed");
        let authority = builder.build();

        let mut builder = self::builder(&self::name("ingress"), &name, &key);
        let context = builder.x509v3_context(Some(&authority), None);
        let names = SubjectAlternativeName::new().ip("127.0.0.1").build(&context).expect("built");
        builder.append_extension(names).expect("set");
        builder.append_extension(ExtendedKeyUsage::new().server_auth().build().expect("built")).expect("set");
        builder.sign(&authority_key, MessageDigest::sha256()).expect("signed");
        Self::write(&builder.build(), &key, &authority)
    }

    fn write(certificate: &X509, key: &PKey<Private>, authority: &X509) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let write =
            |name: &str, pem: Vec<u8>| std::fs::write(directory.path().join(name), pem).expect("written");
        write("cert.pem", certificate.to_pem().expect("PEM"));
        write("key.pem", key.private_key_to_pem_pkcs8().expect("PEM"));
        Self { authority: authority.to_pem().expect("PEM"), directory }
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }
}

fn key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("P-256");
    PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key")
}

fn name(common: &str) -> X509Name {
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_nid(Nid::COMMONNAME, common).expect("a name");
    name.build()
}

fn builder(subject: &X509Name, issuer: &X509Name, key: &PKey<Private>) -> X509Builder {
    let mut builder = X509Builder::new().expect("a certificate");
    builder.set_version(2).expect("set");
    let serial = BigNum::from_u32(1).expect("a number");
    builder.set_serial_number(&serial.to_asn1_integer().expect("a number")).expect("set");
    builder.set_subject_name(subject).expect("set");
    builder.set_issuer_name(issuer).expect("set");
    builder.set_pubkey(key).expect("set");
    builder.set_not_before(&Asn1Time::days_from_now(0).expect("a time")).expect("set");
    builder.set_not_after(&Asn1Time::days_from_now(9).expect("a time")).expect("set");
    builder
}
