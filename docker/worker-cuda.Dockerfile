# Build with the repository's root as context: docker build -f docker/worker-cuda.Dockerfile .
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
# ONNX Runtime's own installer fetches the CUDA provider of its own version (it calls the set "cuda12"; whether it fits the CUDA of the
# image below is checked there). The TensorRT provider comes in the same archive and is not used.
RUN cd /app/node_modules/.pnpm/onnxruntime-node@*/node_modules/onnxruntime-node \
	&& node script/install.js --onnxruntime-node-install \
	&& rm -r -f bin/napi-v6/darwin bin/napi-v6/win32 bin/napi-v6/linux/x64/libonnxruntime_providers_tensorrt.so

FROM nvidia/cuda:13.0.2-cudnn-runtime-ubuntu24.04
COPY --from=build /usr/local/bin/node /usr/local/bin/node
ENV NODE_ENV=production \
	NVIDIA_VISIBLE_DEVICES=all \
	NVIDIA_DRIVER_CAPABILITIES=compute,utility \
	STEELYARD_HOME=/var/lib/steelyard
WORKDIR /app
COPY --from=build /app ./
COPY docker/worker-health.js ./health.js
# A provider that was built for another CUDA than this image has would be found out only by the first job. It is found out here:
# every library that it names must be in the image, but for the driver's, which the host brings.
RUN ldd node_modules/.pnpm/onnxruntime-node@*/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so > /tmp/libraries \
	&& ! grep 'not found' /tmp/libraries | grep -v -e libcuda.so.1 -e libonnxruntime \
	&& rm /tmp/libraries
# The data folder is shared with the API, whose user has the same number.
RUN install -d -o 1000 -g 1000 /var/lib/steelyard
VOLUME /var/lib/steelyard
USER 1000:1000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
	CMD ["node", "health.js"]
CMD ["node", "bundle/main.js"]
