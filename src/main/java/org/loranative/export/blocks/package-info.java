/** Numbers as the bytes of a storage type: plain floats and GGUF's blocks. */
package org.loranative.export.blocks;
