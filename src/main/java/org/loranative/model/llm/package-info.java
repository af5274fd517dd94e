/**
 * Language models: one builder ({@link org.loranative.model.llm.LlmGraph}) driven by the numbers of
 * {@link org.loranative.model.llm.LlmConfig} and the flags of a family file.
 */
package org.loranative.model.llm;
