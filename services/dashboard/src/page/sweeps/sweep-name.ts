import type { SweepResource } from '@steelyard/contracts';
import { shortId } from '../format.js';

/** What a sweep is called: by its name, else by the end of its id. */
export const sweepName = ({ spec, id }: Pick<SweepResource, 'spec' | 'id'>): string => spec.name ?? `Sweep ${shortId(id)}`;
