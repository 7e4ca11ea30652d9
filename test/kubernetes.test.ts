import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Environment as ApiEnvironment } from '@steelyard/api';
import { readEnvironment } from '@steelyard/service-process';
import { Environment as WorkerEnvironment } from '@steelyard/worker';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FOLDER = join(ROOT, 'deploy', 'kubernetes');
const TEMPLATE = 'secret.template.yaml';

type Env = { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string; key: string } } };
type Port = { name?: string; containerPort: number };
type Probe = { httpGet?: { path: string; port: string }; exec?: { command: string[] } };
type Container = {
	name: string;
	image: string;
	env?: Env[];
	envFrom?: { configMapRef?: { name: string } }[];
	ports?: Port[];
	resources: { requests: object; limits: { memory: string } };
	securityContext: object;
	volumeMounts: { name: string; mountPath: string }[];
	readinessProbe: Probe;
	livenessProbe?: Probe;
};
type PodSpec = {
	containers: [Container];
	volumes?: { name: string; emptyDir?: object; persistentVolumeClaim?: { claimName: string } }[];
	securityContext: { runAsUser: number; runAsGroup: number };
	terminationGracePeriodSeconds: number;
	automountServiceAccountToken: boolean;
};
type Labels = Record<string, string>;
type Expression = { key: string; operator: 'In'; values: string[] };
type Selector = { matchLabels?: Labels; matchExpressions?: Expression[] };
type ServicePort = { port: number; targetPort: string };
/** A manifest, as far as it is looked at here. */
type Manifest = {
	apiVersion: string;
	kind: string;
	metadata: { name: string };
	data?: Record<string, string>;
	stringData?: Record<string, string>;
	spec: {
		selector: Selector & Labels;
		podSelector: Selector;
		template: { metadata: { labels: Labels }; spec: PodSpec };
		volumeClaimTemplates?: { metadata: { name: string } }[];
		ports: ServicePort[];
		scaleTargetRef: { kind: string; name: string };
		triggers: { type: string; metricType: string; metadata: Record<string, unknown> }[];
		rules: { http: { paths: { backend: { service: { name: string; port: { name: string } } } }[] } }[];
	};
};

/** All files of manifests, by their paths below the folder. */
const FILES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
const KUSTOMIZATIONS = FILES.filter((file) => basename(file) === 'kustomization.yaml');
const documentsIn = (text: string): Manifest[] => parseAllDocuments(text).map((document) => document.toJS() as Manifest);
const manifestsIn = (file: string): Manifest[] => documentsIn(readFileSync(join(FOLDER, file), 'utf8'));
const ALL = FILES.filter((file) => !KUSTOMIZATIONS.includes(file)).flatMap((file) =>
	manifestsIn(file).map((manifest) => ({ file, manifest })),
);
const ofKind = (...kinds: string[]): Manifest[] => ALL.flatMap(({ manifest }) => (kinds.includes(manifest.kind) ? [manifest] : []));
const WORKLOADS = ofKind('Deployment', 'StatefulSet');
const podOf = ({ spec }: Manifest): PodSpec => spec.template.spec;
const containerOf = (workload: Manifest): Container => podOf(workload).containers[0];
const named = (kind: string, name: string): Manifest => {
	const found = ofKind(kind).find(({ metadata }) => metadata.name === name);
	if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
	return found;
};

type Schemas = { kinds: Record<string, object>; $defs: object };
const SCHEMAS = JSON.parse(readFileSync(join(ROOT, 'test/kubernetes/fixtures/schemas.json'), 'utf8')) as Schemas;
const ajv = new Ajv({ strict: false, validateFormats: false });

/** What Kubernetes would object to in a manifest. Of KEDA's own kind there is no schema here. */
function objectionsTo(manifest: Manifest): string[] {
	if (manifest.apiVersion === 'keda.sh/v1alpha1') return [];
	const schema = SCHEMAS.kinds[`${manifest.apiVersion} ${manifest.kind}`];
	if (schema === undefined) return [`no schema of ${manifest.apiVersion} ${manifest.kind}: add it to test/kubernetes/schemas.py`];
	const check = ajv.compile({ ...schema, $defs: SCHEMAS.$defs });
	return check(manifest) ? [] : (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const isSelected = ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean =>
	Object.entries(matchLabels).every(([name, value]) => labels[name] === value) &&
	matchExpressions.every(({ key, operator, values }) => operator === 'In' && values.includes(labels[key] ?? ''));
const podsOf = (selector: Selector): string[] =>
	WORKLOADS.filter(({ spec }) => isSelected(selector, spec.template.metadata.labels)).map(({ metadata }) => metadata.name);

describe('the manifests of deploy/kubernetes', () => {
	it.each(ALL.map(({ file, manifest }) => [file, manifest.kind, manifest] as const))(
		'%s: %s follows the schema of Kubernetes',
		(_, __, manifest) => {
			expect(objectionsTo(manifest)).toEqual([]);
		},
	);

	it('would not follow it with a misspelt field, or a value of another type', () => {
		const api = structuredClone(named('Deployment', 'steelyard-api'));
		const container = containerOf(api) as Container & { livenesProbe?: object };
		container.livenesProbe = {};
		expect(objectionsTo(api)).not.toEqual([]);
		delete container.livenesProbe;
		expect(objectionsTo(api)).toEqual([]);
		podOf(api).terminationGracePeriodSeconds = '30' as unknown as number;
		expect(objectionsTo(api)).not.toEqual([]);
	});

	it('are each named by the kustomization of its folder, but for the template of the Secret', () => {
		const listed = KUSTOMIZATIONS.flatMap((file) => {
			const { resources = [] } = parse(readFileSync(join(FOLDER, file), 'utf8')) as { resources?: string[] };
			return resources.filter((name) => name.endsWith('.yaml')).map((name) => join(dirname(file), name));
		});
		expect([...new Set(ALL.map(({ file }) => file))].sort()).toEqual([...listed, TEMPLATE].sort());
	});

	it('select pods that there are, each workload its own', () => {
		for (const workload of WORKLOADS) expect(podsOf(workload.spec.selector)).toEqual([workload.metadata.name]);
		for (const { metadata, spec } of ofKind('Service')) expect(podsOf({ matchLabels: spec.selector })).toEqual([metadata.name]);
		for (const { metadata, spec } of ofKind('PodDisruptionBudget')) expect(podsOf(spec.selector)).toEqual([metadata.name]);
		const covered = ofKind('NetworkPolicy').flatMap(({ spec }) => podsOf(spec.podSelector));
		expect(covered.sort()).toEqual(WORKLOADS.map(({ metadata }) => metadata.name).sort());
	});

	it('refer to secrets, configurations, claims, ports and workloads that there are', () => {
		const secret = manifestsIn(TEMPLATE)[0] as Manifest;
		for (const workload of WORKLOADS) {
			const { env = [], envFrom = [], volumeMounts, ports = [], readinessProbe, livenessProbe } = containerOf(workload);
			for (const { valueFrom } of env)
				if (valueFrom?.secretKeyRef !== undefined) {
					expect(valueFrom.secretKeyRef.name).toBe(secret.metadata.name);
					expect(Object.keys(secret.stringData ?? {})).toContain(valueFrom.secretKeyRef.key);
				}
			for (const { configMapRef } of envFrom) named('ConfigMap', configMapRef?.name ?? '');
			const volumes = [
				...(podOf(workload).volumes ?? []).map(({ name }) => name),
				...(workload.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name),
			];
			expect(volumeMounts.map(({ name }) => name).sort()).toEqual(volumes.sort());
			for (const probe of [readinessProbe, livenessProbe])
				if (probe?.httpGet) expect(ports.map(({ name }) => name)).toContain(probe.httpGet.port);
		}
		for (const { metadata, spec } of ofKind('Service')) {
			const workload = WORKLOADS.find((one) => one.metadata.name === metadata.name) as Manifest;
			expect(containerOf(workload).ports?.map(({ name }) => name)).toContain(spec.ports[0]?.targetPort);
		}
		for (const { spec } of ofKind('Ingress'))
			for (const { http } of spec.rules) for (const { backend } of http.paths) named('Service', backend.service.name);
	});

	it('hold no secret', () => {
		const [secret] = manifestsIn(TEMPLATE);
		expect(ofKind('Secret')).toEqual([secret]);
		for (const value of Object.values(secret?.stringData ?? {})) expect(value).toContain('REPLACE-ME');
	});

	it.each([
		['steelyard-api', ApiEnvironment],
		['steelyard-worker-cpu', WorkerEnvironment],
		['steelyard-worker-gpu', WorkerEnvironment],
	])('give %s variables that it reads, what it cannot do without, and values that fit', (name, environment) => {
		const { env = [], envFrom = [] } = containerOf(named('Deployment', name));
		const shared = Object.assign({}, ...envFrom.map(({ configMapRef }) => named('ConfigMap', configMapRef?.name ?? '').data)) as Record<
			string,
			string
		>;
		const values: Record<string, string> = {
			...shared,
			...Object.fromEntries(env.map((one) => [one.name, one.value ?? 'a-secret-of-the-test'])),
		};
		expect(Object.keys(values).filter((variable) => !(variable in environment.properties))).toEqual([]);
		expect(Object.keys(values)).toEqual(
			expect.arrayContaining(['REDIS_URL', 'STEELYARD_HOME', 'STEELYARD_STORE', 'AWS_SECRET_ACCESS_KEY']),
		);
		expect('STEELYARD_API_KEY' in values).toBe(name === 'steelyard-api');
		expect(readEnvironment(environment, values)).toMatchObject({ STEELYARD_HOME: '/var/lib/steelyard' });
	});

	it.each(ofKind('Deployment').map((deployment) => [deployment.metadata.name, deployment] as const))(
		'run %s from an image of docker/, by its user, on its port and its volume',
		(_, deployment) => {
			const { image, ports = [], env = [], volumeMounts, readinessProbe } = containerOf(deployment);
			const dockerfile = readFileSync(join(ROOT, 'docker', `${basename(image)}.Dockerfile`), 'utf8');
			const last = (keyword: string) => [...dockerfile.matchAll(new RegExp(`^${keyword} (.*)$`, 'gm'))].at(-1)?.[1];
			const { runAsUser, runAsGroup } = podOf(deployment).securityContext;
			expect(last('USER')).toBe(`${runAsUser}:${runAsGroup}`);
			expect(ports.map(({ containerPort }) => String(containerPort))).toEqual(last('EXPOSE') === undefined ? [] : [last('EXPOSE')]);
			expect(volumeMounts.map(({ mountPath }) => mountPath)).toContain(last('VOLUME'));
			const valueOf = (name: string) => env.find((one) => one.name === name)?.value;
			expect(valueOf('STEELYARD_HOME')).toBe(last('VOLUME'));
			if (ports.length > 0) expect([valueOf('PORT'), valueOf('HOST')]).toEqual([last('EXPOSE'), '0.0.0.0']);
			if (readinessProbe.exec !== undefined) expect(last('COPY')).toBe(`docker/worker-health.js ./${readinessProbe.exec.command[1]}`);
		},
	);

	it('take the Redis of docker-compose.yml, which evicts nothing and keeps everything on disk', () => {
		const compose = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
			services: Record<string, { image: string; command: string[]; stop_grace_period: string }>;
		};
		const redis = named('StatefulSet', 'steelyard-redis');
		const { image, args = [] } = containerOf(redis) as Container & { args?: string[] };
		expect(image).toBe(compose.services['redis']?.image);
		expect(args.slice(0, -2)).toEqual(compose.services['redis']?.command.slice(1));
		expect(args.slice(-2)).toEqual(['--requirepass', '$(REDISCLI_AUTH)']);
		for (const [workload, service] of [
			['steelyard-api', 'api'],
			['steelyard-worker-cpu', 'worker'],
			['steelyard-worker-gpu', 'worker-cuda'],
		] as const)
			expect(podOf(named('Deployment', workload)).terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
				Number.parseInt(compose.services[service]?.stop_grace_period ?? '', 10),
			);
	});

	it('let no container be root, gain rights, or write outside of its volumes, and say what each needs', () => {
		for (const workload of WORKLOADS) {
			const pod = podOf(workload);
			expect(pod).toMatchObject({
				automountServiceAccountToken: false,
				securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
			});
			expect(pod.securityContext.runAsUser).toBeGreaterThan(0);
			const { securityContext, resources } = containerOf(workload);
			expect(securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
			expect(Object.keys(resources.requests)).toEqual(expect.arrayContaining(['cpu', 'memory']));
			expect(resources.limits.memory).toMatch(/^\d+Gi$/);
		}
	});

	it.each([
		['steelyard-worker-cpu', 'any'],
		['steelyard-worker-gpu', 'cuda'],
	])('scale %s on what the API says that jobs for %s want', (name, device) => {
		const { spec } = named('ScaledObject', name);
		expect(named(spec.scaleTargetRef.kind, spec.scaleTargetRef.name).metadata.name).toBe(name);
		expect(Object.keys(spec)).toEqual([
			'scaleTargetRef',
			'minReplicaCount',
			'maxReplicaCount',
			'pollingInterval',
			'cooldownPeriod',
			'fallback',
			'advanced',
			'triggers',
		]);
		expect(spec.triggers).toHaveLength(1);
		const [trigger] = spec.triggers;
		expect(trigger).toMatchObject({ type: 'prometheus', metricType: 'AverageValue', metadata: { threshold: '1' } });
		expect(trigger?.metadata['query']).toBe(
			`sum(max by (memory_gib, labels) (steelyard_workers_wanted{device="${device}"})) or 0 * max(steelyard_redis_up == 1)`,
		);
		for (const value of Object.values(trigger?.metadata ?? {})) expect(value).toBeTypeOf('string');
	});
});

const KUBECTL = (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'kubectl')));

describe.skipIf(!KUBECTL)('what kubectl makes of the kustomizations', () => {
	const build = (folder: string): Manifest[] => documentsIn(execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8' }));

	it.each(KUSTOMIZATIONS.filter((file) => !file.startsWith('components')).map((file) => [dirname(file)]))(
		'of %s follows the schemas, in one namespace',
		(folder) => {
			const built = build(join(FOLDER, folder));
			expect(built.flatMap(objectionsTo)).toEqual([]);
			expect(
				built.filter(({ kind, metadata }) => kind !== 'Namespace' && (metadata as { namespace?: string }).namespace !== 'steelyard'),
			).toEqual([]);
		},
	);

	it('of the example leaves the number of workers to KEDA, and names every image anew', () => {
		const deployments = build(join(FOLDER, 'example')).filter(({ kind }) => kind === 'Deployment');
		const replicas = Object.fromEntries(deployments.map(({ metadata, spec }) => [metadata.name, (spec as { replicas?: number }).replicas]));
		expect(replicas).toEqual({ 'steelyard-api': 2, 'steelyard-worker-cpu': undefined, 'steelyard-worker-gpu': undefined });
		for (const deployment of deployments)
			expect(containerOf(deployment).image).toMatch(/^registry\.example\.org\/steelyard\/[a-z-]+:\d+\.\d+\.\d+$/);
	});

	it('of a shared folder gives every pod the same claim, and no bucket', async () => {
		const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
		const folder = await mkdtemp(join(FOLDER, '.test-'));
		try {
			const at = (path: string) => relative(folder, join(FOLDER, path));
			const lines = [
				'resources:',
				`  - ${at('base')}`,
				'components:',
				`  - ${at('components/gpu')}`,
				`  - ${at('components/shared-folder')}`,
			];
			await writeFile(join(folder, 'kustomization.yaml'), `${lines.join('\n')}\n`);
			const built = build(folder);
			expect(built.flatMap(objectionsTo)).toEqual([]);
			const deployments = built.filter(({ kind }) => kind === 'Deployment');
			expect(deployments).toHaveLength(3);
			for (const one of deployments)
				expect(podOf(one).volumes?.[0]).toEqual({ name: 'data', persistentVolumeClaim: { claimName: 'steelyard-data' } });
			expect(built.find(({ kind }) => kind === 'ConfigMap')?.data).not.toHaveProperty('STEELYARD_STORE');
		} finally {
			await rm(folder, { recursive: true });
		}
	});
});
