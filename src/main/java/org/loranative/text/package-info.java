/** Tokenizers and chat templates, from Hugging Face folders and from GGUF metadata. */
package org.loranative.text;
