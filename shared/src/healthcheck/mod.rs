//! `healthcheck`, the subcommand of both services. It asks a running process
//! whether it lives, because the containers have no shell and no curl.

#[cfg(test)]
mod tests;

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, bail};

/// The limit of connecting, and of each step after it. Orchestrators give a
/// probe a few seconds.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Asks `/healthz` at the service's own `ADMIN_ADDR`. If that means every
/// address, it asks the loopback address.
///
/// # Errors
/// When there is no answer in time, or another one than 200.
pub fn run(admin_addr: SocketAddr) -> anyhow::Result<()> {
    let address = reachable(admin_addr);
    let status = status_line(address).with_context(|| format!("cannot ask http://{address}/healthz"))?;
    if status.split_whitespace().nth(1) != Some("200") {
        bail!("http://{address}/healthz answered {status:?}");
    }
    Ok(())
}

fn reachable(admin_addr: SocketAddr) -> SocketAddr {
    let ip = match admin_addr.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, admin_addr.port())
}

/// The first line of the answer, up to its status.
fn status_line(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut status)?;
    Ok(String::from_utf8_lossy(&status).into_owned())
}
