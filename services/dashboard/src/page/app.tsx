import { useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentChildren, ComponentType, VNode } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { ConnectionNote } from './live/connection-note.js';
import { type PageProps, pageAt } from './pages.js';
import { askedForKey, KeyDialog } from './parts/key-dialog.js';
import { Problem } from './parts/problem.js';
import { ThemeSwitch } from './parts/theme-switch.js';
import { place } from './router.js';

const MENU = [
	['/', 'Start'],
	['/data', 'Data'],
	['/jobs', 'Jobs'],
	['/sweeps', 'Sweeps'],
	['/compare', 'Compare'],
	['/service', 'Service'],
] as const;

/** The name, the menu and the theme, above every page. */
function Header({ section }: { section: string }): VNode {
	return (
		<header class="top">
			<button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>('main')?.focus()}>
				Skip to the content
			</button>
			<a class="brand" href="#/" aria-label="Steelyard, start">
				<svg viewBox="0 0 32 32" aria-hidden="true" class="brand-mark">
					<path d="M5 13 27 9M12 11.7V7M7 12.7 4.5 19h5zM23 9.8v7" />
					<circle cx="23" cy="20" r="3.6" />
				</svg>
				Steelyard
			</a>
			<nav aria-label="Pages">
				{MENU.map(([path, name]) => (
					<a key={path} href={`#${path}`} aria-current={path === section ? 'page' : undefined}>
						{name}
					</a>
				))}
			</nav>
			<ThemeSwitch />
		</header>
	);
}

/** Says that a page has a fault, in its place. */
function Guarded({ children }: { children: ComponentChildren }): VNode {
	const [error, reset] = useErrorBoundary((fault) => console.error(fault)) as [Error | undefined, () => void];
	return error === undefined ? <>{children}</> : <Problem error={error} title="This page has a fault" again={reset} />;
}

/** The whole page: menu, what must be known of the connection, and the page that the address names. */
export function App(): VNode {
	const shown = useSignal<{ Page: ComponentType<PageProps>; path: string; params: PageProps['params'] } | null>(null);
	const failure = useSignal<Error | null>(null);
	const { path } = place.value;
	const found = pageAt(path);
	useSignalEffect(() => {
		const wanted = pageAt(place.value.path);
		if (wanted === null) return;
		const { path: at } = place.value;
		wanted.page.load().then(
			(Page) => {
				if (place.peek().path !== at) return;
				const moved = shown.peek() !== null && shown.peek()?.path !== at;
				failure.value = null;
				shown.value = { Page, path: at, params: wanted.params };
				// Who came by keyboard goes on reading at the top of the new page.
				if (moved) requestAnimationFrame(() => document.querySelector<HTMLElement>('main')?.focus());
			},
			(error: Error) => {
				failure.value = error;
			},
		);
	});
	const { Page, params, path: shownPath } = shown.value ?? {};
	return (
		<>
			<Header section={found?.page.section ?? ''} />
			<ConnectionNote />
			<main tabIndex={-1}>
				{found === null ? (
					<>
						<h1>There is no such page</h1>
						<p>
							Nothing is at <code>{path}</code>. The <a href="#/">start page</a> leads everywhere.
						</p>
					</>
				) : failure.value !== null ? (
					<Problem error={failure.value} title="This part of the page could not be loaded" again={() => location.reload()} />
				) : Page === undefined || params === undefined ? (
					<p class="quiet" role="status">
						Loading …
					</p>
				) : (
					<Guarded key={shownPath}>
						<Page params={params} />
					</Guarded>
				)}
			</main>
			{askedForKey.value && <KeyDialog />}
		</>
	);
}
