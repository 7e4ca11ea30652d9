/** Whether a message of Node.js, of the C++ library or of ONNX Runtime says that memory could not be had. */
export const isOutOfMemory = (message: string): boolean =>
	/array buffer allocation failed|bad_alloc|bad allocation|failed to allocate memory|cannot allocate memory|out of memory/i.test(message);
