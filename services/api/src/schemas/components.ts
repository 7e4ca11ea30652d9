import {
	Artifact,
	AuditLine,
	CallerResource,
	DatasetResource,
	Diagnostics,
	Explanation,
	JobChange,
	JobCurves,
	JobEvent,
	JobLogLine,
	JobRequest,
	JobResource,
	JobSpec,
	KeyRequest,
	KeyResource,
	ModelResource,
	NewKey,
	Problem,
	Readiness,
	Retention,
	Robustness,
	TablePreview,
	UploadChange,
	Usage,
} from '@steelyard/contracts';
import { type Static, Type } from 'typebox';

/** The schemas that the OpenAPI document has under a name of their own. */
export const components = {
	Artifact,
	AuditLine,
	Caller: CallerResource,
	Dataset: DatasetResource,
	Diagnostics,
	Explanation,
	Job: JobResource,
	JobCurves,
	JobChange,
	JobEvent,
	JobLogLine,
	JobRequest,
	JobSpec,
	Key: KeyResource,
	KeyRequest,
	Model: ModelResource,
	NewKey,
	Problem,
	Readiness,
	Retention,
	Robustness,
	TablePreview,
	UploadChange,
	Usage,
};

type Components = typeof components;

/** Refers to a component by its name. The reference has the component's type, so that a handler which answers with another shape does not compile. */
export const ref = <Name extends keyof Components>(name: Name) => Type.Unsafe<Static<Components[Name]>>({ $ref: `${name}#` });
