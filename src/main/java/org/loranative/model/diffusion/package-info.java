/**
 * Latent diffusion models. What a family decides stands behind {@link
 * org.loranative.model.diffusion.DiffusionFamily}; graphs, drawing and the VAE are shared. Images
 * are [B·H·W, C] values; numbers come from the checkpoint's config files.
 */
package org.loranative.model.diffusion;
