/**
 * Training on images: encoding them, drawing noise, the probe, previews; pictures of a trained
 * model.
 */
package org.loranative.train.diffusion;
