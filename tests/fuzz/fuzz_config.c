/* links: config */
/*
 * From YAML text to a checked document and back to text. Whatever loads must print to a document that loads and prints
 * the same. The first byte chooses the options.
 */
#include <stdlib.h>

#include "../unit/config/fake_families.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json_write.h"

enum { PRINT_LEN_MAX = 1 << 24 };

enum { OPTION_STRICT = 1, OPTION_KEEP = 2, OPTION_EFFECTIVE = 4 };

static const struct config_document *load(struct arena *arena, vsr_str text, unsigned options) {
    struct config_load_options load_options = fake_options();
    const struct config_document *doc = NULL;
    struct json_writer w;
    struct diag diag;
    struct buf out;
    load_options.strict_env = options & OPTION_STRICT;
    load_options.keep_env = options & OPTION_KEEP;
    VSR_ASSERT((config_load_text(arena, text, VSR_STR("fuzz.yaml"), &load_options, &doc, &diag) == 0) == (doc != NULL));
    VSR_ASSERT((diag.n_errors == 0) == (doc != NULL));
    buf_init(&out, PRINT_LEN_MAX);
    json_write_init(&w, &out);
    diag_print(&diag, &out, false);
    diag_json(&diag, &w);
    buf_done(&out);
    return doc;
}

static void print(struct arena *arena, const struct config_document *doc, unsigned options, struct buf *out) {
    buf_init(out, PRINT_LEN_MAX);
    schema_print(config_schema(arena, &fake_parts), doc, 0, options & OPTION_EFFECTIVE, out);
}

/*
 * Environment references were replaced, so dollars that remain are doubled by nobody: such documents are not read
 * again. Nor are those whose blocks were all empty, because nothing of them is printed.
 */
static bool can_read_again(const struct buf *text) {
    static const char *const blocks[] = { "\nrouting:", "\nglobal:", "\nproviders:" };
    if (buf_failed(text) || !text->len || memchr(text->ptr, '$', text->len))
        return false;
    for (size_t i = 0; i < VSR_COUNT(blocks); i++)
        if (str_find(buf_str(text), str_from_c(blocks[i])) >= 0)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    unsigned options = len ? data[0] & 7u : 0;
    struct arena *arena;
    const struct config_document *doc;
    struct buf once, twice;
    if (len == 0)
        return 0;
    arena = arena_new(0, 0);
    doc = load(arena, str_make((const char *)data + 1, len - 1), options);
    if (doc) {
        print(arena, doc, options, &once);
        if (!(options & OPTION_KEEP) && can_read_again(&once)) {
            doc = load(arena, buf_str(&once), 0);
            VSR_ASSERT(doc != NULL);
            print(arena, doc, options, &twice);
            VSR_ASSERT(str_eq(buf_str(&once), buf_str(&twice)));
            buf_done(&twice);
        }
        buf_done(&once);
    }
    arena_free(arena);
    return 0;
}
