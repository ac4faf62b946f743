/* links: config */
/*
 * From YAML text to a checked document and back to text. Whatever loads must print to a document that loads and prints
 * the same, without a difference. The first byte chooses the options.
 */
#include <stdlib.h>

#include "../unit/config/fake_families.h"
#include "config/diff.h"
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

/* Documents whose blocks were all empty are not read again, because nothing of them is printed. */
static bool can_read_again(const struct buf *text) {
    static const char *const blocks[] = { "\nrouting:", "\nglobal:", "\nproviders:", "\nrecipes:" };
    for (size_t i = 0; i < VSR_COUNT(blocks) && !buf_failed(text) && text->len; i++)
        if (str_find(buf_str(text), str_from_c(blocks[i])) >= 0)
            return true;
    return false;
}

/* What was printed says the same, and is printed the same. `effective` values say what references said. */
static void read_again(struct arena *arena, const struct config_document *doc, unsigned options,
                       const struct buf *once) {
    const struct config_document *again = load(arena, buf_str(once), options & OPTION_KEEP);
    struct config_changes changes;
    struct buf twice;
    VSR_ASSERT(again != NULL);
    print(arena, again, options, &twice);
    VSR_ASSERT(str_eq(buf_str(once), buf_str(&twice)));
    buf_done(&twice);
    config_diff(config_schema(arena, &fake_parts), again, again, arena, &changes);
    VSR_ASSERT(changes.n == 0);
    config_diff(config_schema(arena, &fake_parts), doc, again, arena, &changes);
    for (size_t i = 0; i < changes.n; i++) /* all but secrets, which were masked */
        VSR_ASSERT(str_find(changes.items[i].before, VSR_STR("[REDACTED]")) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    unsigned options = len ? data[0] & 7u : 0;
    struct arena *arena;
    const struct config_document *doc;
    struct buf once;
    if (len == 0)
        return 0;
    arena = arena_new(0, 0);
    doc = load(arena, str_make((const char *)data + 1, len - 1), options);
    if (doc) {
        print(arena, doc, options, &once);
        if (can_read_again(&once))
            read_again(arena, doc, options, &once);
        buf_done(&once);
    }
    arena_free(arena);
    return 0;
}
