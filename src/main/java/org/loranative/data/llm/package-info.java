/**
 * Text data: {@link org.loranative.data.Records} reads files, {@link
 * org.loranative.data.llm.Formats} knows the record formats, {@link
 * org.loranative.data.llm.ExampleEncoder} makes tokens and labels, {@link
 * org.loranative.data.llm.Batches} decides which go together and when.
 */
package org.loranative.data.llm;
