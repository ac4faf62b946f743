#include "signal/picture_example.h"

enum { BARE_LEN_MIN = 64 /* no picture is shorter, while a text or a path may begin as one */ };

static bool starts_nocase(vsr_str text, vsr_str start) {
    return str_eq_nocase(str_sub(text, 0, start.len), start);
}

bool picture_uri_base64(vsr_str text, vsr_str *ret_base64) {
    vsr_str mark = VSR_STR(";base64,");
    ptrdiff_t comma = str_find_char(text, ',');
    if (!starts_nocase(text, VSR_STR("data:")) || comma < (ptrdiff_t)mark.len ||
        !str_eq_nocase(str_sub(text, (size_t)comma + 1 - mark.len, (size_t)comma + 1), mark))
        return false;
    *ret_base64 = str_sub(text, (size_t)comma + 1, text.len);
    return true;
}

/* The first bytes of each format, as base64 has them. */
static bool is_bare_base64(vsr_str text) {
    static const vsr_str starts[] = { VSR_STR_INIT("iVBORw0KGgo"), VSR_STR_INIT("/9j/"), VSR_STR_INIT("UklGR"),
                                      VSR_STR_INIT("R0lGOD") };
    for (size_t i = 0; i < VSR_COUNT(starts); i++)
        if (str_starts(text, starts[i]))
            return text.len >= BARE_LEN_MIN;
    return false;
}

struct picture_example picture_example_of(vsr_str text) {
    struct picture_example example = { .kind = EXAMPLE_TEXT, .value = str_trim(text) };
    text = example.value;
    if (picture_uri_base64(text, &example.value) || is_bare_base64(text)) {
        example.kind = EXAMPLE_BASE64;
    } else if (starts_nocase(text, VSR_STR("data:"))) {
        example.kind = EXAMPLE_REFUSED;
        example.refusal = "a data URI of a picture is data:image/png;base64, and its bytes";
    } else if (starts_nocase(text, VSR_STR("http://")) || starts_nocase(text, VSR_STR("https://"))) {
        example.kind = EXAMPLE_REFUSED;
        example.refusal = "pictures are not fetched: put the file beside the configuration and name it ./FILE";
    } else if (str_starts(text, VSR_STR("/")) || str_starts(text, VSR_STR("./"))) {
        example.kind = EXAMPLE_FILE;
    }
    return example;
}
