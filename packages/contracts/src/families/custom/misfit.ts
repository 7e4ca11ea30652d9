import { ProblemError } from '../../problems.js';

/** The refusal of an uploaded graph that a job does not fit. */
export const misfit = (message: string, param: string): ProblemError => new ProblemError('invalid_model', message, param);
