#if defined(__x86_64__)
#include "nn/attention_body.h"
#endif
