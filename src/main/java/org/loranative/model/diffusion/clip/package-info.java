/** CLIP's text encoders, OpenAI's and OpenCLIP's, and how they read texts. */
package org.loranative.model.diffusion.clip;
