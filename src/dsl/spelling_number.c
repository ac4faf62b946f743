#include <math.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/json_number.h"
#include "dsl/spelling.h"

static void append_zeros(struct buf *out, ptrdiff_t n) {
    for (; n > 0; n--)
        buf_append_char(out, '0');
}

/* `digits` with the point behind the first `point` of them; before all of them, and further left, when it is less. */
static void lay_out(struct buf *out, vsr_str digits, ptrdiff_t point) {
    ptrdiff_t n = (ptrdiff_t)digits.len;
    if (point <= 0) {
        buf_append_c(out, "0.");
        append_zeros(out, -point);
        buf_append(out, digits);
        return;
    }
    buf_append(out, str_sub(digits, 0, (size_t)(point < n ? point : n)));
    append_zeros(out, point - n);
    if (point < n) {
        buf_append_char(out, '.');
        buf_append(out, str_sub(digits, (size_t)point, digits.len));
    }
}

void spell_number(struct buf *out, double value) {
    char text[JSON_NUMBER_LEN_MAX], digits[JSON_NUMBER_LEN_MAX];
    size_t len = json_number_print(fabs(value), text), n = 0, i = 0;
    ptrdiff_t point = -1, exponent = 0;
    VSR_ASSERT(isfinite(value));
    if (signbit(value))
        buf_append_char(out, '-');
    if (str_find_char(str_make(text, len), 'e') < 0) {
        buf_append(out, str_make(text, len));
        return;
    }
    for (; text[i] != 'e'; i++) {
        if (text[i] == '.')
            point = (ptrdiff_t)n;
        else
            digits[n++] = text[i];
    }
    if (point < 0)
        point = (ptrdiff_t)n;
    for (size_t j = i + 2; j < len; j++)
        exponent = exponent * 10 + (text[j] - '0');
    lay_out(out, str_make(digits, n), text[i + 1] == '-' ? point - exponent : point + exponent);
}
