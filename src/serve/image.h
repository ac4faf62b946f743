/*
 * image - pictures that are made for one request; see stage_image.c.
 */
#ifndef VSR_SERVE_IMAGE_H
#define VSR_SERVE_IMAGE_H

#include "serve/pipeline.h"

struct images; /* in the request's arena; NULL: none */

enum stage_result stage_image(struct request *request);
/* The request ends: calls that are under way are given up. NULL is allowed. */
void images_cancel(struct images *images);

#endif
