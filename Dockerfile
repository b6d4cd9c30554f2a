# One version's API: `esteira` builds it, and passes everything that it needs in the build context.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS dependencies
ARG PIP_INDEX_URL
COPY app/requirements.txt /
RUN python -m venv --without-pip /venv \
 && python -m pip --python /venv/bin/python install --require-hashes --no-cache-dir --no-compile \
      --quiet --disable-pip-version-check --root-user-action=ignore -r /requirements.txt \
 && cd /venv/lib/python3.11/site-packages \
 && rm -rf onnxruntime/tools onnxruntime/transformers onnxruntime/quantization onnxruntime/datasets \
 && find . -type d -name tests -prune -exec rm -rf {} + \
 && find . -name '*.pyi' -delete \
 && python -m compileall -q --invalidation-mode unchecked-hash .

FROM ${BASE} AS code
COPY plugins/esteira/__init__.py plugins/esteira/errors.py plugins/esteira/vocabulary.py \
     plugins/esteira/days.py plugins/esteira/rules.py plugins/esteira/candidates.py plugins/esteira/case.py \
     plugins/esteira/bundle.py plugins/esteira/golden.py /srv/esteira/
COPY app /srv/app
RUN python -m compileall -q --invalidation-mode unchecked-hash /srv

FROM ${BASE} AS api
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ORT_DISABLE_TELEMETRY=1 \
    ARTEFATOS_PATH=/srv/artefatos API_HOST=0.0.0.0 API_PORT=8000
WORKDIR /srv
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s CMD ["python", "-ISc", \
  "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
CMD ["python", "-m", "app"]
COPY --from=dependencies /venv /venv
COPY --from=code /srv /srv
ARG CASE
ARG VERSION
ARG COMMIT
ARG BUNDLE
ARG CODE
ARG HOME_ID
ENV CASE=${CASE} MODEL_VERSION=${VERSION}
LABEL esteira.case=${CASE} esteira.version=${VERSION} esteira.commit=${COMMIT} \
      esteira.bundle=${BUNDLE} esteira.code=${CODE} esteira.home=${HOME_ID}
COPY artefatos/${CASE}/metadados/metadados_v${VERSION}.json artefatos/${CASE}/metadados/
COPY artefatos/${CASE}/onnx/modelo_v${VERSION}.onnx artefatos/${CASE}/onnx/
