import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { isId } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import type { Traces } from '@steelyard/service-process';
import type { ServiceStore } from '@steelyard/store';
import Fastify, { type FastifyBaseLogger, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Logger } from 'pino';
import { openAudit } from './audit/audit.js';
import { type Config, JOB_WORK, PROJECT_QUEUED } from './config.js';
import { createDatasets } from './datasets/datasets.js';
import { openReader } from './datasets/reader.js';
import { openRowReader } from './datasets/row-reader.js';
import type { App } from './fastify-app.js';
import { createJobLookup } from './jobs/lookup.js';
import { createKeys } from './keys/keys.js';
import { LIMITS } from './keys/limits.js';
import { createModels } from './models/models.js';
import { addAccess, addSameSite } from './plugins/access.js';
import { addAudit } from './plugins/audit.js';
import { addBounds } from './plugins/bounds.js';
import { addDashboard } from './plugins/dashboard.js';
import { createGuard } from './plugins/limits.js';
import { addMetrics } from './plugins/metrics.js';
import { addOpenapi } from './plugins/openapi.js';
import { addProblems, refuseConnection, sendProblem } from './plugins/problems.js';
import { addRequestId, requestIdOf } from './plugins/request-id.js';
import { addTraces } from './plugins/traces.js';
import { addValidation } from './plugins/validation.js';
import { addViewer } from './plugins/viewer.js';
import { createOwnerOf } from './resources/owners.js';
import { createProjectBytes } from './resources/project-bytes.js';
import { createRoom } from './resources/room.js';
import { artifactRoutes } from './routes/artifacts.js';
import { auditRoutes } from './routes/audit.js';
import { datasetRoutes } from './routes/datasets.js';
import { eventRoutes } from './routes/events.js';
import { healthRoutes } from './routes/health.js';
import { housekeepingRoutes } from './routes/housekeeping.js';
import { jobChangeRoutes } from './routes/job-changes.js';
import { jobRoutes } from './routes/jobs.js';
import { keyRoutes } from './routes/keys.js';
import { logRoutes } from './routes/logs.js';
import { modelRoutes } from './routes/models.js';
import { predictionRoutes } from './routes/predictions.js';
import { sweepRoutes } from './routes/sweeps.js';
import { webhookRoutes } from './routes/webhook.js';
import { openEventStreams } from './streams/event-streams.js';
import { version } from './version.js';
import { createWebhooks } from './webhooks/webhooks.js';

/** What the application is built over. */
export type AppOptions = {
	config: Pick<Config, 'host' | 'apiKey' | 'uploadLimit' | 'modelLimit'> &
		Partial<Pick<Config, 'reading' | 'job' | 'projectQueued' | 'projectBytes' | 'reserve' | 'retention' | 'limits' | 'proxies'>>;
	queue: Queue;
	store: ServiceStore;
	log: Logger;
	/** Where the spans of requests go; nowhere unless given. */
	traces?: Traces | null;
};

/** The most bytes that a JSON body may have: several times the longest job, and few enough to be read and checked in some hundredths of a second. */
const BODY_LIMIT = 256 * 1024;

/** Builds the HTTP API over a queue and a store, which the caller closes. */
export async function buildApp({ config, queue, store, log, traces = null }: AppOptions): Promise<App> {
	const app: App = Fastify({
		loggerInstance: log as FastifyBaseLogger,
		// The hook below logs each request with one line.
		logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request' }),
		bodyLimit: BODY_LIMIT,
		genReqId: requestIdOf,
		trustProxy: config.proxies ?? [],
		// An upload may take long. `receive` watches it and ends one that stalls.
		requestTimeout: 3_600_000,
		// While the server closes, requests on open connections are still answered.
		return503OnClosing: false,
		forceCloseConnections: 'idle',
		// `addSameSite` refuses a request without Host, with a problem document.
		http: { requireHostHeader: false },
		routerOptions: { maxParamLength: 256 },
		clientErrorHandler: refuseConnection,
		frameworkErrors: (error, request, reply) => void sendProblem(error, request as FastifyRequest, reply as unknown as FastifyReply),
	}).withTypeProvider<TypeBoxTypeProvider>();

	addRequestId(app);
	addTraces(app, traces);
	addProblems(app);
	addBounds(app);
	addValidation(app);
	addSameSite(app, config);
	const audit = openAudit({ store, onLoss: (error, lines) => log.warn({ err: error, lines }, 'lines of the audit log are lost') });
	addAudit(app, audit);
	const keys = createKeys({ store, onError: (error) => log.warn({ err: error }, 'it could not be noted when a key was used') });
	const guard = await createGuard(app, { ...LIMITS, ...config.limits });
	addAccess(app, config, { keys, guard });
	await addOpenapi(app, { version, secured: config.apiKey !== null });
	await addViewer(app);
	const room = createRoom(store.files, config.reserve ?? null);
	addMetrics(app, { queue, room });
	app.addHook('onResponse', async (request, reply) => {
		const { id } = (request.params ?? {}) as { id?: string };
		const job = id !== undefined && isId('job', id) ? { job: id } : {};
		const { caller } = request;
		const from = caller === null ? {} : { project: caller.project, ...(caller.key === null ? {} : { key: caller.key }) };
		const line = { method: request.method, url: request.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime), ...job, ...from };
		request.log[request.routeOptions.config?.open === true ? 'debug' : 'info'](line, 'answered');
	});

	const reader = openReader(config.reading === undefined ? {} : { limits: config.reading });
	app.addHook('onListen', async () => reader.prepare());
	app.addHook('onClose', () => reader.close());
	const rowReader = openRowReader();
	app.addHook('onClose', () => rowReader.close());
	const ownerOf = createOwnerOf(store);
	const quota = createProjectBytes(store, ownerOf, config.projectBytes ?? null);
	const datasets = createDatasets({ store, queue, reader, rowReader, room, quota, uploadLimit: config.uploadLimit });
	const models = createModels({ store, queue, room, quota, modelLimit: config.modelLimit });
	const webhooks = createWebhooks(store);
	const job = createJobLookup(queue);
	await app.register(healthRoutes, { queue, store });
	await app.register(datasetRoutes, { datasets });
	await app.register(modelRoutes, { models });
	await app.register(webhookRoutes, { webhooks });
	await app.register(keyRoutes, { keys, webhooks });
	await app.register(auditRoutes, { audit });
	await app.register(housekeepingRoutes, {
		queue,
		store,
		room,
		ownerOf,
		limits: config.retention ?? { days: null, count: null, bytes: null },
	});
	await app.register(jobRoutes, {
		...{ queue, store, datasets, models, room, job, webhooks },
		limits: config.job ?? { memory: null, work: JOB_WORK, checkpoints: null },
		mostQueued: config.projectQueued ?? PROJECT_QUEUED,
	});
	await app.register(sweepRoutes, {
		...{ queue, store, datasets, models, room },
		limits: config.job ?? { memory: null, work: JOB_WORK, checkpoints: null },
		mostQueued: config.projectQueued ?? PROJECT_QUEUED,
	});
	const streams = openEventStreams(app, keys);
	await app.register(eventRoutes, { queue, job, streams });
	await app.register(jobChangeRoutes, { queue, streams });
	await app.register(logRoutes, { store, job });
	await app.register(artifactRoutes, { queue, store, job });
	await app.register(predictionRoutes, { queue, job });
	await addDashboard(app);
	return app;
}
