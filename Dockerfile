# The images of both services, and of the sandbox Discord for trying them:
#
#   docker build --target ingress-service -t sentry-bot/ingress-service .
#   docker build --target discord-service -t sentry-bot/discord-service .
#
# Builds with BuildKit and with the classic builder. docs/OPERATIONS.md,
# "Images", has the build arguments, another runtime base among them.

ARG RUST_IMAGE=rust:1.95.0-slim-bookworm
ARG DEBIAN_IMAGE=debian:bookworm-20260824-slim
# A stage of this file, or any image that has libssl 3, CA certificates and
# glibc 2.34 or newer.
ARG RUNTIME_BASE=runtime-debian

FROM ${RUST_IMAGE} AS rust
RUN apt-get update \
    && apt-get install -y --no-install-recommends libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src

# All packages without their code: what the libraries depend on, and no more.
# (find would put a file's name in place of empty braces.)
FROM rust AS manifests
COPY . .
RUN find . -type f ! -name Cargo.toml ! -name Cargo.lock -delete \
    && find . -mindepth 2 -name Cargo.toml -execdir sh -c \
        'mkdir -p src benches/figures; echo "fn main() { }" | tee src/main.rs >benches/figures/main.rs; >src/lib.rs' \;

FROM rust AS build
COPY --from=manifests /src .
# The libraries have a layer of their own, which changes only with the manifests.
# What was made of our own empty packages goes: it would pass for newer than
# their code.
RUN cargo build --locked --release --package ingress-service --package discord-service \
    && cargo clean --locked --release --package shared --package ingress-service --package discord-service
COPY . .
RUN cargo build --locked --release --package ingress-service --package discord-service

FROM ${DEBIAN_IMAGE} AS runtime-debian
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*

FROM ${RUNTIME_BASE} AS runtime
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.source="https://github.com/sentry-bot/sentry-bot" \
      org.opencontainers.image.documentation="https://github.com/sentry-bot/sentry-bot/blob/main/docs/OPERATIONS.md" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
STOPSIGNAL SIGTERM

FROM runtime AS ingress-service
LABEL org.opencontainers.image.title="ingress-service" \
      org.opencontainers.image.description="Receives Sentry's webhooks and stores them as alerts"
COPY --from=build /src/target/release/ingress-service /usr/local/bin/ingress-service
# A base that lacks a library fails here, not in the cluster.
RUN ["/usr/local/bin/ingress-service", "--version"]
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/usr/local/bin/ingress-service", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/ingress-service"]

FROM runtime AS discord-service
LABEL org.opencontainers.image.title="discord-service" \
      org.opencontainers.image.description="Posts Sentry's alerts to Discord and answers commands"
COPY --from=build /src/target/release/discord-service /usr/local/bin/discord-service
RUN ["/usr/local/bin/discord-service", "--version"]
EXPOSE 9091
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/usr/local/bin/discord-service", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/discord-service"]

# A build of its own, so that the services' libraries have no features that
# only it needs. Last, since the classic builder builds all stages before
# the one that is asked for.
FROM build AS build-sandbox
RUN cargo build --locked --release --package sandbox-discord

FROM runtime AS sandbox-discord
LABEL org.opencontainers.image.title="sandbox-discord" \
      org.opencontainers.image.description="A stand-in for Discord, for trying Sentry Bot"
COPY --from=build-sandbox /src/target/release/sandbox-discord /usr/local/bin/sandbox-discord
EXPOSE 8070
ENTRYPOINT ["/usr/local/bin/sandbox-discord", "--addr", "0.0.0.0:8070"]
