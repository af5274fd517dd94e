/** Diffusion transformers (DiT): what families of them have in common. */
package org.loranative.model.diffusion.dit;
