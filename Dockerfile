# The portal as one image; docker-compose.yml runs it as web, worker and beat.
FROM node:22-slim AS assets
WORKDIR /src
COPY .npmrc package.json package-lock.json ./
RUN npm ci --omit=dev --no-progress

FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/jingwei
RUN useradd --system --uid 10001 --create-home jingwei \
 && mkdir -p /var/lib/jingwei \
 && chown jingwei: /var/lib/jingwei
COPY requirements.txt ./
RUN pip install -r requirements.txt
COPY . .
COPY --from=assets /src/node_modules/echarts/dist/echarts.min.js /src/node_modules/echarts/LICENSE /src/node_modules/echarts/NOTICE static/vendor/echarts/
# Collected at build time with an empty environment: nothing of it, the key it makes included, stays in the image.
RUN DATA_DIR=/tmp/build python manage.py collectstatic --noinput --verbosity 0 \
 && rm -rf /tmp/build
USER jingwei
ENV DATA_DIR=/var/lib/jingwei HOST=0.0.0.0 DJANGO_SETTINGS_MODULE=governance.settings
VOLUME /var/lib/jingwei
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=8)"]
CMD ["python", "-m", "gunicorn"]
