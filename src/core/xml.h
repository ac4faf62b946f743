/*
 * xml - text as XML 1.0 writes it. Any thread.
 */
#ifndef VSR_CORE_XML_H
#define VSR_CORE_XML_H

#include "core/str.h"

struct buf;

/*
 * Appends `text` for between tags or inside of an attribute's double quotes. Tabs and line ends survive there as
 * character references, which an attribute's plain blanks would not. What XML 1.0 cannot say at all becomes a blank:
 * other control characters before U+0020, U+FFFE, U+FFFF, and bytes that are no UTF-8. So does DEL, which it could say;
 * U+0080 to U+009F stay.
 */
void xml_append(struct buf *out, vsr_str text);

#endif
