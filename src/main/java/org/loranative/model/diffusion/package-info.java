/**
 * Latent diffusion models: CLIP's text encoders, the UNet and the VAE of Stable Diffusion 1, 2 and
 * XL. Images are [B·H·W, C] values; numbers come from the checkpoint's config files.
 */
package org.loranative.model.diffusion;
