/**
 * Stable Diffusion 1, 2 and XL: one or two of CLIP's text encoders, a UNet, and noise by a schedule
 * of β.
 */
package org.loranative.model.diffusion.families.stable;
