export type { CanonicalArray } from './canonical-type.js';
export { type Dataset, type OpenOptions, openDataset, type Split } from './dataset.js';
export { foldsOf } from './folds.js';
export { type IngestOptions, ingest } from './ingest.js';
export { DEFAULT_LIMITS, type Limits } from './limits.js';
export { type NpyWriter, openNpyWriter } from './npy-writer.js';
export { type NumberTable, readNumberTable, writeNumberTable } from './number-table.js';
export { type FeatureMoments, featureMoments, type Standardisation, standardisation } from './standardisation.js';
export { type CuttableRows, heldOut, type RowSet, type TrainingRows, trainingRows } from './training-rows.js';
