/** Chroma: FLUX.1's transformer with all modulations made by one small network. */
package org.loranative.model.diffusion.families.chroma;
