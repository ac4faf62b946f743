#include "nn/kernels_body.h"
