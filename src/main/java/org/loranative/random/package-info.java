/** Philox, the one random generator; the same words come from Java, C++ and CUDA. */
package org.loranative.random;
