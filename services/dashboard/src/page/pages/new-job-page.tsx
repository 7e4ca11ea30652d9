import type { VNode } from 'preact';
import { PageTitle } from '../parts/page-title.js';

export function NewJobPage(): VNode {
	return <PageTitle title="NewJobPage" />;
}
