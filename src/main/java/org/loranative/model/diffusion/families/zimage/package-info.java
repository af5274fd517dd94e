/** Z-Image: a transformer of one stream that reads texts by a language model. */
package org.loranative.model.diffusion.families.zimage;
