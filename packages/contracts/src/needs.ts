import type { JobError } from './job-error.js';
import type { WorkerStatus } from './readiness.js';
import type { JobSpec } from './spec.js';

const GIBIBYTE = 1024 ** 3;

/** The devices that a job can ask for and not every worker has. */
const RARE_DEVICES = ['cuda', 'webgpu'] as const;
type RareDevice = (typeof RARE_DEVICES)[number];

/** What a job needs of the worker that runs it. */
export type Needs = {
	/** The device that it asks for; null where any worker will do, as for `cpu` and `auto`. */
	device: RareDevice | null;
	/** Whole GiB of memory, rounded up; 0 for any. */
	memory: number;
	/** Labels that the worker must have, in the order of the alphabet. */
	labels: string[];
};

/** What a worker has of all that jobs can need. */
export type Abilities = {
	/** Those that not every worker has. */
	devices: RareDevice[];
	/** Whole GiB of memory that one job may take, rounded down. */
	memory: number;
	/** In the order of the alphabet. */
	labels: string[];
};

/** What a job of a spec needs. */
export const needsOf = ({ device, requires = {} }: Pick<JobSpec, 'device' | 'requires'>): Needs => ({
	device: device === 'cuda' || device === 'webgpu' ? device : null,
	memory: Math.ceil((requires.memory_bytes ?? 0) / GIBIBYTE),
	labels: [...(requires.labels ?? [])].sort(),
});

/** What a worker has that describes itself so. One of an earlier version says less, and has no labels. */
export const abilitiesOf = ({
	devices,
	job_memory_bytes: ofJob,
	memory_bytes: ofMachine,
	labels = [],
}: Pick<WorkerStatus, 'devices' | 'job_memory_bytes' | 'memory_bytes' | 'labels'>): Abilities => ({
	devices: RARE_DEVICES.filter((device) => devices[device]?.available),
	memory: Math.floor((ofJob ?? ofMachine ?? 0) / GIBIBYTE),
	labels: [...labels].sort(),
});

/** Whether a worker can run a job. */
export const fits = ({ device, memory, labels }: Needs, abilities: Abilities): boolean =>
	(device === null || abilities.devices.includes(device)) &&
	memory <= abilities.memory &&
	labels.every((label) => abilities.labels.includes(label));

/** Needs, or abilities, as one line of text: equal ones give the same. */
export const needsText = ({ device, memory, labels }: Needs): string => `${device ?? ''};${memory};${labels.join(',')}`;
export const abilitiesText = ({ devices, memory, labels }: Abilities): string => `${devices.join(',')};${memory};${labels.join(',')}`;

const listIn = (text: string | undefined): string[] => (text ? text.split(',') : []);

/** The needs, or the abilities, that such a line tells. */
export function needsIn(text: string): Needs {
	const [device, memory, labels] = text.split(';');
	return { device: RARE_DEVICES.find((one) => one === device) ?? null, memory: Number(memory), labels: listIn(labels) };
}
export function abilitiesIn(text: string): Abilities {
	const [devices, memory, labels] = text.split(';');
	return { devices: RARE_DEVICES.filter((one) => listIn(devices).includes(one)), memory: Number(memory), labels: listIn(labels) };
}

/** Needs in a few words, such as "cuda, 16 GiB of memory and the label site=berlin"; null where any worker will do. */
export function needsInWords({ device, memory, labels }: Needs): string | null {
	const parts = [
		...(device === null ? [] : [device]),
		...(memory === 0 ? [] : [`${memory} GiB of memory`]),
		...labels.map((label) => `the label ${label}`),
	];
	const last = parts.pop();
	if (last === undefined) return null;
	return parts.length === 0 ? last : `${parts.join(', ')} and ${last}`;
}

/** Why a job with these needs waits for a worker, of all that run jobs; null where one of them has what it needs. */
export function lackOf(needs: Needs, living: readonly { abilities: Abilities; workers: number }[]): JobError | null {
	if (living.some(({ abilities }) => fits(needs, abilities))) return null;
	const wanted = needsInWords(needs);
	const count = living.reduce((sum, { workers }) => sum + workers, 0);
	const alive = count === 0 ? '' : `; ${count} ${count === 1 ? 'is' : 'are'} alive`;
	const param = wanted === null ? null : needs.memory === 0 && needs.labels.length === 0 ? 'device' : 'requires';
	return { code: 'no_worker', message: wanted === null ? 'No worker is alive' : `No living worker has ${wanted}${alive}`, param };
}
