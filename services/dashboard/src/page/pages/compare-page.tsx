import type { VNode } from 'preact';
import { PageTitle } from '../parts/page-title.js';

export function ComparePage(): VNode {
	return <PageTitle title="ComparePage" />;
}
