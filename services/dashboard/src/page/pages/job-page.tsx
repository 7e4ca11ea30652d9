import type { VNode } from 'preact';
import { PageTitle } from '../parts/page-title.js';

export function JobPage(): VNode {
	return <PageTitle title="JobPage" />;
}
