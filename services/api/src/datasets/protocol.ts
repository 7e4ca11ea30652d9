import type { DatasetProfile, ProblemCode } from '@steelyard/contracts';

/** From the API to the reader of datasets: the path of the archive, an empty folder for the validated arrays, and what the dataset is called whose manifest gives no name. */
export type ToReader = { archive: string; target: string; name: string };

/** What was read of a dataset. */
export type ReadDataset = { profile: DatasetProfile; manifest: unknown };

/** From the reader to the API, once for each order. `failed`: for a reason that does not lie in the dataset, such as a full disk. */
export type FromReader =
	| ({ type: 'read' } & ReadDataset)
	| { type: 'refused'; code: ProblemCode; message: string; param: string | null }
	| { type: 'failed'; message: string; code: string | undefined; syscall: string | undefined };
