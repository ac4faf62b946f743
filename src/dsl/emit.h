/*
 * emit - a compiled program in the wrappings that deployments take (dsl.md §8).
 *
 * Everything is a YAML tree, which yaml_write() prints; nodes are shared with the tree that was given. Any thread.
 */
#ifndef VSR_DSL_EMIT_H
#define VSR_DSL_EMIT_H

#include "config/yaml_tree.h"

struct arena;

/* A custom resource's name is a label of DNS: that of its object, and of its namespace. */
enum { EMIT_NAME_LEN_MAX = 253 };

struct emit_options {
    vsr_str name;      /* of the resource; empty: "router" */
    vsr_str namespace; /* empty: "default" */
    /* Beside the contract's keys also the flat ones that older operators read (§8.2). They cannot say everything. */
    bool legacy;
};

/* Whether Kubernetes takes it as a name: labels of small letters, digits and dashes, with dots between them. */
bool emit_is_name(vsr_str name);
/* The same for a namespace: one label. */
bool emit_is_namespace(vsr_str name);

/*
 * A SemanticRouter of vllm.ai/v1alpha1. `document`: what dsl_compile() gave, or a whole configuration that it was
 * merged into; of the latter `providers` become `vllmEndpoints` as far as they name a host and a port, and nothing else
 * that is outside of the language is carried. Zeros that were written stay.
 */
struct yaml_node *emit_crd(struct arena *arena, const struct yaml_node *document, const struct emit_options *options);

/* Values of a Helm chart: `config: {version: v0.3, routing, entrypoints, recipes}`; of a whole configuration all of it.
 */
struct yaml_node *emit_helm(struct arena *arena, const struct yaml_node *document);

#endif
