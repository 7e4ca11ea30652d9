# Build with the repository's root as context: docker build -f docker/worker-cpu.Dockerfile .
FROM node:20.20.2-bookworm-slim AS build
ENV CI=true
WORKDIR /src
# pnpm in the version that package.json names in packageManager.
RUN npm install --global --no-fund --no-audit pnpm@10.34.9
# Dependencies are a layer of their own: they change with the lockfile, not with the sources.
COPY pnpm-lock.yaml pnpm-workspace.yaml ./
RUN pnpm fetch
COPY . .
RUN pnpm install --offline --frozen-lockfile && node_modules/.bin/tsc -b services/worker && node bin/bundle.js
# What runs: compiled code and production dependencies, in the versions of the lockfile. No sources, no build records.
RUN find packages services models -mindepth 2 -maxdepth 2 \( -name src -o -name tsconfig.json \) -exec rm -r {} + \
	&& find packages services models -name .tsbuildinfo -path '*/dist/*' -delete \
	&& pnpm --offline --filter @steelyard/worker --prod --config.inject-workspace-packages=true deploy /app
# ONNX Runtime brings the libraries of every platform; two thirds of them are for other systems.
RUN rm -r /app/node_modules/.pnpm/onnxruntime-node@*/node_modules/onnxruntime-node/bin/napi-v6/darwin \
	/app/node_modules/.pnpm/onnxruntime-node@*/node_modules/onnxruntime-node/bin/napi-v6/win32

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production \
	STEELYARD_HOME=/var/lib/steelyard
WORKDIR /app
COPY --from=build /app ./
COPY docker/worker-health.js ./health.js
# The data folder is shared with the API, whose user has the same number.
RUN install -d -o 1000 -g 1000 /var/lib/steelyard
VOLUME /var/lib/steelyard
USER 1000:1000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
	CMD ["node", "health.js"]
CMD ["node", "bundle/main.js"]
