import type { VNode } from 'preact';
import { PageTitle } from '../parts/page-title.js';

export function ServicePage(): VNode {
	return <PageTitle title="ServicePage" />;
}
