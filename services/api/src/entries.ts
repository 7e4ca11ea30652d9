import { fileURLToPath } from 'node:url';
import { bundled } from '@steelyard/service-process';

// The programs of the processes that the API starts, by paths that hold from `src` as well as from `dist` and from `bundle`.
export const READ_ENTRY = bundled(fileURLToPath(new URL('../dist/datasets/read-child.js', import.meta.url)));
export const ROWS_ENTRY = bundled(fileURLToPath(new URL('../dist/datasets/rows-child.js', import.meta.url)));
