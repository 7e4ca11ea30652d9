// cuBLAS without arithmetic; calls of products are counted by stubs.js's stubs.
#include "counters.h"
static char context[64];
int cublasCreate_v2(void **out) { *out = context; return 0; }
int cublasGetMathMode(void *handle, int *mode) { *mode = 0; return 0; }
const char *cublasGetStatusName(int status) { return "CUBLAS_STATUS_SUCCESS"; }
const char *cublasGetStatusString(int status) { return "success"; }
int cublasSetMathMode(void *handle, int mode) { count(mode & 3 ? "cublas: TF32 on" : "cublas: TF32 off", 0); return 0; }
