import type { VNode } from 'preact';
import { PageTitle } from '../parts/page-title.js';

export function JobsPage(): VNode {
	return <PageTitle title="JobsPage" />;
}
