# Build with the repository's root as context: docker build -f docker/api.Dockerfile .
FROM node:20.20.2-bookworm-slim AS build
ENV CI=true
WORKDIR /src
# pnpm in the version that package.json names in packageManager.
RUN npm install --global --no-fund --no-audit pnpm@10.34.9
# Dependencies are a layer of their own: they change with the lockfile, not with the sources.
COPY pnpm-lock.yaml pnpm-workspace.yaml ./
RUN pnpm fetch
COPY . .
RUN pnpm install --offline --frozen-lockfile && node_modules/.bin/tsc -b services/api && node bin/bundle.js && node services/dashboard/build.js
# What runs: compiled code and production dependencies, in the versions of the lockfile. No sources, no build records.
RUN find packages services models -mindepth 2 -maxdepth 2 \( -name src -o -name tsconfig.json \) -exec rm -r {} + \
	&& find packages services models -name .tsbuildinfo -path '*/dist/*' -delete \
	&& pnpm --offline --filter @steelyard/api --prod --config.inject-workspace-packages=true deploy /app

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production \
	HOST=0.0.0.0 \
	PORT=8080 \
	STEELYARD_HOME=/var/lib/steelyard
WORKDIR /app
COPY --from=build /app ./
# The data folder is shared with the workers, whose user has the same number.
RUN install -d -o 1000 -g 1000 /var/lib/steelyard
VOLUME /var/lib/steelyard
USER 1000:1000
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
	CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=2", "bundle/main.js"]
