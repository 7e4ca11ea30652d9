import { type Artifact, isFinal, type JobResource, MODEL_ARTIFACT, ProblemError } from '@steelyard/contracts';

/** Finds an artifact by its name. Throws ProblemError `artifact_not_ready` if the job may still write it, or ended without a model; else `not_found`. */
export function artifactOf(record: JobResource, name: string): Artifact {
	const artifact = record.artifacts.find((one) => one.name === name);
	if (artifact !== undefined) return artifact;
	if (isFinal(record.status) && name !== MODEL_ARTIFACT)
		throw new ProblemError('not_found', `${record.id} has no artifact ${name}`, 'name');
	throw new ProblemError('artifact_not_ready', `${record.id} is ${record.status} and has no ${name}`, 'name');
}
