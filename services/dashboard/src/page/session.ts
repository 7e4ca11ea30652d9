import { computed, signal } from '@preact/signals';
import { type Client, createClient, type ErrorCode, SteelyardError } from '@steelyard/client';

const KEY = 'steelyard.key';
const PROJECT = 'steelyard.project';

/** The token of the key that requests carry. It is kept until the tab is closed, and nowhere else. */
const token = signal(sessionStorage.getItem(KEY));
/** The project that an admin works in; null for that of the key, or the default one. */
const chosenProject = signal(sessionStorage.getItem(PROJECT));

const keep = (name: string, value: string | null): void => {
	if (value === null) sessionStorage.removeItem(name);
	else sessionStorage.setItem(name, value);
};

/** Uses another key from now on; null forgets the one that was used. */
export function useKey(value: string | null): void {
	keep(KEY, value);
	token.value = value;
}

/** Works in another project from now on; null for the default one. */
export function useProject(value: string | null): void {
	keep(PROJECT, value);
	chosenProject.value = value;
}

/** Whether the page has a key. */
export const hasKey = computed(() => token.value !== null);
export const project = computed(() => chosenProject.value);

/** The address of the service, without a slash at its end: this page lies at its root. */
export const serviceUrl = new URL('.', location.href.replace(/[#?].*$/, '')).href.replace(/\/$/, '');

/** The client of the service that has served this page, with the key and the project of the session. */
export const client = computed<Client>(() =>
	createClient({
		url: serviceUrl,
		...(token.value === null ? {} : { apiKey: token.value }),
		...(chosenProject.value === null ? {} : { project: chosenProject.value }),
	}),
);

/** What the service answers under a path that is not of its resources, such as `openapi.json`, as JSON. Throws SteelyardError where it refuses. */
export async function fetchDocument<T>(path: string, signal: AbortSignal): Promise<T> {
	const headers: Record<string, string> = token.value === null ? {} : { authorization: `Bearer ${token.value}` };
	const response = await fetch(`${serviceUrl}/${path}`, { headers, signal });
	if (response.ok) return (await response.json()) as T;
	const { code, detail } = (await response.json().catch(() => ({}))) as { code?: ErrorCode; detail?: string };
	throw new SteelyardError(code ?? 'unexpected_answer', detail ?? `${path} was answered with ${response.status}`, response.status);
}
