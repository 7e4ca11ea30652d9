import type { VNode } from 'preact';
import { PageTitle } from '../parts/page-title.js';

export function StartPage(): VNode {
	return <PageTitle title="StartPage" />;
}
