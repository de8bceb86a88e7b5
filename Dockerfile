# A server of scviz without a GPU: docker build -t scviz . && docker run -p 127.0.0.1:8501:8501 -v scviz:/data scviz
# It starts where a login is set up (README, Who can reach it), or with -e SCVIZ_DEMO=1, or with `serve --host 0.0.0.0
# --open`. `python deploy/like_docker.py` carries the same steps out in an empty environment, where there is no Docker.
FROM python:3.11-slim-bookworm AS build
# PyTorch's build for CPUs; for GPUs: --build-arg TORCH_FROM=
ARG TORCH_FROM="--index-url https://download.pytorch.org/whl/cpu"
WORKDIR /source
RUN python -m venv /opt/scviz
ENV PATH=/opt/scviz/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt ./
COPY deploy/extras ./deploy/extras
# hadolint ignore=SC2086,DL3013
RUN pip install ${TORCH_FROM} "$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.txt)"
RUN pip install -r requirements.txt -r deploy/extras/postgres.txt -r deploy/extras/auth.txt
# what nothing imports: a third of a gigabyte
RUN rm -rf /opt/scviz/lib/python3.11/site-packages/torch/test /opt/scviz/lib/python3.11/site-packages/torch/include \
    && find /opt/scviz/lib/python3.11/site-packages/pandas /opt/scviz/lib/python3.11/site-packages/numba \
    /opt/scviz/lib/python3.11/site-packages/scipy /opt/scviz/lib/python3.11/site-packages/pyarrow \
    /opt/scviz/lib/python3.11/site-packages/matplotlib /opt/scviz/lib/python3.11/site-packages/statsmodels \
    /opt/scviz/lib/python3.11/site-packages/sympy -type d -name tests -prune -exec rm -rf {} +
COPY . .
RUN pip install --no-deps .

FROM python:3.11-slim-bookworm
RUN useradd --uid 1000 --home-dir /srv/scviz --create-home scviz && install -d -o scviz -g scviz -m 700 /data
COPY --from=build /opt/scviz /opt/scviz
# numba and matplotlib keep what they compile; all but /data and /tmp may be read only
ENV PATH=/opt/scviz/bin:$PATH PYTHONUNBUFFERED=1 SCVIZ_HOME=/data NUMBA_CACHE_DIR=/tmp/numba MPLCONFIGDIR=/tmp/matplotlib
USER 1000
WORKDIR /data
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=10s --start-period=180s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/readyz', timeout=8)"]
ENTRYPOINT ["scviz"]
CMD ["serve", "--host", "0.0.0.0"]
