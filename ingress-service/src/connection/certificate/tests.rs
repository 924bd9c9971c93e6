use clap::Parser as _;

use super::*;

#[test]
fn a_self_signed_certificate_is_renewed_at_half_its_life() {
    let settings = IngressSettings::try_parse_from(["ingress-service"]).expect("defaults are valid");
    let mut certificates = Certificates::start(&settings).expect("a certificate");
    let first = certificates.current().load_full();
    let began = certificates.expires - self_signed::LIFE;
    assert!((now() - began).abs() < 60);

    certificates.refresh(began + self_signed::LIFE / 2 - 1);
    assert!(Arc::ptr_eq(&first, &certificates.current().load_full()));
    certificates.refresh(began + self_signed::LIFE / 2);
    assert!(!Arc::ptr_eq(&first, &certificates.current().load_full()));
    assert_eq!(certificates.expires, began + self_signed::LIFE / 2 + self_signed::LIFE);
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (certificate, _) = self_signed::sign(&[], now()).expect("a certificate");
    let (_, key) = self_signed::sign(&[], now()).expect("a certificate");
    let pem = Pem {
        certificate: certificate.to_pem().expect("PEM"),
        key: key.private_key_to_pem_pkcs8().expect("PEM"),
    };
    let files = TlsFiles { certificate: "c.pem".into(), key: "k.pem".into() };
    let error = parse(&files, &pem).err().expect("they do not go together");
    assert!(error.to_string().starts_with("c.pem does not go with k.pem"), "{error}");
}
