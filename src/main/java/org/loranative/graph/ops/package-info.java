/**
 * The ops: one file for each, its record and its backward record. A batch is one packed row of M
 * tokens; {@code lora_ops.h} holds each op's formula.
 */
package org.loranative.graph.ops;
