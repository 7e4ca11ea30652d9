import { type Static, type TSchema, Type } from 'typebox';
import { custom } from './custom/custom.js';
import type { Family } from './family.js';
import { fuseMoe } from './fuse-moe.js';
import { mlpFusion } from './mlp-fusion.js';
import { mmimMoe } from './mmim-moe.js';

/** Every family that a job can name; the first is the one of a job that names none. */
const FAMILIES = [mlpFusion, mmimMoe, fuseMoe, custom] as const;

type SchemasOf<Families extends ReadonlyArray<{ schema: TSchema }>> = { -readonly [I in keyof Families]: Families[I]['schema'] };

/** The model of a job: a built-in family by its config, or an uploaded graph. */
export const ModelConfig = Type.Union(FAMILIES.map(({ schema }) => schema) as SchemasOf<typeof FAMILIES>, {
	default: {},
	discriminator: { propertyName: 'family' },
	description: 'what is trained: a built-in family, or a graph of your own',
});
export type ModelConfig = Static<typeof ModelConfig>;

/** The family that a config belongs to. */
export const familyOf = ({ family }: ModelConfig): Family => FAMILIES.find(({ name }) => name === family) as Family;
