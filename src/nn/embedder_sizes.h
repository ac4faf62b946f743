/*
 * embedder_sizes - what published embedders were trained to be cut to, and to be left after: what can be known of them
 * by name, before any is loaded. Initialisers, so that a folder may have them without linking this one. Source:
 * inference.md section 4.6.
 */
#ifndef VSR_NN_EMBEDDER_SIZES_H
#define VSR_NN_EMBEDDER_SIZES_H

enum {
    QWEN3_DIMS_LEAST = 32, /* it can be cut to */
    GEMMA_DIMS = 768,      /* EmbeddingGemma's; smaller models of the family are others */
    MMBERT_DIMS = 768,
    MMBERT_LAYERS = 22,
    MULTIMODAL_DIMS = 384,
    MULTIMODAL_LAYERS = 6, /* of its text part */
    EMBEDDER_SIZES_MAX = 5,
};

/* Dimensions, the most first; these only. */
#define GEMMA_SIZES \
    { GEMMA_DIMS, 512, 256, 128 }
#define MULTIMODAL_SIZES \
    { MULTIMODAL_DIMS, 256, 128, 64, 32 }

/* After so many layers, in ascending order. */
#define MMBERT_EXITS \
    { 3, 6, 11, MMBERT_LAYERS }

#endif
