use std::net::TcpListener;

use super::*;

#[test]
fn every_address_means_loopback() {
    for (listened, asked) in
        [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:1", "[::1]:1"), ("192.0.2.1:1", "192.0.2.1:1")]
    {
        assert_eq!(reachable(listened.parse().expect("an address")).to_string(), asked);
    }
}

#[test]
fn anything_but_200_fails_and_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = [0; 512];
        let _ = stream.read(&mut request).expect("a request");
        stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").expect("it still listens");
    });
    let error = run(address).expect_err("503 is no health").to_string();
    assert_eq!(error, format!("http://{address}/healthz answered \"HTTP/1.1 503\""));
    server.join().expect("no panic");
    let error = run(address).expect_err("nobody listens any more").to_string();
    assert_eq!(error, format!("cannot ask http://{address}/healthz"));
}
