//! Signatures by another implementation than ours.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

/// Sentry's signature of a body with this client secret, made by Python's
/// `hmac`.
pub fn signature(secret: &str, body: &[u8]) -> String {
    const PROGRAM: &str = "import hmac, sys; \
        print(hmac.new(sys.argv[1].encode(), sys.stdin.buffer.read(), 'sha256').hexdigest(), end='')";
    let mut python = Command::new("python3")
        .args(["-c", PROGRAM, secret])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there");
    python.stdin.take().expect("piped").write_all(body).expect("it reads");
    let output = python.wait_with_output().expect("it ends");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text")
}
