/**
 * Bases put together of several files: a transformer or UNet here, text encoders and a VAE there.
 * All of them stand under the names of a whole checkpoint as ComfyUI writes it.
 */
package org.loranative.model.diffusion.parts;
