import type { ComponentType } from 'preact';
import { match } from './address.js';

/** What a page is given: the parameters of its path. */
export type PageProps = { readonly params: Readonly<Record<string, string>> };

type Page = {
	/** The path, in which `:id` stands for a parameter. */
	readonly path: string;
	/** The entry of the menu that leads to it. */
	readonly section: string;
	/** Loads its code, which is not loaded before it is needed. */
	readonly load: () => Promise<ComponentType<PageProps>>;
};

/** All pages. A page is a component in a file of its own. */
const PAGES: readonly Page[] = [
	{ path: '/', section: '/', load: async () => (await import('./pages/start-page.js')).StartPage },
	{ path: '/data', section: '/data', load: async () => (await import('./pages/data-page.js')).DataPage },
	{ path: '/data/new', section: '/data', load: async () => (await import('./pages/upload-page.js')).UploadPage },
	{ path: '/data/:id', section: '/data', load: async () => (await import('./pages/dataset-page.js')).DatasetPage },
	{ path: '/jobs', section: '/jobs', load: async () => (await import('./pages/jobs-page.js')).JobsPage },
	{ path: '/jobs/new', section: '/jobs', load: async () => (await import('./pages/new-job-page.js')).NewJobPage },
	{ path: '/jobs/:id', section: '/jobs', load: async () => (await import('./pages/job-page.js')).JobPage },
	{ path: '/jobs/:id/try', section: '/jobs', load: async () => (await import('./pages/try-page.js')).TryPage },
	{ path: '/sweeps', section: '/sweeps', load: async () => (await import('./pages/sweeps-page.js')).SweepsPage },
	{ path: '/sweeps/new', section: '/sweeps', load: async () => (await import('./pages/new-sweep-page.js')).NewSweepPage },
	{ path: '/sweeps/:id', section: '/sweeps', load: async () => (await import('./pages/sweep-page.js')).SweepPage },
	{ path: '/compare', section: '/compare', load: async () => (await import('./pages/compare-page.js')).ComparePage },
	{ path: '/service', section: '/service', load: async () => (await import('./pages/service-page.js')).ServicePage },
];

/** The page at a path with its parameters; null where there is none. */
export function pageAt(path: string): { page: Page; params: Record<string, string> } | null {
	for (const page of PAGES) {
		const params = match(page.path, path);
		if (params !== null) return { page, params };
	}
	return null;
}
