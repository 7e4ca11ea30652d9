import { type IdKind, isId } from '@steelyard/contracts';
import type { Store } from './store.js';

// Where everything that the service keeps has its key in the store; the data folder holds `redis/`, `lock/` and `logs/` beside it. No other file spells a
// key out.

/** A dataset: a folder with its validated arrays, which appears as a whole and has vanished once its `record` is gone. */
export const datasetKeys = {
	folder: (id: string) => `datasets/${id}`,
	record: (id: string) => `datasets/${id}/dataset.json`,
	/** The part of its record that lists show. */
	listed: (id: string) => `datasets/${id}/listed.json`,
	/** Its name and its metadata, where they were changed since. */
	naming: (id: string) => `datasets/${id}/naming.json`,
};

/** An uploaded model: a folder with its `graph` and `record`, which appears as a whole and has vanished once its `record` is gone. */
export const modelKeys = {
	folder: (id: string) => `models/${id}`,
	record: (id: string) => `models/${id}/model.json`,
	graph: (id: string) => `models/${id}/model.onnx`,
	/** Its name and its metadata, where they were changed since. */
	naming: (id: string) => `models/${id}/naming.json`,
	/** What its inspection came to; written once. */
	verdict: (id: string) => `models/${id}/report.json`,
	/** The folder of the notes on its inspections, which goes when there is a verdict. */
	inspections: (id: string) => `models/${id}/attempts`,
	/** A note on its inspection number `attempt`, counted from 1. */
	inspection: (id: string, attempt: number) => `models/${id}/attempts/${attempt}.json`,
};

/** Whether a key is that of a naming, which alone of the files in the folder of a dataset or a model changes. */
export const isNaming = (key: string): boolean => key.endsWith('/naming.json');

/** A job, and its attempts, counted from 1, each of which writes in a folder of its own. */
export const jobKeys = {
	folder: (id: string) => `jobs/${id}`,
	/** The copy of its record in Redis. */
	record: (id: string) => `jobs/${id}/job.json`,
	/** The idempotency key that it was posted with, and the hash of its body; before the record, and only where there was a key. */
	request: (id: string) => `jobs/${id}/request.json`,
	/** What ends it; written once. */
	result: (id: string) => `jobs/${id}/result.json`,
	/** Its events, one JSON object per line, written when it has ended. */
	events: (id: string) => `jobs/${id}/events.jsonl`,
	/** The folder of the logs of its attempts, which stay when what the attempts made goes. */
	logs: (id: string) => `jobs/${id}/logs`,
	/** What was logged of an attempt, one JSON object per line. */
	log: (id: string, attempt: number) => `jobs/${id}/logs/${attempt}.jsonl`,
	attempts: (id: string) => `jobs/${id}/attempts`,
	/** The folder in which the trainer of an attempt writes. */
	attempt: (id: string, attempt: number) => `jobs/${id}/attempts/${attempt}`,
	artifact: (id: string, attempt: number, name: string) => `jobs/${id}/attempts/${attempt}/${name}`,
	/** The folder of an attempt's checkpoints, which the trainer names so in the folder that it is given. */
	checkpoints: (id: string, attempt: number) => `jobs/${id}/attempts/${attempt}/checkpoints`,
	/** Whether a key is below such a folder. */
	isCheckpoint: (key: string) => /^jobs\/[^/]+\/attempts\/\d+\/checkpoints\//.test(key),
};

/** A sweep: a folder of what is decided and what came of it, each in a file that is written once, beside the `record` and what its user wants of it. It has vanished once its `record` is gone. */
export const sweepKeys = {
	folder: (id: string) => `sweeps/${id}`,
	/** What was asked for; written once. */
	record: (id: string) => `sweeps/${id}/sweep.json`,
	/** Whether its user has paused or cancelled it; not there before. */
	wish: (id: string) => `sweeps/${id}/wish.json`,
	/** How it ended; written once. */
	end: (id: string) => `sweeps/${id}/end.json`,
	/** Decision `number`, from 0, with the id of its job; written once. */
	decision: (id: string, number: number) => `sweeps/${id}/decisions/${number}.json`,
	/** What came of it; written once. */
	outcome: (id: string, number: number) => `sweeps/${id}/outcomes/${number}.json`,
};

/** A key of the API: a folder with its `record`, without which the key is not valid. */
export const keyKeys = {
	folder: (id: string) => `keys/${id}`,
	/** What is known of it, with the salted hash of its secret. */
	record: (id: string) => `keys/${id}/key.json`,
	/** When it was last used. */
	used: (id: string) => `keys/${id}/used.json`,
};

/** The webhook of a project, with the secret that signs its notices. */
export const webhookKeys = {
	record: (project: string) => `webhooks/${project}.json`,
};

/** The audit log: files of JSON lines, whose names sort by time. */
export const auditKeys = {
	all: () => 'audit',
	file: (name: string) => `audit/${name}.jsonl`,
};

/** The folders directly in the store: one for each kind of resource, and one for folders of what is not whole yet, which are cleared when they are an hour old. `audit` lies beside them. */
export const folders = {
	ds: 'datasets',
	job: 'jobs',
	key: 'keys',
	mdl: 'models',
	swp: 'sweeps',
	uploads: 'uploads',
} as const satisfies Record<IdKind | 'uploads', string>;

/** The last name of every folder directly below a prefix. */
async function folderNames(store: Store, prefix: string): Promise<string[]> {
	const keys = await store.list(prefix, { deep: false });
	return keys.flatMap((key) => (key.endsWith('/') ? [key.slice(prefix.length + 1, -1)] : []));
}

/** The ids of one kind that have a folder in the store, oldest first. */
export async function listIds(store: Store, kind: IdKind): Promise<string[]> {
	return (await folderNames(store, folders[kind])).filter((name) => isId(kind, name));
}

/** The attempts of a job that have a folder in the store, newest first. */
export async function listAttempts(store: Store, id: string): Promise<number[]> {
	const names = await folderNames(store, jobKeys.attempts(id));
	return names
		.filter((name) => /^[1-9]\d*$/.test(name))
		.map(Number)
		.sort((a, b) => b - a);
}

/** The attempts of a job that have a log in the store, oldest first. */
export async function listLogs(store: Store, id: string): Promise<number[]> {
	const keys = await store.list(jobKeys.logs(id), { deep: false });
	return keys
		.flatMap((key) => /\/([1-9]\d*)\.jsonl$/.exec(key)?.[1] ?? [])
		.map(Number)
		.sort((a, b) => a - b);
}
