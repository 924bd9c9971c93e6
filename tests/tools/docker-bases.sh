#!/usr/bin/env bash
# Makes stand-ins for the images that the Dockerfile begins with, for a machine
# that cannot pull any: a Debian of the same release from Debian's mirror, and
# one with this machine's Rust in it. As root, on a Debian, with debootstrap and
# a running Docker engine:
#
#   apt-get install debootstrap docker.io
#   dockerd --bridge=none --iptables=false &     # where there are no bridges; add --storage-driver=vfs where overlays fail
#   tests/tools/docker-bases.sh
#   docker build --network host --target ingress-service .
#
# The certificate authorities of this machine go into the second one, so that
# cargo also works behind a proxy with an authority of its own. MIRROR names
# another mirror of Debian. Images that exist already are kept.
set -euo pipefail
cd "$(dirname "$0")/../.."
mirror=${MIRROR:-http://deb.debian.org/debian}
release=bookworm

# from_dockerfile ARG: its default.
from_dockerfile() {
    sed -n "s/^ARG $1=//p" Dockerfile
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# make_image NAME PACKAGES FINISH: a minimal Debian with these packages, which
# the command finishes.
make_image() {
    local name=$1 packages=$2 finish=$3
    if docker image inspect "$name" >/dev/null 2>&1; then
        echo "$name exists"
        return
    fi
    debootstrap --variant=minbase ${packages:+--include="$packages"} "$release" "$scratch/root" "$mirror" >"$scratch/log" ||
        { tail -n 20 "$scratch/log"; exit 1; }
    "$finish"
    rm -rf "$scratch/root"/var/cache/apt/* "$scratch/root"/var/lib/apt/lists/*
    tar -C "$scratch/root" -c . | docker import --change 'CMD ["bash"]' - "$name" >/dev/null
    rm -rf "$scratch/root"
    echo "$name made"
}

add_rust() {
    local toolchain
    toolchain=$(rustc --print sysroot)
    cp -a "$toolchain/bin" "$toolchain/lib" "$scratch/root/usr/local/"
    cp /etc/ssl/certs/ca-certificates.crt "$scratch/root/etc/ssl/certs/"
}

make_image "$(from_dockerfile DEBIAN_IMAGE)" "" true
make_image "$(from_dockerfile RUST_IMAGE)" ca-certificates,gcc,libc6-dev add_rust
