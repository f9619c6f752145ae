# The tool with PostgreSQL and nothing else, as a user without rights: docker build -t reconciler .
FROM python:3.13-slim AS build
COPY . /source
RUN python -m venv /opt/reconciler \
 && /opt/reconciler/bin/pip install --no-cache-dir --disable-pip-version-check \
      -c /source/constraints.txt '/source[postgresql]'

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 reconciler \
 && mkdir /repository && chown reconciler /repository
COPY --from=build /opt/reconciler /opt/reconciler
ENV PATH=/opt/reconciler/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER reconciler
WORKDIR /repository
ENTRYPOINT ["reconciler"]
CMD ["--help"]
