# syntax=docker/dockerfile:1

# The program is built with the compiler of the workspace's rust-version, and runs without a shell.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked --package rookery-server --bin rookery \
    && cp target/dist/rookery /usr/local/bin/rookery \
    && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /usr/local/bin/rookery /usr/local/bin/rookery
# An empty volume takes over this folder's owner.
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
ENV ROOKERY_LISTEN=0.0.0.0:8008 \
    ROOKERY_DATA=/data
VOLUME /data
EXPOSE 8008
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["rookery", "health", "--url", "http://127.0.0.1:8008"]
ENTRYPOINT ["rookery"]
CMD ["serve"]
