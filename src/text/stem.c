#include "text/stem.h"

#include <libstemmer.h>

#include "core/mem.h"

struct stemmer {
    struct sb_stemmer *snowball;
};

int stemmer_new(struct stemmer **ret_stemmer, struct vsr_err *err) {
    struct stemmer *stemmer = MEM_NEW(struct stemmer);
    stemmer->snowball = sb_stemmer_new("english", NULL);
    if (!stemmer->snowball) {
        mem_free(stemmer);
        return err_set(err, VSR_E_NOMEM, "no memory for the stemmer");
    }
    *ret_stemmer = stemmer;
    return 0;
}

void stemmer_free(struct stemmer *stemmer) {
    if (!stemmer)
        return;
    sb_stemmer_delete(stemmer->snowball);
    mem_free(stemmer);
}

vsr_str stemmer_stem(struct stemmer *stemmer, vsr_str word) {
    const sb_symbol *stem = sb_stemmer_stem(stemmer->snowball, (const sb_symbol *)word.ptr, (int)word.len);
    return stem ? str_make((const char *)stem, (size_t)sb_stemmer_length(stemmer->snowball)) : word;
}
