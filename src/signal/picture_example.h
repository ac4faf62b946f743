/*
 * picture_example - what an example of a rule about pictures is: a text that describes one, a picture in the
 * configuration itself, or the name of a file beside it.
 *
 *     data:image/png;base64,iVBO...     the picture; also without what stands before the comma
 *     /pictures/cat.png   ./cat.png     a file, the second in the folder of the configuration
 *     https://...                       refused: nothing is fetched
 *     anything else                     a text
 *
 * A request's picture is always of the first kind (wire/facts.h), and no file is ever opened for one. Any thread.
 */
#ifndef VSR_SIGNAL_PICTURE_EXAMPLE_H
#define VSR_SIGNAL_PICTURE_EXAMPLE_H

#include <stdbool.h>

#include "core/str.h"

enum picture_example_kind { EXAMPLE_TEXT, EXAMPLE_BASE64, EXAMPLE_FILE, EXAMPLE_REFUSED };

struct picture_example {
    enum picture_example_kind kind;
    vsr_str value;       /* of the text: all of it, the base64, or the path */
    const char *refusal; /* REFUSED: why, for people */
};

/* Points into `text`, less white space around it. Base64 is not decoded. */
struct picture_example picture_example_of(vsr_str text);

/* Whether this is a picture with its bytes in it, as requests have it; then its base64. */
bool picture_uri_base64(vsr_str text, vsr_str *ret_base64);

#endif
