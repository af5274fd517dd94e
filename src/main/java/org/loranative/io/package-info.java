/** Model files: safetensors, GGUF, storage types, files replaced in one step. */
package org.loranative.io;
