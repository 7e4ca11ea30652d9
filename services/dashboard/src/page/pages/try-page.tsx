import type { VNode } from 'preact';
import { PageTitle } from '../parts/page-title.js';

export function TryPage(): VNode {
	return <PageTitle title="TryPage" />;
}
