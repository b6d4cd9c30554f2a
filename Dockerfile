# One version's API: `esteira` builds it, and passes everything that it needs in the build context.
# What it adds to the base has fixed times and is copied to the root, where no folder above it gets the time
# of the build: the same input gives the same layers to the byte.
ARG BASE=python:3.11-slim-bookworm

# The builder without BuildKit makes every stage up to the one that is asked for: the order matters.
FROM ${BASE} AS gateway
RUN apt-get update && apt-get install -y --no-install-recommends haproxy \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && install -d -o 10001 -g 10001 /run/esteira/admin /run/esteira/api
ARG DEFAULT_CASE=imoveis
ENV DEFAULT_CASE=${DEFAULT_CASE}
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGUSR1
CMD ["python", "-ISB", "/etc/esteira/start.py"]
COPY --chown=10001:10001 \
     plugins/esteira/deploy/gateway/haproxy.cfg plugins/esteira/deploy/gateway/hold.py \
     plugins/esteira/deploy/gateway/start.py /etc/esteira/

# What docker-compose.yml runs Airflow, MLflow and the engine's proxy from.
FROM ${BASE} AS platform
ARG PIP_INDEX_URL
COPY requirements.txt pyproject.toml /packages/
RUN cd /packages && awk '/^[^ #]/ {ours = /^uv==/} ours' requirements.txt > uv.txt \
 && python -m venv --without-pip /venv && python -m venv uv \
 && uv/bin/python -m pip install --require-hashes --no-cache-dir --quiet --disable-pip-version-check -r uv.txt \
 && uv/bin/uv pip install ${PIP_INDEX_URL:+--default-index "$PIP_INDEX_URL"} --quiet --no-cache \
      --python /venv/bin/python --compile-bytecode --constraint requirements.txt -r pyproject.toml \
 && rm -r uv
RUN useradd --uid 10001 --no-create-home --home-dir /tmp esteira \
 && install -d -o 10001 -g 10001 -m 700 /run/esteira/engine /srv/esteira/artefatos /srv/esteira/dados \
      /srv/esteira/home /srv/esteira/home/mlflow \
      /srv/esteira/home/gateway /srv/esteira/home/gateway/admin /srv/esteira/home/gateway/api
ENV PATH=/venv/bin:$PATH PYTHONPATH=/opt/esteira/plugins PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/esteira
USER 10001:10001
CMD ["python", "-m", "esteira"]
COPY --chown=10001:10001 Dockerfile cliente.py ./
COPY --chown=10001:10001 casos casos
COPY --chown=10001:10001 app app
COPY --chown=10001:10001 dags dags
COPY --chown=10001:10001 plugins plugins

# onnxruntime's binding holds the runtime itself: nothing loads the library beside it.
FROM ${BASE} AS dependencies
ARG PIP_INDEX_URL
COPY app/requirements.txt /
RUN python -m venv --without-pip /venv \
 && python -m pip --python /venv/bin/python install --require-hashes --no-cache-dir --no-compile \
      --quiet --disable-pip-version-check --root-user-action=ignore -r /requirements.txt \
 && cd /venv/lib/python3.11/site-packages \
 && rm -rf onnxruntime/tools onnxruntime/transformers onnxruntime/quantization onnxruntime/datasets \
      onnxruntime/capi/libonnxruntime.so.* \
 && find . -type d -name tests -prune -exec rm -rf {} + \
 && find . -name '*.pyi' -delete \
 && python -m compileall -q --invalidation-mode unchecked-hash . \
 && mkdir /out && mv /venv /out && find /out -exec touch -h -d @0 {} +

FROM ${BASE} AS code
COPY plugins/esteira/__init__.py plugins/esteira/errors.py plugins/esteira/vocabulary.py \
     plugins/esteira/days.py plugins/esteira/rules.py plugins/esteira/candidates.py plugins/esteira/columns.py \
     plugins/esteira/case.py plugins/esteira/metadata.py plugins/esteira/bundle.py plugins/esteira/golden.py /out/srv/esteira/
COPY app /out/srv/app
RUN mkdir -p /out/usr/local/bin \
 && printf "#!/bin/sh\nexec python -m app serve\n" > /out/usr/local/bin/serve \
 && chmod 755 /out/usr/local/bin/serve \
 && python -m compileall -q --invalidation-mode unchecked-hash -s /out -p / /out \
 && find /out -exec touch -h -d @0 {} +

FROM ${BASE} AS api
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ORT_DISABLE_TELEMETRY=1 \
    ARTEFATOS_PATH=/srv/artefatos API_HOST=0.0.0.0 API_PORT=8000 LOG_FORMAT=json
WORKDIR /srv
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s CMD ["python", "-ISc", \
  "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
CMD ["python", "-m", "app"]
COPY --from=dependencies /out /
COPY --from=code /out /
ARG CASE
ARG VERSION
ARG COMMIT
ARG BUNDLE
ARG CODE
ARG HOME_ID
ENV CASE=${CASE} MODEL_VERSION=${VERSION} BUNDLE_SHA256=${BUNDLE}
LABEL esteira.case=${CASE} esteira.version=${VERSION} esteira.commit=${COMMIT} \
      esteira.bundle=${BUNDLE} esteira.code=${CODE} esteira.home=${HOME_ID}
COPY bundle /
