export { FEATURISER_FILE, type IngestTableOptions, ingestTable } from './ingest-table.js';
export { ingestUpload, previewUpload, type Upload } from './ingest-upload.js';
export { type RawInput, type RawInputs, rawModel, readFeaturiser } from './raw-model.js';
export { type FedRows, rawInputsOf, rawRows } from './raw-rows.js';
