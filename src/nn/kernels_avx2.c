#if defined(__x86_64__)
#include "nn/kernels_body.h"
#endif
