#include "wire/session_id.h"

#include <openssl/evp.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/utf8.h"
#include "wire/facts.h"

enum {
    CONTENT_LEN_MAX = 100, /* of each message in a fingerprint */
    FINGERPRINT_LEN = 8,   /* bytes of the digest that are kept: 16 hex digits */
};

/* Not printf: metadata may hold a NUL. */
static vsr_str concat(struct arena *arena, vsr_str a, vsr_str b) {
    char *text = arena_alloc(arena, a.len + b.len);
    memcpy(text, a.ptr, a.len);
    memcpy(text + a.len, b.ptr, b.len);
    return str_make(text, a.len + b.len);
}

/* prefix + 16 hex digits of SHA-256. */
static vsr_str fingerprint(struct arena *arena, vsr_str prefix, EVP_MD_CTX *digest) {
    unsigned char md[EVP_MAX_MD_SIZE];
    char hex[2 * FINGERPRINT_LEN];
    VSR_ASSERT(EVP_DigestFinal_ex(digest, md, NULL) == 1);
    for (size_t i = 0; i < FINGERPRINT_LEN; i++) {
        hex[2 * i] = "0123456789abcdef"[md[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[md[i] & 15];
    }
    return concat(arena, prefix, str_make(hex, sizeof(hex)));
}

static EVP_MD_CTX *digest_new(void) {
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (!digest)
        vsr_out_of_memory(sizeof(void *));
    VSR_ASSERT(EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1);
    return digest;
}

static void digest_add(EVP_MD_CTX *digest, vsr_str text) {
    VSR_ASSERT(EVP_DigestUpdate(digest, text.ptr, text.len) == 1);
}

static vsr_str user_fingerprint(struct arena *arena, vsr_str user_id, vsr_str first_user) {
    EVP_MD_CTX *digest = digest_new();
    vsr_str id;
    digest_add(digest, user_id);
    digest_add(digest, VSR_STR(":"));
    digest_add(digest, utf8_cut(first_user, CONTENT_LEN_MAX));
    id = fingerprint(arena, VSR_STR("cc-"), digest);
    EVP_MD_CTX_free(digest);
    return id;
}

static vsr_str opening_fingerprint(struct arena *arena, const struct request_facts *facts) {
    EVP_MD_CTX *digest = digest_new();
    vsr_str id;
    for (size_t i = 0; i < facts->n_opening; i++) {
        if (i > 0)
            digest_add(digest, VSR_STR("|"));
        digest_add(digest, facts->opening[i].role);
        digest_add(digest, VSR_STR(":"));
        digest_add(digest, utf8_cut(facts->opening[i].text, CONTENT_LEN_MAX));
    }
    id = fingerprint(arena, VSR_STR("cc-full-"), digest);
    EVP_MD_CTX_free(digest);
    return id;
}

static vsr_str request_fingerprint(struct arena *arena, vsr_str request_id) {
    EVP_MD_CTX *digest = digest_new();
    vsr_str id;
    digest_add(digest, VSR_STR("rid:"));
    digest_add(digest, request_id);
    id = fingerprint(arena, VSR_STR("rid-"), digest);
    EVP_MD_CTX_free(digest);
    return id;
}

static vsr_str metadata_value(const struct request_facts *facts, vsr_str key) {
    for (size_t i = 0; facts && i < facts->n_metadata; i++)
        if (str_eq(facts->metadata[i].key, key))
            return facts->metadata[i].value;
    return str_make(NULL, 0);
}

vsr_str session_id(struct arena *arena, const struct session_id_input *input) {
    const struct request_facts *facts = input->facts;
    vsr_str header = str_trim(input->session_header), claude = str_trim(input->claude_header);
    vsr_str user = input->metadata_user.len > 0 ? input->metadata_user : metadata_value(facts, VSR_STR("user_id"));
    if (header.len > 0)
        return header;
    if (claude.len > 0)
        return claude;
    if (user.len > 0)
        return concat(arena, VSR_STR("ant-md-"), user);
    if (facts && input->user_id.len > 0 && facts->first_user.len > 0)
        return user_fingerprint(arena, input->user_id, facts->first_user);
    if (facts && facts->n_opening > 0)
        return opening_fingerprint(arena, facts);
    return request_fingerprint(arena, input->request_id);
}
