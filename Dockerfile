# syntax=docker/dockerfile:1
# The image of gatetrail: one binary (it needs glibc and OpenSSL) on Debian slim, run by a user without rights.

FROM rust:1.95-bookworm AS build
WORKDIR /src
# The image's own toolchain; rust-toolchain.toml would make rustup fetch one.
ENV RUSTUP_TOOLCHAIN=1.95.0
# librdkafka is built against the system's OpenSSL.
RUN apt-get update && apt-get install --yes --no-install-recommends libssl-dev pkg-config && rm -rf /var/lib/apt/lists/*
COPY . .
# The caches belong to the builder, so the binary is copied out of them within the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin gatetrail && \
    install -D target/release/gatetrail /out/gatetrail

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="gatetrail" \
      org.opencontainers.image.licenses="Apache-2.0"
# OpenSSL for Kafka over TLS, and the roots that servers' certificates are checked against.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates libssl3 && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/gatetrail /usr/local/bin/gatetrail
COPY LICENSE /usr/share/doc/gatetrail/LICENSE
USER 10001:10001
# Consume and serve drain on SIGTERM, which is also what `docker stop` sends.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/gatetrail"]
CMD ["--help"]
