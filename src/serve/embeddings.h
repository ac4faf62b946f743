/*
 * embeddings - `POST /v1/embeddings` answered by the embedder that is part of the program.
 *
 * It is asked for by its catalogue name, builtin/embedding; other names go the way of all concrete models, to a
 * backend. Texts run on the worker, a few milliseconds' worth a turn of its loop for all such requests together, so
 * that neither long lists of them nor many requests hold up anybody else.
 */
#ifndef VSR_SERVE_EMBEDDINGS_H
#define VSR_SERVE_EMBEDDINGS_H

#include "serve/pipeline.h"

struct embeddings; /* one request's work, in its arena; NULL: none */

enum stage_result stage_embeddings(struct request *request);
/* The request ends. NULL is allowed. */
void embeddings_cancel(struct embeddings *work);

#endif
