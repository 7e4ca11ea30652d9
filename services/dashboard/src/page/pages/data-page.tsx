import type { VNode } from 'preact';
import { PageTitle } from '../parts/page-title.js';

export function DataPage(): VNode {
	return <PageTitle title="DataPage" />;
}
