# The `deskpulse` command as an image: worker, board, simulator and tools are the same one.
#   docker build -t deskpulse:0.1.0 .
#   docker build -t deskpulse:0.1.0 --build-arg DESKPULSE_COMPILE=1 .     the hot path compiled (docs/adr/0009-compiled-hot-path.md)
FROM python:3.11.15-slim-bookworm AS build
ARG DESKPULSE_COMPILE=0
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
COPY . .
RUN if [ "$DESKPULSE_COMPILE" = 1 ]; then \
        apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && \
        DESKPULSE_COMPILE=0 pip install . mypy 'setuptools>=77' && \
        pip wheel --no-build-isolation --no-deps --wheel-dir /wheels . ; \
    else \
        pip wheel --no-deps --wheel-dir /wheels . ; \
    fi
RUN python -m venv --without-pip /opt/deskpulse && pip --python /opt/deskpulse/bin/python install /wheels/*.whl

FROM python:3.11.15-slim-bookworm
LABEL org.opencontainers.image.title="Deskpulse" \
      org.opencontainers.image.description="Live, exact service KPIs from a support organisation's Kafka events" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
# Fixed numbers, so that volumes can be given to them. /tokens: see docker-compose.yml; what is mounted there the first time belongs to this user.
RUN groupadd --gid 10001 deskpulse \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin deskpulse \
    && install --directory --owner=10001 --group=10001 --mode=0750 /tokens
COPY --from=build /opt/deskpulse /opt/deskpulse
ENV PATH=/opt/deskpulse/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# A deskpulse.toml that is mounted here is found.
WORKDIR /etc/deskpulse
USER 10001:10001
EXPOSE 9464 8088
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=2m CMD ["deskpulse", "health", "worker"]
ENTRYPOINT ["deskpulse"]
CMD ["worker"]
