import { Type } from 'typebox';

/** A part of a path. The router knows no longer ones. */
export const PathPart = Type.String({ maxLength: 256 });

/** The parameter of a path that names one resource. */
export const IdParams = Type.Object({ id: PathPart });
