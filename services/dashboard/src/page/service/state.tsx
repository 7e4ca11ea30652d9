import type { CallerResource, Readiness } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { bytes, moment } from '../format.js';
import { Facts } from '../parts/facts.js';

/** How a Redis came to be there. */
const KINDS: Readonly<Record<string, string>> = {
	url: 'the one that REDIS_URL names',
	binary: 'one that the service started',
	javascript: 'one that the service started, written in JavaScript',
	embedded: 'one that the service started',
};

const sign = (isOk: boolean): VNode => (
	<span class={`status ${isOk ? 'succeeded' : 'failed'}`}>
		<span aria-hidden="true">{isOk ? '✓' : '✕'}</span> {isOk ? 'works' : 'does not work'}
	</span>
);

/** Whether the service can take jobs and keep their results, and who asks. */
export function State({ ready, caller, version }: { ready: Readiness; caller: CallerResource; version: string | null }): VNode {
	const { redis, store } = ready;
	const rows: readonly [string, VNode | string][] = [
		[
			'Service',
			<span class={`status ${ready.ready ? 'succeeded' : 'failed'}`}>
				<span aria-hidden="true">{ready.ready ? '✓' : '✕'}</span> {ready.ready ? 'ready to take jobs' : 'not ready: it takes no jobs'}
			</span>,
		],
		['Version', version ?? '…'],
		[
			'Redis',
			<>
				{sign(redis.ok)}
				{redis.version !== null && `, ${redis.version}`}, {KINDS[redis.kind] ?? redis.kind}
				{redis.eviction_policy !== null && `, eviction ${redis.eviction_policy}`}
				{redis.note !== null && <p class="note warn">{redis.note}</p>}
			</>,
		],
		[
			'Data folder',
			<>
				{sign(store.ok)}, {bytes(store.free_bytes)} free
				{store.note !== null && <p class="note warn">{store.note}</p>}
			</>,
		],
		[
			'You',
			caller.key === null
				? `no key is needed; project ${caller.project}`
				: `key ${caller.name ?? 'STEELYARD_API_KEY'}, scope ${caller.scope}, project ${caller.project}${
						caller.expires_at === null ? '' : `, valid until ${moment(caller.expires_at)}`
					}`,
		],
	];
	return <Facts rows={rows} />;
}
