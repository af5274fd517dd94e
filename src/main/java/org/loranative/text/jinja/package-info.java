/**
 * The part of Jinja2 that chat templates use, with transformers' settings (trim_blocks,
 * lstrip_blocks, loop controls). Java's Jinja engine renders such templates wrong: it lacks
 * Python's string methods and slices with a step, which Qwen's and Llama's templates call.
 */
package org.loranative.text.jinja;
