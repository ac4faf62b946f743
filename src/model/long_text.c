#include "model/long_text.h"

#include <stddef.h>

static const char *const names[] = {
#define X(name, text) text,
    LONG_TEXTS(X)
#undef X
};

const char *long_text_name(enum long_text long_text) {
    return names[long_text];
}

bool long_text_named(vsr_str name, enum long_text *ret_long_text) {
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        if (!str_eq_c(name, names[i]))
            continue;
        *ret_long_text = (enum long_text)i;
        return true;
    }
    return false;
}
