/** The element types of canonical arrays: how `.npy` headers write them, and the typed array that holds them. */
const TYPES = {
	float32: { descr: '<f4', Array: Float32Array },
	int8: { descr: '|i1', Array: Int8Array },
	int16: { descr: '<i2', Array: Int16Array },
	int32: { descr: '<i4', Array: Int32Array },
	int64: { descr: '<i8', Array: BigInt64Array },
	uint8: { descr: '|u1', Array: Uint8Array },
	uint16: { descr: '<u2', Array: Uint16Array },
	uint32: { descr: '<u4', Array: Uint32Array },
	uint64: { descr: '<u8', Array: BigUint64Array },
	bool: { descr: '|b1', Array: Uint8Array },
} as const;

export type CanonicalType = keyof typeof TYPES;

type Arrays = {
	float32: Float32Array;
	int8: Int8Array;
	int16: Int16Array;
	int32: Int32Array;
	int64: BigInt64Array;
	uint8: Uint8Array;
	uint16: Uint16Array;
	uint32: Uint32Array;
	uint64: BigUint64Array;
	bool: Uint8Array;
};

/** The typed array that holds the elements of a type. */
export type ArrayOf<T extends CanonicalType> = Arrays[T];

/** Elements of some canonical type; those of bool are 0 and 1 in a Uint8Array, those of 64 bits bigint. */
export type CanonicalArray = ArrayOf<CanonicalType>;

/** How the header of an `.npy` file writes a type. */
export const descrOf = (type: CanonicalType): string => TYPES[type].descr;

/** The class of the typed array of a type. */
export const arrayTypeOf = <T extends CanonicalType>(type: T): (new (length: number) => ArrayOf<T>) =>
	TYPES[type].Array as unknown as new (
		length: number,
	) => ArrayOf<T>;

/** Bytes per element. */
export const widthOf = (type: CanonicalType): number => TYPES[type].Array.BYTES_PER_ELEMENT;
