/**
 * Models: {@link org.loranative.model.Net} joins graph, weights and adapters, so that model code
 * never mentions LoRA; {@link org.loranative.model.Family} reads {@code models/*.yaml}.
 */
package org.loranative.model;
