/*
 * Prints src/dsl/printable_table.h: the code points that canonical text of the routing language writes raw.
 * Run, with a utf8proc of Unicode 15.0 (2.8):
 *     cc tools/printable_table.c -lutf8proc -o build/printable_table && build/printable_table
 * >src/dsl/printable_table.h
 */
#include <stdbool.h>
#include <stdio.h>
#include <utf8proc.h>

enum { LAST = 0x10FFFF, CELLS = 6 };

/* dsl.md §7.1: not Cc, Cf, Cs, Co, Cn, Zl, Zp, and of Zs the blank alone. */
static bool is_printable(utf8proc_int32_t c) {
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return false;
    case UTF8PROC_CATEGORY_ZS:
        return c == ' ';
    default:
        return true;
    }
}

int main(void) {
    int n = 0;
    printf("/* Written by tools/printable_table.c from Unicode %s. Do not edit. */\n/* clang-format off */\n\n",
           utf8proc_unicode_version());
    printf("/* First and last code point of each range that is printable. Sorted. */\n");
    printf("static const struct printable_range printable_ranges[] = {\n");
    for (utf8proc_int32_t c = 0; c <= LAST; c++) {
        utf8proc_int32_t first = c;
        if (!is_printable(c))
            continue;
        while (c < LAST && is_printable(c + 1))
            c++;
        printf("%s{ 0x%X, 0x%X },%s", n % CELLS ? " " : "    ", (unsigned)first, (unsigned)c,
               n % CELLS == CELLS - 1 ? "\n" : "");
        n++;
    }
    printf("%s};\n", n % CELLS ? "\n" : "");
    return 0;
}
