/**
 * Training on text: its graphs' inputs, its data as batches, previews; answers of a trained model.
 */
package org.loranative.train.llm;
