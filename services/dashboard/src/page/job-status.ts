import type { JobResource } from '@steelyard/contracts';

const ENDED: ReadonlySet<JobResource['status']> = new Set(['succeeded', 'failed', 'cancelled']);

/** Whether nothing more happens to a job, unless it is resumed. */
export const hasEnded = ({ status }: Pick<JobResource, 'status'>): boolean => ENDED.has(status);

/** What a job is called: by its name, else by its id. */
export const nameOf = ({ spec, id }: Pick<JobResource, 'spec' | 'id'>): string => spec.name ?? id;
