import type { DatasetProfile, DatasetRows, ProblemCode, RowsQuery, TablePreview } from '@steelyard/contracts';

/** An uploaded file: where it is, how its sender called it, what the dataset is called whose manifest gives no name, what was said beside it, and a folder for what is made on the way. */
export type Upload = { path: string; filename: string; name: string; manifest: string | null; label: string | null; work: string };

/** From the API to the reader of datasets: an upload, and an empty folder for the validated arrays; null where it is only to be said how it would be read. */
export type ToReader = Upload & { target: string | null };

/** What was read of a dataset. */
export type ReadDataset = { profile: DatasetProfile; manifest: unknown };

/** Why there is no answer. `failed`: for a reason that does not lie in what was asked, such as a full disk. */
type Failure =
	| { type: 'refused'; code: ProblemCode; message: string; param: string | null }
	| { type: 'failed'; message: string; code: string | undefined; syscall: string | undefined };

/** From the reader to the API, once for each order. */
export type FromReader = ({ type: 'read' } & ReadDataset) | { type: 'previewed'; preview: TablePreview } | Failure;

/** From the API to the reader of rows: where a dataset is, what is known of it, and which of its rows are asked for. */
export type ToRowReader = {
	folder: string;
	profile: Pick<DatasetProfile, 'task' | 'modalities' | 'splits' | 'table'>;
	query: RowsQuery;
};

/** From the reader of rows to the API, once for each order. */
export type FromRowReader = { type: 'rows'; rows: DatasetRows } | Failure;
