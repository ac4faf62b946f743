/*
 * tokenizer_pool - scratch of tokenizers: one for each thread that tokenises at the same time. Any thread.
 */
#ifndef VSR_MODEL_TOKENIZER_POOL_H
#define VSR_MODEL_TOKENIZER_POOL_H

struct tokenizer_pool;
struct tokenizer_scratch;

enum { TOKENIZER_POOL_MAX = 64 }; /* scratches that wait for use; more are freed */

struct tokenizer_pool *tokenizer_pool_new(void);
/* All have been given back. NULL is allowed. */
void tokenizer_pool_free(struct tokenizer_pool *pool);

struct tokenizer_scratch *tokenizer_pool_take(struct tokenizer_pool *pool);
void tokenizer_pool_give(struct tokenizer_pool *pool, struct tokenizer_scratch *scratch);

#endif
