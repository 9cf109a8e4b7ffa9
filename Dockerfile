# The worker. CPU:   docker build -t lp-suite .
#             CUDA:  docker build -t lp-suite --build-arg BASE=nvidia/cuda:12.8.1-runtime-ubuntu24.04 .
# Beyond the container the worker needs TLS and a token (docs/worker.md):
#   docker run -p 8787:8787 -v /shows:/shows -v lp-state:/state -v /secrets:/secrets:ro lp-suite \
#     --listen 0.0.0.0 --tls-cert /secrets/cert.pem --tls-key /secrets/key.pem --token-file /secrets/token --allow /shows
ARG BASE=ubuntu:24.04
FROM ${BASE}
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv libgl1 libegl1 libgles2 libglib2.0-0 ffmpeg \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 lpsuite \
    && install -d -o lpsuite /state
COPY . /opt/lp-suite
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir "/opt/lp-suite[worker,vfx,neural,provenance]"
USER 10001
ENV PATH=/opt/venv/bin:$PATH
VOLUME /state
EXPOSE 8787
ENTRYPOINT ["lpsuite", "serve", "--state", "/state", "--port", "8787"]
