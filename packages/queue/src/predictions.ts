import { createHash, randomUUID } from 'node:crypto';
import { type JobError, type ProblemCode, ProblemError } from '@steelyard/contracts';
import type { Log } from '@steelyard/redis';
import type { Redis, RedisOptions } from 'ioredis';
import type { Keys } from './keys.js';
import { within } from './or-unavailable.js';
import type { PredictionOrder, Predictions, Work, Workers } from './queue.js';
import { type Subscriber, subscribe } from './subscriber.js';

/** Milliseconds between two looks whether the worker that was asked is still there. */
const LOOK_EVERY = 2000;
/** The most milliseconds that a worker which is there may take. */
const LONGEST = 120_000;

/** The most milliseconds that it may take to be heard by Redis. */
const LONGEST_SUBSCRIBE = 8000;

/** A message: what is said of it, as one line of JSON, and its bytes. */
const framed = (header: object, body: Uint8Array): Buffer => Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]);

function unframed<Header>(message: Buffer): { header: Header; body: Buffer } {
	const end = message.indexOf(0x0a);
	return { header: JSON.parse(message.toString('utf8', 0, end)) as Header, body: message.subarray(end + 1) };
}

type Question = Omit<PredictionOrder, 'body'> & { id: string; answers: string };
type Answer = { id: string; error: JobError | null };

/** Workers in the order in which they are asked about a job: the same as long as they are the same, so that one of them keeps its model at hand. */
export function byPreference(workers: readonly { id: string }[], job: string): string[] {
	const ranked = workers.map(({ id }) => ({ id, rank: createHash('sha1').update(`${job} ${id}`).digest('hex') }));
	return ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ id }) => id);
}

type Parts = { redis: Redis; options: RedisOptions; keys: Keys; workers: Pick<Workers, 'list'>; log: Log };
type Waiting = { resolve(answer: Buffer | null): void; reject(error: Error): void };

/** Opens the side that asks. `own` names its process. */
function openAsking({ redis, options, keys, workers }: Parts, own: string): { ask: Predictions['ask']; close(): void } {
	const waiting = new Map<string, Waiting>();
	let subscriber: Subscriber | null = null;

	const begin = (): Subscriber =>
		subscribe(options, {
			channels: [keys.answers(own)],
			message(message) {
				const { header, body } = unframed<Answer>(message);
				const { id, error } = header;
				if (error === null) waiting.get(id)?.resolve(body);
				else waiting.get(id)?.reject(new ProblemError(error.code as ProblemCode, error.message, error.param));
			},
			ready() {
				const lost = new ProblemError('unavailable', 'The connection to Redis broke while the answer was on its way');
				for (const { reject } of waiting.values()) reject(lost);
			},
		});

	/** Waits for the answer to a question; null where the worker is gone. */
	async function answerTo(id: string, worker: string, send: () => Promise<boolean>): Promise<Buffer | null> {
		let late: NodeJS.Timeout | undefined;
		const answer = new Promise<Buffer | null>((resolve, reject) => {
			waiting.set(id, { resolve, reject });
			late = setTimeout(() => reject(new ProblemError('unavailable', `The worker has not answered for ${LONGEST / 1000} s`)), LONGEST);
		});
		answer.catch(() => {});
		const look = async () => (await redis.exists(keys.worker(worker))) === 0 && waiting.get(id)?.resolve(null);
		const looking = setInterval(() => look().catch(() => {}), LOOK_EVERY);
		try {
			return (await send()) ? await answer : null;
		} finally {
			waiting.delete(id);
			clearInterval(looking);
			clearTimeout(late);
		}
	}

	async function ask({ body, ...order }: PredictionOrder): Promise<Buffer> {
		const living = await workers.list();
		await within(LONGEST_SUBSCRIBE, (subscriber ??= begin()).subscribed);
		for (const worker of byPreference(living, order.job)) {
			const id = randomUUID();
			const question = framed({ ...order, id, answers: keys.answers(own) } satisfies Question, body);
			const answer = await answerTo(id, worker, async () => (await redis.publish(keys.questions(worker), question)) > 0);
			if (answer !== null) return answer;
		}
		throw new ProblemError('unavailable', 'No worker is there that could predict');
	}

	return { ask: (order) => within(null, ask(order)), close: () => subscriber?.close() };
}

/** Answers what a worker is asked until it is closed, which waits for what is at hand. */
async function answerQuestions(
	{ redis, options, keys, log }: Parts,
	worker: string,
	answer: (order: PredictionOrder) => Promise<string>,
): Promise<Work> {
	const running = new Set<Promise<void>>();

	async function take(message: Buffer): Promise<void> {
		const { header, body } = unframed<Question>(message);
		const { id, answers, ...order } = header;
		const reply = (error: JobError | null, text: string) =>
			redis.publish(answers, framed({ id, error } satisfies Answer, Buffer.from(text)));
		try {
			await reply(null, await answer({ ...order, body }));
		} catch (error) {
			if (!(error instanceof ProblemError)) log.error({ err: error, job: order.job }, 'a prediction failed');
			const { code, message: words, param } = error instanceof ProblemError ? error : new ProblemError('internal', 'Something went wrong');
			await reply({ code, message: words, param }, '');
		}
	}

	const subscriber = subscribe(options, {
		channels: [keys.questions(worker)],
		message(message) {
			const taken = take(message).catch((error: unknown) => log.warn({ err: error }, 'an answer could not be sent'));
			running.add(taken);
			void taken.finally(() => running.delete(taken));
		},
		ready() {},
	});
	await subscriber.subscribed;
	return {
		async close(graceMs) {
			subscriber.close();
			await within(graceMs, Promise.all(running)).catch(() => {});
		},
	};
}

/** Opens the predictions: questions and answers as messages between processes. The connections that hear them are made when somebody first asks or works. */
export function openPredictions(parts: Parts): Predictions & { close(): void } {
	const { ask, close } = openAsking(parts, randomUUID());
	return { ask, close, work: (worker, answer) => answerQuestions(parts, worker, answer) };
}
