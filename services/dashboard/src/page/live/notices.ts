import { computed, signal } from '@preact/signals';
import type { JobResource } from '@steelyard/contracts';

const KEPT = 'steelyard.notify';

function kept(): string[] {
	try {
		const value: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '[]');
		return Array.isArray(value) ? value.filter((id) => typeof id === 'string') : [];
	} catch {
		return [];
	}
}

const wanted = signal<readonly string[]>(kept());

function want(ids: readonly string[]): void {
	localStorage.setItem(KEPT, JSON.stringify(ids));
	wanted.value = ids;
}

/** Whether this browser is to tell when some job ends, for which the page follows the jobs also where nobody sees it. */
export const hasNotices = computed(() => wanted.value.length > 0);

/** Has this browser tell when a job ends, for which it asks the user once. Resolves with whether it may. */
export async function notifyWhenEnded(id: string): Promise<boolean> {
	if (!('Notification' in globalThis)) return false;
	if ((await Notification.requestPermission()) !== 'granted') return false;
	want([...new Set([...kept(), id])]);
	return true;
}

/** Tells of a job that has ended, once, where that was wanted. */
export function noticeOf({ id, status, spec, error }: JobResource): void {
	const left = kept();
	if (!left.includes(id) || !['succeeded', 'failed', 'cancelled'].includes(status)) return;
	want(left.filter((one) => one !== id));
	const notice = new Notification(`${spec.name ?? id} ${status}`, { tag: id, ...(error === null ? {} : { body: error.message }) });
	notice.onclick = () => {
		window.focus();
		location.hash = `#/jobs/${id}`;
	};
}
