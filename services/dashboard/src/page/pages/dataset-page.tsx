import type { VNode } from 'preact';
import { PageTitle } from '../parts/page-title.js';

export function DatasetPage(): VNode {
	return <PageTitle title="DatasetPage" />;
}
