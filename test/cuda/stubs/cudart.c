// The CUDA runtime of one imaginary H100 (sm_90) whose memory is the host's: memory, copies, streams and events work, kernels do nothing.
// Calls that cost time on a device are counted. A function that is not written here is made by stubs.js: it returns 0.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include "counters.h"

typedef struct { unsigned x, y, z; } Dim3;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long next_handle = 0x1000;
static void *handle(void) { return (void *)__atomic_fetch_add(&next_handle, 16, __ATOMIC_RELAXED); }

// ---- memory: what was allocated as what, so that a copy can be told by where it goes
typedef struct { char *at; size_t size; char kind; } Range;
static Range ranges[1 << 16];
static int ranges_used;

static void *allocate(size_t size, char kind, const char *name) {
	void *at = 0;
	if (posix_memalign(&at, 4096, size ? size : 1)) return 0;
	memset(at, 0, size);
	pthread_mutex_lock(&lock);
	int i = 0;
	while (i < ranges_used && ranges[i].at) i++;
	if (i == ranges_used) ranges_used++;
	ranges[i] = (Range){at, size, kind};
	pthread_mutex_unlock(&lock);
	count(name, size);
	return at;
}
static int release(void *at) {
	pthread_mutex_lock(&lock);
	for (int i = 0; i < ranges_used; i++)
		if (ranges[i].at == (char *)at) ranges[i].at = 0;
	pthread_mutex_unlock(&lock);
	free(at);
	return 0;
}
/** 'd' for device memory, 'p' for pinned, 'h' for any other memory of the host. */
static char kind_of(const void *at) {
	char kind = 'h';
	pthread_mutex_lock(&lock);
	for (int i = 0; i < ranges_used; i++)
		if (ranges[i].at && (const char *)at >= ranges[i].at && (const char *)at < ranges[i].at + ranges[i].size) kind = ranges[i].kind;
	pthread_mutex_unlock(&lock);
	return kind;
}

int cudaMalloc(void **out, size_t size) { return (*out = allocate(size, 'd', "allocate: device")) ? 0 : 2; }
int cudaMallocFromPoolAsync(void **out, size_t size, void *pool, void *stream) { return cudaMalloc(out, size); }
int cudaMallocHost(void **out, size_t size) { return (*out = allocate(size, 'p', "allocate: pinned")) ? 0 : 2; }
int cudaHostAlloc(void **out, size_t size, unsigned flags) { return cudaMallocHost(out, size); }
int cudaFree(void *at) { return release(at); }
int cudaFreeAsync(void *at, void *stream) { return release(at); }
int cudaFreeHost(void *at) { return release(at); }
int cudaMemGetInfo(size_t *available, size_t *total) { *available = 79ul << 30; *total = 80ul << 30; return 0; }

// ---- copies; one to or from the host that a kernel follows is counted once more under the name of the kernel
static char pending[64];
static void counted_copy(const void *to, const void *from, size_t size, const char *how) {
	char name[NAME], d = kind_of(to), s = kind_of(from);
	const char *way = d == 'd' ? (s == 'd' ? "device to device" : "host to device") : s == 'd' ? "device to host" : "host to host";
	snprintf(name, sizeof name, "copy: %s%s", way, how);
	count(name, size);
	if (strcmp(way, "device to device")) snprintf(pending, sizeof pending, "%s", way);
}
/** Many numbers on the device are garbage anyway, where kernels do nothing: moving them would only cost time. */
enum { WORTH_MOVING = 1 << 16 };
static void move(void *to, const void *from, size_t size) {
	if (size <= WORTH_MOVING || kind_of(to) != 'd' || kind_of(from) != 'd') memmove(to, from, size);
}
int cudaMemcpy(void *to, const void *from, size_t size, int kind) { counted_copy(to, from, size, ", blocking"); move(to, from, size); return 0; }
int cudaMemcpyAsync(void *to, const void *from, size_t size, int kind, void *stream) { counted_copy(to, from, size, ""); move(to, from, size); return 0; }
int cudaMemcpy2DAsync(char *to, size_t to_pitch, const char *from, size_t from_pitch, size_t width, size_t height, int kind, void *stream) {
	counted_copy(to, from, width * height, "");
	for (size_t i = 0; i < height; i++) memmove(to + i * to_pitch, from + i * from_pitch, width);
	return 0;
}
int cudaMemcpyFromSymbol(void *to, const void *symbol, size_t size, size_t offset, int kind) { memset(to, 0, size); return 0; }
int cudaMemset(void *at, int value, size_t size) { count("memset", size); if (size <= WORTH_MOVING) memset(at, value, size); return 0; }
int cudaMemsetAsync(void *at, int value, size_t size, void *stream) { return cudaMemset(at, value, size); }

// ---- kernels: by their registered names
typedef struct { const void *function; const char *name; } Kernel;
static Kernel kernels[1 << 16];
static Kernel *kernel_of(const void *function) {
	uint32_t i = (uint32_t)((uintptr_t)function >> 4) * 2654435761u >> 16;
	while (kernels[i].function && kernels[i].function != function) i = (i + 1) & 0xffff;
	return kernels + i;
}
static int launched(const void *function) {
	static Entry *all;
	char text[NAME];
	if (!all) all = entry("launch");
	add(all, 0);
	if (pending[0]) {
		const char *name = kernel_of(function)->name;
		snprintf(text, sizeof text, "copied for: %s", name ? name : "?");
		count(text, 0);
		pending[0] = 0;
	}
	return 0;
}
void **__cudaRegisterFatBinary(void *binary) { static void *one; return &one; }
void __cudaRegisterFunction(void **binary, const char *function, char *device, const char *name, int limit, void *a, void *b, void *c, void *d, int *e) {
	*kernel_of(function) = (Kernel){function, name};
}
int __cudaGetKernel(const void **kernel, const void *function) { *kernel = function; return 0; }
static __thread struct { Dim3 grid, block; size_t shared; void *stream; } configuration;
unsigned __cudaPushCallConfiguration(Dim3 grid, Dim3 block, size_t shared, void *stream) {
	configuration.grid = grid, configuration.block = block, configuration.shared = shared, configuration.stream = stream;
	return 0;
}
int __cudaPopCallConfiguration(Dim3 *grid, Dim3 *block, size_t *shared, void **stream) {
	*grid = configuration.grid, *block = configuration.block, *shared = configuration.shared, *stream = configuration.stream;
	return 0;
}
int cudaLaunchKernel(const void *function, Dim3 grid, Dim3 block, void **arguments, size_t shared, void *stream) { return launched(function); }
int __cudaLaunchKernel(const void *function, Dim3 grid, Dim3 block, void **arguments, size_t shared, void *stream) { return launched(function); }
int cudaLaunchKernelExC(const void *configuration, const void *function, void **arguments) { return launched(function); }
int cudaFuncGetAttributes(void *out, const void *function) {
	int *at = memset(out, 0, 144);
	at[6] = 1024, at[7] = 32, at[8] = 90, at[9] = 90, at[11] = 227 << 10; // threads, registers, PTX, binary, shared bytes
	return 0;
}
int cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, const void *function, int size, size_t shared, unsigned flags) { *blocks = 2; return 0; }
int cudaLibraryLoadData(void **library) { *library = handle(); return 0; }
int cudaLibraryGetKernel(void **kernel) { *kernel = handle(); return 0; }
int cudaLaunchHostFunc(void *stream, void (*function)(void *), void *data) { count("host function", 0); function(data); return 0; }

// ---- streams and events
int cudaStreamCreate(void **stream) { *stream = handle(); return 0; }
int cudaStreamCreateWithFlags(void **stream, unsigned flags) { return cudaStreamCreate(stream); }
int cudaStreamSynchronize(void *stream) { count("wait: stream", 0); return 0; }
int cudaDeviceSynchronize(void) { count("wait: device", 0); return 0; }
int cudaEventSynchronize(void *event) { count("wait: event", 0); return 0; }
int cudaEventCreate(void **event) { *event = handle(); return 0; }
int cudaEventCreateWithFlags(void **event, unsigned flags) { return cudaEventCreate(event); }
int cudaEventElapsedTime(float *ms, void *a, void *b) { *ms = 1; return 0; }
int cudaStreamIsCapturing(void *stream, int *status) { *status = 0; return 0; }
int cudaMemPoolCreate(void **pool) { *pool = handle(); return 0; }
int cudaMemPoolGetAttribute(void *pool, int attribute, uint64_t *value) { *value = 0; return 0; }

// ---- the device
int cudaGetDeviceCount(int *n) { *n = 1; return 0; }
int cudaGetDevice(int *device) { *device = 0; return 0; }
int cudaDriverGetVersion(int *version) { *version = 13000; return 0; }
int cudaRuntimeGetVersion(int *version) { *version = 13000; return 0; }
const char *cudaGetErrorName(int error) { return error ? "cudaErrorStub" : "cudaSuccess"; }
const char *cudaGetErrorString(int error) { return error ? "an error of the stub" : "no error"; }
int cudaDeviceGetAttribute(int *value, int attribute, int device) {
	switch (attribute) {
	case 1: case 2: case 3: *value = 1024; break; // threads of a block, in x, in y
	case 4: *value = 64; break;
	case 5: *value = 2147483647; break; // blocks of a grid
	case 6: case 7: *value = 65535; break;
	case 8: *value = 48 << 10; break; // shared memory of a block
	case 10: *value = 32; break; // warp
	case 12: case 82: *value = 65536; break; // registers
	case 16: *value = 132; break; // multiprocessors
	case 38: *value = 50 << 20; break; // L2
	case 39: *value = 2048; break; // threads of a multiprocessor
	case 75: *value = 9; break; // compute capability
	case 76: *value = 0; break;
	case 81: *value = 228 << 10; break;
	case 97: *value = 227 << 10; break; // shared memory of a block that asks for it
	case 106: *value = 32; break;
	case 95: case 115: *value = 1; break; // cooperative launch, memory pools
	default: *value = 0;
	}
	return 0;
}
int cudaGetDeviceProperties(char *out, int device) { // offsets of CUDA 13.0's cudaDeviceProp, of 1008 bytes
	memset(out, 0, 1008);
	strcpy(out, "NVIDIA H100 (stub)");
#define INT(offset, value) *(int *)(out + offset) = value
#define SIZE(offset, value) *(size_t *)(out + offset) = value
	SIZE(288, 80ul << 30); SIZE(296, 48 << 10); INT(304, 65536); INT(308, 32); SIZE(312, 2147483647); INT(320, 1024);
	INT(324, 1024); INT(328, 1024); INT(332, 64); INT(336, 2147483647); INT(340, 65535); INT(344, 65535); SIZE(352, 65536);
	INT(360, 9); INT(364, 0); INT(384, 132); INT(392, 1); INT(560, 1); INT(584, 3); INT(588, 1); INT(592, 5120); INT(596, 50 << 20);
	INT(604, 2048); INT(608, 1); INT(612, 1); INT(616, 1); SIZE(624, 228 << 10); INT(632, 65536); INT(636, 1); INT(656, 1); INT(668, 1);
	SIZE(672, 227 << 10); INT(688, 32); SIZE(696, 1024); INT(720, 1);
	return 0;
}
int cudaGetDriverEntryPointByVersion(const char *name, void **function, unsigned version, unsigned long long flags, int *status) {
	*function = dlsym(RTLD_DEFAULT, name);
	if (status) *status = *function ? 0 : 1;
	return 0;
}
