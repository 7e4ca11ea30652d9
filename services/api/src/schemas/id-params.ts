import { Type } from 'typebox';

/** The parameter of a path that names one resource. */
export const IdParams = Type.Object({ id: Type.String() });
