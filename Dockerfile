# One image for every role: `docker run IMAGE origin`, `… packager`, `… edge`, or alone for `serve`.
# `docker build --target symbols --output . .` writes the program's debug symbols, which the image has not.
FROM node:22-bookworm-slim AS web
WORKDIR /src
COPY web/.npmrc web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web .
RUN npm run build

FROM rust:1.95-bookworm AS program
WORKDIR /src
COPY . .
COPY --from=web /src/dist web/dist
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    CARGO_PROFILE_DIST_STRIP=none CARGO_PROFILE_DIST_DEBUG=line-tables-only \
    cargo build --profile dist --locked --bin clipcut && mkdir /out \
    && objcopy --only-keep-debug target/dist/clipcut /out/clipcut.debug \
    # The names of functions stay: a CPU profile of the running program reads them.
    && objcopy --strip-debug --add-gnu-debuglink=/out/clipcut.debug target/dist/clipcut /out/clipcut

FROM scratch AS symbols
COPY --from=program /out/clipcut.debug /

# ONNX Runtime, as its wheel carries it; the version is that of scripts/install.
FROM python:3.12-slim-bookworm AS speech
WORKDIR /wheel
RUN pip download --quiet --no-deps --only-binary :all: onnxruntime==1.32.0 && python -m zipfile -e *.whl .

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl ffmpeg \
    && rm -rf /var/lib/apt/lists/* \
    # Drivers of graphics cards, which ffmpeg's package brings and no role uses: 170 MB.
    && rm -rf /usr/lib/*/dri /usr/lib/*/libLLVM* /usr/lib/*/libz3.so* /usr/lib/*/mfx \
    && useradd --uid 10001 --create-home --home-dir /clipcut clipcut \
    && install -d -o clipcut /clipcut/data /clipcut/models
COPY --from=speech /wheel/onnxruntime/capi/libonnxruntime.* /usr/local/lib/
COPY --from=program /out/clipcut /usr/local/bin/
LABEL org.opencontainers.image.title="Clip Cut" org.opencontainers.image.licenses="Apache-2.0"
# By number, for Kubernetes takes no name for a proof that it is not root.
USER 10001
WORKDIR /clipcut
ENV CLIPCUT_LISTEN=0.0.0.0:8080 CLIPCUT_ONNXRUNTIME=/usr/local/lib
EXPOSE 8080 9090
ENTRYPOINT ["clipcut"]
CMD ["serve"]
