#include "nn/attention_body.h"
