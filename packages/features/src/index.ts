export type { Featuriser } from './featuriser.js';
export { FEATURISER_FILE, type IngestTableOptions, ingestTable, RECIPE_FILE } from './ingest-table.js';
export { ingestUpload, previewUpload, type Upload } from './ingest-upload.js';
export { INPUTS_KEY, type RawInput, rawModel, readFeaturiser } from './raw-model.js';
