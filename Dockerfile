# The operator's image: what requirements.lock names, by hash, and this checkout's package; no build tool in it.
# Nothing here depends on the architecture or the time of day. CONTRIBUTING.md says how it is built and checked.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS dependencies
# Byte code is compiled once, here: in a container the root file system is read-only, and the official images bring none
# of the standard library. It has a tree of its own, so that the standard library's can be in it.
ENV PYTHONPYCACHEPREFIX=/opt/livetask/bytecode PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.lock ./
# Wheels alone: nothing that is downloaded runs code while it is installed.
RUN python -m venv --without-pip /opt/livetask \
 && pip --python /opt/livetask/bin/python install --no-compile --require-hashes --only-binary=:all: -r requirements.lock
# The calls of all of Kubernetes' APIs are half of what is installed, and each API's file is loaded when its class is
# first named. Those that are never named stay out; a test compares this list with what the operator names.
RUN find /opt/livetask/lib/ -path '*/kubernetes/*client/api/*_api.py' \
    -not -name core_v1_api.py -not -name custom_objects_api.py -not -name coordination_v1_api.py -delete
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/livetask/lib \
 && python -m compileall -q --invalidation-mode unchecked-hash \
    -x '/(test|idlelib|tkinter|turtledemo|ensurepip|pydoc_data|lib2to3|site-packages|dist-packages)/' \
    "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && find /opt/livetask -exec touch --no-dereference --date=@0 {} +

FROM dependencies AS package
COPY requirements-build.lock ./
RUN pip install --no-compile --require-hashes --only-binary=:all: -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
# What the package adds is a layer of its own: a new version of the operator leaves that of its dependencies as it is.
RUN SOURCE_DATE_EPOCH=315532800 pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
 && pip --python /opt/livetask/bin/python install --no-compile --no-deps --no-index /wheels/*.whl \
 && python -m compileall -q --invalidation-mode unchecked-hash /opt/livetask/lib/python3.*/site-packages/livetask_* \
 && mkdir /package \
 && find /opt/livetask -name 'livetask[-_]*' -prune -exec cp --archive --parents --target-directory /package {} + \
 && find /package -exec touch --no-dereference --date=@0 {} +

FROM ${PYTHON_IMAGE}
RUN python -B -m pip uninstall --yes --root-user-action=ignore pip \
 && python -B -c 'import ensurepip, shutil; shutil.rmtree(ensurepip.__path__[0])'
COPY --from=dependencies /opt/livetask /opt/livetask
COPY --from=package /package /
ENV PATH=/opt/livetask/bin:$PATH PYTHONPYCACHEPREFIX=/opt/livetask/bytecode PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["livetask-operator"]
CMD ["run"]

ARG PYTHON_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="livetask-operator" \
      org.opencontainers.image.description="Kubernetes operator for live-stream relay and preload tasks at cloud vendors" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"
