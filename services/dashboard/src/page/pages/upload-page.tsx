import type { VNode } from 'preact';
import { PageTitle } from '../parts/page-title.js';

export function UploadPage(): VNode {
	return <PageTitle title="UploadPage" />;
}
