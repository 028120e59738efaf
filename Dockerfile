# One image for every role: `docker run IMAGE origin`, `… packager`, `… edge`, or alone for `serve`.
FROM node:22-bookworm-slim AS web
WORKDIR /src
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web .
RUN npm run build

FROM rust:1.95-bookworm AS program
WORKDIR /src
COPY . .
COPY --from=web /src/dist web/dist
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked --bin clipcut && cp target/dist/clipcut /usr/local/bin/

# ONNX Runtime, as its wheel carries it; the version is that of scripts/install.
FROM python:3.12-slim-bookworm AS speech
WORKDIR /wheel
RUN pip download --quiet --no-deps --only-binary :all: onnxruntime==1.32.0 && python -m zipfile -e *.whl .

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl ffmpeg \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /clipcut clipcut \
    && install -d -o clipcut /clipcut/data /clipcut/models
COPY --from=speech /wheel/onnxruntime/capi/libonnxruntime.* /usr/local/lib/
COPY --from=program /usr/local/bin/clipcut /usr/local/bin/
USER clipcut
WORKDIR /clipcut
ENV CLIPCUT_LISTEN=0.0.0.0:8080 CLIPCUT_ONNXRUNTIME=/usr/local/lib
EXPOSE 8080
ENTRYPOINT ["clipcut"]
CMD ["serve"]
