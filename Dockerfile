# The operator's image: what requirements.lock names, by hash, and this checkout's package; no build tool in it.
# Another base, a pinned one for example: docker build --build-arg PYTHON_IMAGE=python:3.13-slim@sha256:...
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
# Wheels alone: nothing that is downloaded runs code while it is installed.
RUN python -m venv --without-pip /opt/livetask \
 && pip --python /opt/livetask/bin/python install --require-hashes --only-binary=:all: -r requirements.lock \
 && pip install --require-hashes --only-binary=:all: -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
RUN pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
 && pip --python /opt/livetask/bin/python install --no-deps --no-index /wheels/*.whl

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="livetask-operator" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/livetask /opt/livetask
ENV PATH=/opt/livetask/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["livetask-operator"]
CMD ["run"]
