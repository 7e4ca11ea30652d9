import type { JobResource } from '@steelyard/contracts';

const KEPT = 'steelyard.notify';

const wanted = (): string[] => JSON.parse(localStorage.getItem(KEPT) ?? '[]') as string[];

/** Has this browser tell when a job ends, for which it asks the user once. Resolves with whether it may. */
export async function notifyWhenEnded(id: string): Promise<boolean> {
	if (!('Notification' in globalThis)) return false;
	if ((await Notification.requestPermission()) !== 'granted') return false;
	localStorage.setItem(KEPT, JSON.stringify([...new Set([...wanted(), id])]));
	return true;
}

/** Tells of a job that has ended, once, where that was wanted. */
export function noticeOf({ id, status, spec, error }: JobResource): void {
	const left = wanted();
	if (!left.includes(id) || !['succeeded', 'failed', 'cancelled'].includes(status)) return;
	localStorage.setItem(KEPT, JSON.stringify(left.filter((one) => one !== id)));
	const notice = new Notification(`${spec.name ?? id} ${status}`, { tag: id, ...(error === null ? {} : { body: error.message }) });
	notice.onclick = () => {
		window.focus();
		location.hash = `#/jobs/${id}`;
	};
}
