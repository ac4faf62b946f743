/*
 * responses_end - how an answer to a Responses client ended: what both its encoders begin with. Private to them.
 */
#ifndef VSR_WIRE_RESPONSES_END_H
#define VSR_WIRE_RESPONSES_END_H

#include "wire/encoder_kind.h"
#include "wire/responses_object.h"

struct responses_end {
    struct encoder base;
    enum response_status status;
    struct buf object; /* of the last event */
};

#endif
