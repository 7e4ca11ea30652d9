/** ONNX models as bytes (opset 18), so that these tests need no encoder. */
const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));

/** y = x + x for x [2, 2] */
export const doubling = bytesOf('CAg6PwoQCgF4CgF4EgF5IgNBZGQ6ABIBZ1oTCgF4Eg4KDAgBEggKAggCCgIIAmITCgF5Eg4KDAgBEggKAggCCgIIAkIECgAQEg==');

/** total' = total + factor·x, count' = count + 1, mean = total' / float(count') */
export const accumulating = bytesOf(
	'CAg69AIKKQoGZmFjdG9yEgFmIglSZWR1Y2VTdW0qDwoIa2VlcGRpbXMYAKABAjoAChEKAXgKAWYSAmZ4IgNNdWw6AAoeCgV0b3RhbAoCZngSCnRvdGFsX25leHQiA0FkZDoACh8KBWNvdW50CgNvbmUSCmNvdW50X25leHQiA0FkZDoACiMKCmNvdW50X25leHQSAmNmIgRDYXN0KgkKAnRvGAGgAQI6AAodCgp0b3RhbF9uZXh0CgJjZhIEbWVhbiIDRGl2OgASAWcqChAHOgEBQgNvbmVaFwoFdG90YWwSDgoMCAESCAoCCAEKAggDWg8KBWNvdW50EgYKBAgHEgBaEwoBeBIOCgwIARIICgIIAQoCCANaFQoGZmFjdG9yEgsKCQgBEgUKAxIBS2IcCgp0b3RhbF9uZXh0Eg4KDAgBEggKAggBCgIIA2IUCgpjb3VudF9uZXh0EgYKBAgHEgBiFgoEbWVhbhIOCgwIARIICgIIAQoCCANCBAoAEBI=',
);

/** y = −x for x [batch, 3] of int64; flag = x > 0 */
export const symbolic = bytesOf(
	'CAg6jAEKDQoBeBIBeSIDTmVnOgAKGgoBeAoEemVybxIEZmxhZyIHR3JlYXRlcjoAEgFnKgsQBzoBAEIEemVyb1oYCgF4EhMKEQgHEg0KBxIFYmF0Y2gKAggDYhgKAXkSEwoRCAcSDQoHEgViYXRjaAoCCANiGwoEZmxhZxITChEICRINCgcSBWJhdGNoCgIIA0IECgAQEg==',
);

/** y = x reshaped to the shape s, which must fit */
export const reshaping = bytesOf(
	'CAg6UwoUCgF4CgFzEgF5IgdSZXNoYXBlOgASAWdaEAoBeBILCgkIARIFCgMSAU5aDwoBcxIKCggIBxIECgIIAmIVCgF5EhAKDggBEgoKAxIBQQoDEgFCQgQKABAS',
);

/** y = x repeated to the shape s */
export const expanding = bytesOf(
	'CAg6UgoTCgF4CgFzEgF5IgZFeHBhbmQ6ABIBZ1oQCgF4EgsKCQgBEgUKAxIBTloPCgFzEgoKCAgHEgQKAggCYhUKAXkSEAoOCAESCgoDEgFBCgMSAUJCBAoAEBI=',
);

/** uses an operator that does not exist */
export const unknownOperator = bytesOf('CAg6OwoUCgF4EgF5IgpGcm9ibmljYXRlOgASAWdaDwoBeBIKCggIARIECgIIAmIPCgF5EgoKCAgBEgQKAggCQgQKABAS');
